"""Tasks, the canonical resource: a new one copies it.

Service, rules and queries of tasks belong here, for single calls, lists and batches.
Files of tasks do not: they are in `backend/services/task_files/`.
"""
