"""Times as they stand in files, keys and events: UTC, ISO 8601 with ``Z``, whole seconds."""

from datetime import UTC, datetime

HOUR = 3600


def stamp(at: float) -> str:
    """Return a time such as ``2026-11-22T03:00:00Z``."""
    return f"{_moment(at):%Y-%m-%dT%H:%M:%SZ}"


def minute(at: float) -> str:
    """Return a window's id: its start, such as ``2026-11-22T03:00Z``."""
    return f"{_moment(at):%Y-%m-%dT%H:%MZ}"


def compact(at: float) -> str:
    """Return a time as it stands in S3 keys, such as ``20261122T030000Z``."""
    return f"{_moment(at):%Y%m%dT%H%M%SZ}"


def hour_folder(at: float) -> str:
    """Return the folder of an hour, such as ``2026/11/22/03/``."""
    return f"{_moment(at):%Y/%m/%d/%H/}"


def epoch(told: str) -> float:
    """Return epoch seconds of an ISO 8601 time; one without an offset is in UTC."""
    at = datetime.fromisoformat(told)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
