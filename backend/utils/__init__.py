"""Helpers that would fit any service.

A module belongs here if it would make sense in an unrelated project.
Nothing here knows about tasks, users or the database.
"""
