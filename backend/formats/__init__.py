"""Reads and writes files of tasks: JSON lines, CSV and iCalendar.

How a format spells a row belongs here.
What a row may hold belongs to the models, and what importing one does to the services.
"""
