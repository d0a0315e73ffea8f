"""Timestamps in the forms that AWS APIs take and give."""

from datetime import UTC, datetime


def to_datetime(epoch: float) -> datetime:
    """Return the moment as boto3 gives it."""
    return datetime.fromtimestamp(epoch, UTC)


def to_epoch(moment: datetime | float | int | str) -> float:
    """Return epoch seconds of whatever form a request gave a moment in; without a zone, it is UTC."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment)


def to_iso_millis(epoch: float) -> str:
    """Return the moment as CloudWatch writes it in events: ``2026-11-22T01:46:00.000+0000``."""
    moment = to_datetime(epoch)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"
