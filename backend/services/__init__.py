"""What a user may do. Every resource has a package, with service, rules and queries.

Rules, statements and transactions belong here. No method takes a user id.
HTTP and database connections do not.
"""
