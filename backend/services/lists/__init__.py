"""Lists: make, edit, archive, delete and restore them.

What happens to their rows, and to all tasks that are in one, belongs here.
Which list a single task is in does not: that is one of its fields (`backend/services/tasks/`).
"""
