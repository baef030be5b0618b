"""The feed of changes: what has changed since a sync token.

Reading the feed belongs here.
Writing it does not: every change of a task or label takes the next revision.
"""
