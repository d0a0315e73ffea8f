"""Where commands print."""

import os
import sys

from rich.console import Console

PIPED_WIDTH = 200


def make_console() -> Console:
    """Return the console; what is piped or logged is not cut to the width of a terminal that is not there."""
    fixed = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if fixed else PIPED_WIDTH, highlight=False, markup=False, emoji=False)


def make_error_console() -> Console:
    """Return the console of what is not an answer: errors and progress."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)
