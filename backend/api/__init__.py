"""HTTP: the only code that knows FastAPI. `main.py` wires the application, `deps.py` says what handlers ask for.

Handlers, what they share, and what every request passes belong here.
Rules about tasks do not (services), nor do sockets and processes (server).
"""
