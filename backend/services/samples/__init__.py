"""Sample tasks for development.

What `task-api seed` makes belongs here.
Test data does not.
"""
