"""The way to Postgres: engine, sessions, statements, retries and deadlines.

How a statement reaches the server, and what becomes of a lost connection, belongs here.
Statements about tasks do not: they are in `backend/services/`.
"""
