"""Processes and sockets: uvicorn with bounds, several workers, an orderly end.

What happens to connections and processes belongs here.
Nothing here knows what a task is.
"""
