"""Turns bearer tokens into user ids: JWT, claims, JWKS, the format of personal access tokens.

Checking signatures and claims, and fetching keys, belongs here.
What a user may do does not: that is in `backend/api/auth/`.
"""
