"""Processes and sockets: uvicorn with limits, several workers, graceful shutdown.

Code about connections and processes belongs here.
Nothing here knows what a task is.
"""
