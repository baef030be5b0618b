"""Work that the application does beside its requests.

Jobs that start and stop with the application belong here.
What they do to rows does not: that is in `backend/services/`.
"""
