"""Tasks as iCalendar files, of this service and of other programs.

How calendars are read and written belongs here, and what other programs mean by their properties.
What an import does with a task does not: it gets the fields that a component says.
"""
