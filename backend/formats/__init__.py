"""Reads and writes files of tasks: JSON lines, CSV and iCalendar.

How a format spells a row belongs here.
What a row may hold does not (models), nor what importing one does (services).
"""
