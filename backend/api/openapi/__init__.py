"""The published contract, and the pages that show it.

How operations, headers, files and schemas are documented belongs here.
What the service does does not: handlers and models describe that themselves.
"""
