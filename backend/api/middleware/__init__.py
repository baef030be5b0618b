"""What every request passes, one module for each layer. Pure ASGI: each costs microseconds.

From the outside in: request_context, cors, error_boundary, authentication, limits, head.
What only some endpoints need does not belong here: that is in `backend/api/http/`.
"""
