"""Entry points of the functions, one a file."""
