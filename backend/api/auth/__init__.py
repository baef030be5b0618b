"""The principal of a request, and what it may do.

The authenticator and the scopes of personal access tokens belong here.
Parsing tokens does not: see `backend/identity/`.
"""
