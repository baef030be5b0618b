"""Labels: list, make, rename and remove them.

What happens to their rows, and to all tasks that carry one, belongs here.
The labels of a single task do not: they are one of its fields (`backend/services/tasks/`).
"""
