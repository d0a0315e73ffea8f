"""Requests put together into batches: who waits, what is run next, and how what fails is kept apart."""
