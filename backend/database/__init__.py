"""Access to Postgres: engine, sessions, statements, retries and deadlines.

Sending statements to the server and handling lost connections belong here.
Statements about tasks do not: they are in `backend/services/`.
"""
