"""Accounts with an address and a password, and the sessions of those who are signed in.

What happens to their rows belongs here, and the rule by which a session is refreshed.
Hashes, and the forms of tokens, do not: they are in `backend/identity/`.
"""
