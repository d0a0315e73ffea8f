"""Retraining: when it starts, that only one runs, and what becomes of its outcome."""
