"""One module for each resource: its table, its input and its output.

Types, limits, descriptions and examples of fields belong here.
Statements and rules do not: they are in `backend/services/`.
"""
