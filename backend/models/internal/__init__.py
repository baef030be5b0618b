"""Tables that clients never see as such: stored answers, tombstones, counted requests.

A table without a resource belongs here. What a client sends or gets does not.
"""
