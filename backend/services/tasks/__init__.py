"""Tasks, the canonical resource: new resources copy it.

Service, rules and queries of tasks belong here, for single calls, lists and batches.
Task files do not: they are in `backend/services/task_files/`.
"""
