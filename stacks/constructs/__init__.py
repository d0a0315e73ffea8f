"""Building blocks of the stacks, one concept a file."""
