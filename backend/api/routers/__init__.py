"""One module for each resource, with handlers of a line or two.

Addresses, status codes and the text that the contract publishes belong here.
Decisions do not: a handler calls a service and returns its result.
"""
