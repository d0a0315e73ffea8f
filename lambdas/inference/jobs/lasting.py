"""How long the attempts at a job may take, so that it ends while it is kept.

A job and its message expire together: one that has not ended by then tells nobody that it failed. Nothing here reads
the settings of functions, for templates refuse by it what finds no room.
"""

from lambdas.inference.jobs import backoff

UNREADY_LIMIT_SECONDS = 3600.0
"""For how long a job waits for an endpoint that is only being made, without an attempt."""

RESERVE_SECONDS = 1800.0
"""Before a job expires, in which no attempt is under way: longer than the longest pause before a worker sees the job
again, or than the queue takes to deliver the message of one that was killed."""

MARGIN_SECONDS = 300
"""After a request has expired, for what was begun at the last moment."""

_HANDING_SECONDS = 120
"""For the worker that hands an attempt over, and the one that finds it unanswered."""

_DAY = 86_400


def queued_seconds(keep_days: int, attempts: int, model_seconds: int) -> int:
    """Return for how long each attempt may wait for an instance, where an endpoint answers later."""
    return int(_room(keep_days) // attempts) - _beside(model_seconds)


def most_attempts(keep_days: int, queued: int, model_seconds: int) -> int:
    """Return how many attempts find room that may wait so many seconds for an instance."""
    return int(_room(keep_days) // (queued + _beside(model_seconds)))


def _room(keep_days: int) -> float:
    return keep_days * _DAY - UNREADY_LIMIT_SECONDS - RESERVE_SECONDS


def _beside(model_seconds: int) -> int:
    return model_seconds + MARGIN_SECONDS + int(backoff.LONGEST_SECONDS) + _HANDING_SECONDS
