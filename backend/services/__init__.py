"""What one user may do: one package for each resource, with service, rules and queries.

Rules, statements and transactions belong here. No method takes a user id.
HTTP and database connections do not.
"""
