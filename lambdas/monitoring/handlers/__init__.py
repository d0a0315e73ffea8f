"""Entry points of the monitor's functions."""
