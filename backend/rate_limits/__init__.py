"""Counts requests, for each user and each address.

Counting, storing and sharing the counts belongs here.
Refusing a request does not: that is in `backend/api/middleware/`.
"""
