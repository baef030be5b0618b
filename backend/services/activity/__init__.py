"""Activity: what changes did, for whoever wants to know.

Reading events belongs here.
Writing them does not: every change leaves one by itself, see `backend/services/resources/events.py`.
"""
