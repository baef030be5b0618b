"""A user's account: what it is, its export and its end.

What concerns everything that is stored of a user belongs here.
Tasks alone do not: their files are in `backend/services/task_files/`.
"""
