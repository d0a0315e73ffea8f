"""Prints a CSV body for a policy's smoke test: ``python -m model_containers.training.smoke_body``."""

import sys

from .replay import REPLAY, rows

DAYS = 3


def smoke_body() -> str:
    """Return the first replayed days as one request body."""
    return "".join(line + "\n" for line in rows(REPLAY.start, REPLAY.start + DAYS))


if __name__ == "__main__":
    sys.stdout.write(smoke_body())
