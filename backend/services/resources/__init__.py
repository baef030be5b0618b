"""What all resources share: the tenant filter, their parameters, tags and JSON.

A resource is a kind of row that a user has: tasks, labels, lists and personal access tokens.
What only one resource needs does not belong here.
"""
