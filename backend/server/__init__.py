"""Processes and sockets: uvicorn with limits, several workers, graceful shutdown.

Code about connections and processes belongs here.
Nothing here knows what a task is.

`protocol.py`, `pipelining.py` and `supervisor.py` override parts of uvicorn that are not public, and bound what the
application does not see: unending headers, slow clients. Read them again when its pin moves.
"""
