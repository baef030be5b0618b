"""The Postgres that starts when no DATABASE_URL is set.

Starting, sharing, watching and stopping it belongs here.
Using a running server does not: no other code knows that it is embedded.
"""
