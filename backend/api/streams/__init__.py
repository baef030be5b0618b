"""Streamed bodies: the stream of changes, exports and imports.

How they are paced, limited and ended belongs here.
Their content does not: see `backend/services/` and `backend/formats/`.
"""
