"""Recorded traffic at other weights than it was recorded at.

The number of requests in a period is the recorded one, and a version gets its weight's share of it. Which of them are
bad is drawn from the version's own recorded requests, without putting back; where the period holds too few of them, the
nearest periods are taken as well, so a version that was recorded at 5 % and is rehearsed at 50 % is blurred over some
ten periods. Where the whole recording holds too few, its share of bad ones is what each request is drawn with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from tidegate.rehearsal.chance import binomial, taken
from tidegate.rehearsal.recording import Answered, Period, Recording

FULL = 100.0


class Version(Protocol):
    """A new version in the rehearsal: divides a period's requests, and says what both answered."""

    def answer(self, random: Random, index: int, new: int, live: int) -> tuple[Answered, Answered]:
        """Return what the new and the live version answered to as many requests in period `index`."""


@dataclass(frozen=True)
class Pool:
    """Recorded requests of one version, to be drawn from."""

    periods: Sequence[Answered]

    def draw(self, random: Random, index: int, count: int) -> Answered:
        """Return `count` of the requests that were recorded in or near period `index`."""
        near = self._near(index, count)
        if near.requests >= count:
            return Answered(
                count,
                taken(random, near.requests, near.errors, count),
                taken(random, near.requests, near.slow, count),
            )
        errors, slow = near.errors / near.requests, near.slow / near.requests
        return Answered(count, binomial(random, count, errors), binomial(random, count, slow))

    def _near(self, index: int, count: int) -> Answered:
        found = self.periods[index]
        for distance in range(1, len(self.periods)):
            # What was recorded of nothing says nothing: then anything is better.
            if found.requests >= max(count, 1):
                break
            for other in (index - distance, index + distance):
                if 0 <= other < len(self.periods):
                    found += self.periods[other]
        return found


class AsRecorded:
    """The new version that was recorded."""

    def __init__(self, recording: Recording) -> None:
        self._new = Pool([period.new for period in recording.periods])
        self._live = Pool([period.live for period in recording.periods])

    def answer(self, random: Random, index: int, new: int, live: int) -> tuple[Answered, Answered]:
        """Draw each version's from its own."""
        return self._new.draw(random, index, new), self._live.draw(random, index, live)


class AsLive:
    """A version that is as good as the live one: the live one's own requests, divided at random."""

    def __init__(self, recording: Recording) -> None:
        self._live = Pool([period.live for period in recording.periods])

    def answer(self, random: Random, index: int, new: int, live: int) -> tuple[Answered, Answered]:
        """Divide what the live version answered."""
        whole = self._live.draw(random, index, new + live)
        errors = taken(random, whole.requests, whole.errors, new)
        slow = taken(random, whole.requests, whole.slow, new)
        return Answered(new, errors, slow), Answered(live, whole.errors - errors, whole.slow - slow)


class AsStated:
    """A version of which is said how often it fails or is slow; what is not said is as of the live one."""

    def __init__(self, recording: Recording, errors: float | None, slow: float | None) -> None:
        self._good = AsLive(recording)
        self._errors, self._slow = errors, slow

    def answer(self, random: Random, index: int, new: int, live: int) -> tuple[Answered, Answered]:
        """Draw the new version's by the shares that are said."""
        good, rest = self._good.answer(random, index, new, live)
        errors = good.errors if self._errors is None else binomial(random, new, self._errors)
        slow = good.slow if self._slow is None else binomial(random, new, self._slow)
        return Answered(new, errors, slow), rest


@dataclass(frozen=True)
class Traffic:
    """A recording's traffic with a new version in it."""

    recording: Recording
    version: Version

    def at(self, random: Random, index: int, weight: float) -> Period:
        """Return what both versions answer in period `index` when the new one has `weight` per cent."""
        recorded = self.recording.periods[index]
        new = round(recorded.requests * weight / FULL)
        answered, rest = self.version.answer(random, index, new, recorded.requests - new)
        return Period(recorded.at, rest, answered)
