"""The way to Postgres: engine, sessions, migrations and the embedded server."""
