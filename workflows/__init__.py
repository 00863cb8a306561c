"""Workflows decide and wait.

The law of this package: no I/O, no clock but `workflow.now()`, no logger but `workflow.logger`.
Everything in it runs again on every replay, so it branches only on what is in the history.
"""
