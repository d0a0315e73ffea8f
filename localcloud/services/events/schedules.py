"""Rules that fire by the clock: rate() and cron() expressions."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from localcloud.clock import Clock, Timer
from localcloud.errors import AwsError, NotSimulatedError
from localcloud.services.events.bus import EventBus
from localcloud.services.events.envelope import new_event

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_SEARCH_DAYS = 366 * 5

Next = Callable[[float], float]
"""Returns the next time after a given one, both in epoch seconds."""


def parse_schedule(expression: str, zone: tzinfo = UTC) -> Next:
    """Return when a schedule fires next; raise `AwsError` for an expression that EventBridge refuses."""
    rate = _RATE.fullmatch(expression)
    if rate is not None and int(rate[1]) > 0:
        seconds = int(rate[1]) * _UNIT_SECONDS[rate[2]]
        return lambda after: after + seconds
    cron = _CRON.fullmatch(expression)
    if cron is not None and len(cron[1].split()) == 6:
        return _Cron(cron[1].split(), zone).next
    raise AwsError("ValidationException", f"Parameter ScheduleExpression is not valid: {expression}")


class _Cron:
    """Minutes, hours, day of month, month, day of week, year; in one time zone."""

    def __init__(self, fields: list[str], zone: tzinfo) -> None:
        self._zone = zone
        minutes, hours, days, months, weekdays, years = fields
        self._minutes = _values(minutes, 0, 59)
        self._hours = _values(hours, 0, 23)
        self._days = None if days == "?" else _values(days, 1, 31)
        self._months = _values(_named(months, _MONTHS, 1), 1, 12)
        self._weekdays = None if weekdays == "?" else _values(_named(weekdays, _WEEKDAYS, 1), 1, 7)
        self._years = _values(years, 1970, 2199)

    def next(self, after: float) -> float:
        """Return the first minute after `after` that fits."""
        moment = datetime.fromtimestamp(after, self._zone).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for _ in range(_SEARCH_DAYS):
            if self._fits_day(moment):
                found = self._time_of_day(moment)
                if found is not None:
                    return found.timestamp()
            moment = (moment + timedelta(days=1)).replace(hour=0, minute=0)
        raise AwsError("ValidationException", "Parameter ScheduleExpression is not valid: it never fires")

    def _fits_day(self, moment: datetime) -> bool:
        # EventBridge counts weekdays from Sunday, 1.
        weekday = moment.isoweekday() % 7 + 1
        return (
            moment.year in self._years
            and moment.month in self._months
            and (self._days is None or moment.day in self._days)
            and (self._weekdays is None or weekday in self._weekdays)
        )

    def _time_of_day(self, start: datetime) -> datetime | None:
        for hour in sorted(h for h in self._hours if h >= start.hour):
            earliest = start.minute if hour == start.hour else 0
            minutes = [m for m in self._minutes if m >= earliest]
            if minutes:
                return start.replace(hour=hour, minute=min(minutes))
        return None


def _named(field: str, names: list[str], first: int) -> str:
    for number, name in enumerate(names, first):
        field = re.sub(rf"\b{name}\b", str(number), field, flags=re.IGNORECASE)
    return field


def _values(field: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if not re.fullmatch(r"\*|\d+(-\d+)?", span) or (step and not step.isdigit()):
            raise NotSimulatedError(f"cron field {field!r}")
        start, _, end = span.partition("-")
        first = low if span == "*" else int(start)
        last = high if span == "*" or (step and not end) else int(end or start)
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


class Schedules:
    """Keeps a timer for every enabled rule that has a schedule.

    Parameters
    ----------
    clock
        Tells the time.
    bus
        Keeps the rules and delivers to their targets.
    account, region
        Whose rules they are.
    """

    def __init__(self, clock: Clock, bus: EventBus, account: str, region: str) -> None:
        self._clock = clock
        self._bus = bus
        self._account = account
        self._region = region
        self._lock = threading.Lock()
        self._timers: dict[str, tuple[str, Timer]] = {}

    def refresh(self) -> None:
        """Make the timers what the rules say: called after every change of a rule."""
        wanted = {r.arn: r for r in self._bus.rules() if r.scheduled_expression and r.state == "ENABLED"}
        with self._lock:
            for arn in [a for a in self._timers if a not in wanted]:
                self._timers.pop(arn)[1].cancel()
            for arn, rule in wanted.items():
                current = self._timers.get(arn)
                if current is not None and current[0] == rule.scheduled_expression:
                    continue
                if current is not None:
                    current[1].cancel()
                self._arm(arn, rule.scheduled_expression)

    def close(self) -> None:
        """Cancel all timers."""
        with self._lock:
            for _, timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    def _arm(self, arn: str, expression: str) -> None:
        now = self._clock.now()
        delay = parse_schedule(expression)(now) - now
        self._timers[arn] = (expression, self._clock.call_later(delay, lambda: self._fire(arn, expression)))

    def _fire(self, arn: str, expression: str) -> None:
        rule = next((r for r in self._bus.rules() if r.arn == arn), None)
        with self._lock:
            current = self._timers.get(arn)
            if rule is None or current is None or current[0] != expression:
                return
            self._arm(arn, expression)
        event = new_event(self._account, self._region, "aws.events", "Scheduled Event", {}, [arn], self._clock.now())
        self._bus.fire(rule, event)
