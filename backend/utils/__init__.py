"""Helpers: tokens and their keys, field types, cursors. They know no database and none of our endpoints."""
