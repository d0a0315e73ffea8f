"""Keeps the endpoint that answers jobs on the version that is live."""
