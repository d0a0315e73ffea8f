"""Reads captured requests and labels, and counts them: every line is counted, or counted under a named reason."""
