"""Recurrence: the rules of iCalendar (RRULE, RFC 5545) that a task may have, their days, and their words.

It knows days, wall times and zones, and nothing of tasks. No rule can make it compute for long: `days.py` has bounds.
"""
