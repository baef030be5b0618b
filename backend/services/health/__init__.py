"""Whether the service can do its work: a schema that fits, and users kept apart.

What `/health/ready` and `serve` check belongs here.
Watching processes does not: that is in `backend/server/`.
"""
