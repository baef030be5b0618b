"""The commands: each is a module with a function `run`.

Arguments, messages and exit codes belong here; nothing else prints.
What a command does to tasks does not: that is in `backend/services/`.
"""
