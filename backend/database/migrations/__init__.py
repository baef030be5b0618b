"""Applies schema migrations and rolls them back.

Finding, locking and running migrations belongs here.
Roles belong to the server, not to a database: a migration makes a role only if it is missing, and a rollback leaves it.
The SQL does not: it is in `migrations/` at the top of the project.
"""
