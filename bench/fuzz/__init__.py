"""Inputs meant to break the serving container, a million of them, sent to its real process."""
