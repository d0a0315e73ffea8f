"""What an endpoint's versions answered, period by period, as a CSV file holds it: ``at,slot,requests,errors,slow``."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from tidegate.errors import UsageError

LIVE, NEW = "live", "new"
COLUMNS = ("at", "slot", "requests", "errors", "slow")
MAX_PERIODS = 100_000
DEFAULT_PERIOD = 60
_EXAMPLE = "2026-01-05T09:00:00Z,live,5702,55,57"
_FORM = f"write a header {','.join(COLUMNS)} and a line for each period and slot, such as {_EXAMPLE}"


@dataclass(frozen=True)
class Answered:
    """What a version answered: requests in all, those with 5xx, and those slower than the threshold."""

    requests: int = 0
    errors: int = 0
    slow: int = 0

    def __add__(self, other: Answered) -> Answered:
        """Add up."""
        return Answered(self.requests + other.requests, self.errors + other.errors, self.slow + other.slow)

    @property
    def bad(self) -> int:
        """Answers that were wrong or late."""
        return self.errors + self.slow


@dataclass(frozen=True)
class Period:
    """What both versions answered from `at` (epoch seconds) on."""

    at: float
    live: Answered
    new: Answered

    @property
    def requests(self) -> int:
        """Requests that the endpoint was given."""
        return self.live.requests + self.new.requests


@dataclass(frozen=True)
class Recording:
    """Periods of equal length that follow one another.

    Parameters
    ----------
    source
        Where it comes from, for people.
    period_seconds
        Length of a period.
    periods
        The periods; one without requests is there too, with zeros.
    has_slow
        Whether slow requests were counted.
    """

    source: str
    period_seconds: int
    periods: tuple[Period, ...]
    has_slow: bool

    @property
    def live(self) -> Answered:
        """What the live version answered in all."""
        return sum((period.live for period in self.periods), Answered())

    @property
    def new(self) -> Answered:
        """What the new version answered in all."""
        return sum((period.new for period in self.periods), Answered())

    @property
    def seconds(self) -> int:
        """How long it is."""
        return len(self.periods) * self.period_seconds

    @property
    def first_of_new(self) -> int:
        """Index of the first period in which the new version answered; 0 when it never did."""
        return next((index for index, period in enumerate(self.periods) if period.new.requests), 0)


def make(source: str, rows: Iterable[tuple[float, str, Answered]], *, has_slow: bool) -> Recording:
    """Return the recording of rows in any order; periods that no row names had no requests."""
    found: dict[float, dict[str, Answered]] = {}
    for at, slot, answered in rows:
        found.setdefault(at, {})[slot] = answered
    if not any(each.requests for slots in found.values() for slot, each in slots.items() if slot == LIVE):
        raise UsageError(f"{source}: slot: no line has requests of slot {LIVE}", "there is nothing to compare with")
    period = _period(source, sorted(found))
    first = min(found)
    count = round((max(found) - first) / period) + 1
    if count > MAX_PERIODS:
        raise UsageError(
            f"{source}: at: {count:,} periods of {period} s lie between the first and the last line",
            f"rehearse at most {MAX_PERIODS:,} of them: cut the file, or correct the times",
        )
    moments = (first + index * period for index in range(count))
    return Recording(source, period, tuple(_at(at, found.get(at, {})) for at in moments), has_slow)


def _at(at: float, slots: Mapping[str, Answered]) -> Period:
    return Period(at, slots.get(LIVE, Answered()), slots.get(NEW, Answered()))


def _period(source: str, moments: list[float]) -> int:
    steps = {after - before for before, after in pairwise(moments)}
    period = min(steps, default=DEFAULT_PERIOD)
    odd = next((step for step in steps if step % period), None)
    if odd is not None or period != int(period):
        raise UsageError(
            f"{source}: at: lines lie {period:g} s apart, and others {odd or period:g} s, which is no multiple of it",
            "give periods of one length, in whole seconds, such as CloudWatch's 60 s",
        )
    return int(period)


def read(path: Path) -> Recording:
    """Read a CSV file.

    Raises
    ------
    UsageError
        When it is not there, or a value is not what it may be; names the line and the column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "give the path of a CSV file in UTF-8") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    table = list(csv.reader(line for _, line in lines))
    numbers = [number for number, _ in lines]
    if not table or not set(COLUMNS[:-1]) <= (names := {name.strip() for name in table[0]}):
        missing = set(COLUMNS[:-1]) - (names if table else set())
        raise UsageError(f"{path}: columns are missing: {', '.join(sorted(missing))}", _FORM)
    rows = list(_rows(path, [name.strip() for name in table[0]], zip(numbers[1:], table[1:], strict=True)))
    if not rows:
        raise UsageError(f"{path} has no line below its header", _FORM)
    return make(str(path), rows, has_slow="slow" in table[0])


def _rows(
    path: Path, names: list[str], lines: Iterable[tuple[int, list[str]]]
) -> Iterator[tuple[float, str, Answered]]:
    seen: dict[tuple[float, str], int] = {}
    for number, cells in lines:
        where = f"{path}, line {number}"
        if len(cells) != len(names):
            raise UsageError(f"{where}: {len(cells)} values for {len(names)} columns", _FORM)
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        at, slot = _moment(where, row["at"]), row["slot"]
        if slot not in (LIVE, NEW):
            raise UsageError(f"{where}: slot: {slot!r} is not a slot", f"write {LIVE} or {NEW}")
        if (at, slot) in seen:
            raise UsageError(
                f"{where}: at: {row['at']} of slot {slot} is in line {seen[at, slot]} already", "remove one of the two"
            )
        seen[at, slot] = number
        yield at, slot, _answered(where, row)


def _answered(where: str, row: Mapping[str, str]) -> Answered:
    counts = {name: _count(where, name, row[name]) for name in COLUMNS[2:] if name in row}
    answered = Answered(**counts)
    for name, value in (("errors", answered.errors), ("slow", answered.slow)):
        if value > answered.requests:
            raise UsageError(
                f"{where}: {name}: {value} is more than its {answered.requests} requests", "correct one of the two"
            )
    return answered


def _count(where: str, name: str, text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # CloudWatch's exports write counts as 12.0.
    if not (value >= 0 and value == int(value) if math.isfinite(value) else False):
        raise UsageError(f"{where}: {name}: {text!r} is not a count", "write a whole number from 0")
    return int(value)


def _moment(where: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{where}: at: {text!r} is not a time", "write it as 2026-01-05T09:00:00Z, or in seconds since 1970"
        ) from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def write(recording: Recording, path: Path) -> None:
    """Write a CSV file that `read` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = COLUMNS if recording.has_slow else COLUMNS[:-1]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(names)
        for period in recording.periods:
            at = datetime.fromtimestamp(period.at, UTC).isoformat().replace("+00:00", "Z")
            for slot, each in ((LIVE, period.live), (NEW, period.new)):
                if each.requests or slot == LIVE:
                    table.writerow([at, slot, each.requests, each.errors, each.slow][: len(names)])
