"""Layers that every request passes, one module each. Pure ASGI: each costs microseconds.

Outermost first: trailing_slash, request_context, cors, error_boundary, authentication, limits, head.
Code that only some endpoints need does not belong here: see `backend/api/http/`.
"""
