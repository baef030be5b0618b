"""The published contract, and the pages that show it.

What is said about operations, headers, files and schemas belongs here.
What the service does does not: handlers and models say that themselves.
"""
