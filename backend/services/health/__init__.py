"""Whether the service can work: the schema fits, and users are kept apart.

What `/health/ready` and `serve` check belongs here.
Watching processes does not: that is in `backend/server/`.
"""
