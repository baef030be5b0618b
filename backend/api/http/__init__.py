"""What endpoints share: envelope, errors, strict JSON, preconditions, idempotency keys.

Code belongs here if handlers of several resources need it.
What every request passes does not: that is in `backend/api/middleware/`.
"""
