"""Applies schema migrations and rolls them back.

Finding, locking and running migrations belongs here.
The SQL does not: it is in `migrations/` at the top of the project.
"""
