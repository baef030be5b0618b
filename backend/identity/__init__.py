"""A bearer token becomes a user id: JWT, claims, JWKS, the form of personal access tokens.

Checking signatures and claims, and fetching keys, belongs here.
What the user may then do does not: that is in `backend/api/auth/`.
"""
