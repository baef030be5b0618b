"""Who sends a request, and what that principal may do.

The authenticator and the scopes of personal access tokens belong here.
How a token is read does not: that is in `backend/identity/`.
"""
