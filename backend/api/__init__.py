"""HTTP: the only code that knows FastAPI. `main.py` wires the application, `deps.py` defines what handlers depend on.

Handlers, their shared code and the middleware belong here.
Rules about tasks do not (services), nor do sockets and processes (server).
"""
