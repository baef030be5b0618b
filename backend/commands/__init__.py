"""The commands, a module for each, with a function `run`.

Arguments, messages and exit codes belong here; nothing else prints.
What a command does to tasks does not belong here: that is in `backend/services/`.
"""
