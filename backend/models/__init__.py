"""One module for each resource: its table, what goes in, and what comes out.

Types, limits, descriptions and examples of fields belong here.
Statements and rules do not: they are in `backend/services/`.
"""
