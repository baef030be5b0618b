"""Task API: a multi-user task service over Postgres. Start at cli.py (commands) or api/main.py (the app)."""

import sys

__version__ = "0.1.0"

# Also an older Python can read this much, and would say nothing useful about the rest.
sys.version_info >= (3, 11) or sys.exit("task-api: this Python is too old: install 3.11 to 3.14, and run: make run")
