"""What would fit any service.

A module belongs here if it would make sense in a project about something else.
Nothing here knows of tasks, of users or of the database.
"""
