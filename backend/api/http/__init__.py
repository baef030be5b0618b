"""Code shared by endpoints: envelope, errors, strict JSON, preconditions, idempotency keys.

Code belongs here if handlers of several resources need it.
Layers that every request passes do not: see `backend/api/middleware/`.
"""
