"""Personal access tokens: make, list, use and revoke them.

What happens to their rows belongs here.
Their form does not (identity), nor what a scope allows (`backend/api/auth/`).
"""
