"""Logs, traces and metrics for the operators of the service.

Setting them up, writing and exporting them belongs here.
The choice of events does not: each module logs its own.
"""
