"""Bodies that go on and on: the stream of changes, exports and imports.

How they are paced, bounded and ended belongs here.
What they hold does not: that is in `backend/services/` and `backend/formats/`.
"""
