"""Times in events."""

from datetime import datetime


def epoch(text: str) -> float:
    """Return an event's time, which is ISO 8601 with a Z, as epoch seconds."""
    return datetime.fromisoformat(text).timestamp()
