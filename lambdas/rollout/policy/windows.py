"""When a rollout may go forward: not on a Friday night."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal, get_args

from lambdas.rollout.policy.checks import PolicyError, one_of

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[str, ...] = get_args(Day)
MIDNIGHT = "24:00"
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_DAYS_AHEAD = 8
"""A week and a day: the hour in which a window opens may be missing on the day when the clocks go forward."""


@dataclass(frozen=True)
class Window:
    """A span of hours on some days of the week; one that ends before it starts goes past midnight.

    Parameters
    ----------
    days
        Days on which it starts: mon, tue, wed, thu, fri, sat, sun.
    start
        When it opens, as HH:MM.
    end
        When it closes, as HH:MM, up to 24:00.
    """

    days: tuple[Day, ...]
    start: str
    end: str

    def __post_init__(self) -> None:
        if not self.days:
            raise PolicyError("days", list(self.days), "a window on no day is never open", "name at least one day")
        for index, day in enumerate(self.days):
            one_of(f"days[{index}]", day, DAYS)
        _check_time("start", self.start)
        if self.end != MIDNIGHT:
            _check_time("end", self.end)
        if self.start == self.end:
            reason = "it is the start, so that the window would never be open"
            raise PolicyError("end", self.end, reason, f"change it; a whole day is from 00:00 to {MIDNIGHT}")

    def span(self, day: datetime) -> tuple[datetime, datetime] | None:
        """Return when it opens and closes if it starts on that day (midnight, local time)."""
        if DAYS[day.weekday()] not in self.days:
            return None
        start, end = _at(day, self.start), _at(day, self.end)
        return start, end if end > start else _at(day + timedelta(days=1), self.end)


def _check_time(name: str, value: object) -> None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        midnight = f" (or {MIDNIGHT})" if name == "end" else ""
        raise PolicyError(name, value, f"it must be a time from 00:00 to 23:59{midnight}", 'write it as "08:00"')


def _at(day: datetime, clock: str) -> datetime:
    # Wall-clock arithmetic: on the days when the clocks change a window keeps its hours, not its length.
    return day + timedelta(hours=int(clock[:2]), minutes=int(clock[3:]))


def zone(name: str) -> tzinfo:
    """Return a time zone.

    Raises
    ------
    PolicyError
        When there is none of that name.
    """
    if name == "UTC":
        return UTC
    # Few policies need the module, and it takes time at every cold start.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        reason = "it must be the name of a time zone"
        raise PolicyError("timezone", name, reason, "write one such as Europe/Berlin, or UTC") from error


def opening(windows: Sequence[Window], timezone: str, now: float) -> float | None:
    """Return when the next window opens; None while one is open, or when there are none at all."""
    if not windows:
        return None
    local = datetime.fromtimestamp(now, zone(timezone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight + timedelta(days=offset) for offset in range(-1, _DAYS_AHEAD + 1)]
    spans = [span for day in days for window in windows if (span := window.span(day)) is not None]
    times = [(_epoch(start), _epoch(end)) for start, end in spans if _epoch(start) < _epoch(end)]
    if any(start <= now < end for start, end in times):
        return None
    return min(start for start, _ in times if start > now)


def _epoch(moment: datetime) -> float:
    # By way of UTC, which is right in the hours that the clocks skip or repeat.
    return moment.astimezone(UTC).timestamp()
