"""What the people who run the service see: logs, traces and metrics.

How they are set up, written and exported belongs here.
Which event is logged does not: each module logs its own.
"""
