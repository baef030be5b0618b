"""Who somebody is: bearer tokens, their issuers and their keys, and the passwords of our own issuer.

Checking signatures and claims, and fetching keys, belongs here.
What a user may do does not: that is in `backend/api/auth/`.
"""
