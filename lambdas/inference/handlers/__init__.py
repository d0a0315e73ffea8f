"""Entry points of the front door, one file a function."""
