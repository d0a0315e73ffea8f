"""Predictions that are asked for now and answered later: accepted, worked on, shown."""
