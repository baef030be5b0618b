"""Background work of the application, outside requests.

Jobs that start and stop with the application belong here.
What they do to rows does not: see `backend/services/`.
"""
