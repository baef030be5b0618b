"""The Postgres that starts when no DATABASE_URL is set.

Starting, sharing, watching and stopping it belongs here.
What is done with a server that runs does not: nothing knows that it is embedded.
"""
