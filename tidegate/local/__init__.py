"""Runs the local cloud for the command line and the demo, as a process of its own.

Only `tidegate.local.daemon` imports `localcloud`, and only inside that process.
"""
