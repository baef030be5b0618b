"""Sample tasks for development.

What `task-api seed` makes belongs here.
Data of tests does not.
"""
