"""Task API: a multi-user task service over Postgres. Start at cli.py (commands) or api/main.py (the app)."""

__version__ = "0.1.0"
