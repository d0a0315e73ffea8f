"""Counts large windows and tables quickly: the same counts as the function's own careful path, in bounded memory."""
