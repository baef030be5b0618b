"""A user's account: reading, exporting and erasing it.

What concerns all data of a user belongs here.
Files of tasks alone do not: they are in `backend/services/task_files/`.
"""
