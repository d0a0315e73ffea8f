"""What many rehearsals of the same rollout come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist, median
from typing import Any

from tidegate.rehearsal.plans import Contender
from tidegate.rehearsal.recording import Recording
from tidegate.rehearsal.replay import End, Run, replay
from tidegate.rehearsal.traffic import AsLive, Traffic, Version

Track = Callable[[Iterable[Any], int, str], Iterator[Any]]
"""Shows how far something is while it is gone through: the things, how many, and what is done."""


def untracked(things: Iterable[Any], _count: int, _text: str) -> Iterator[Any]:
    """Go through things without showing it."""
    return iter(things)


@dataclass(frozen=True)
class Runs:
    """Rehearsals of one version."""

    each: tuple[Run, ...]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.each)

    def of(self, end: End) -> list[Run]:
        """Return those that ended so."""
        return [run for run in self.each if run.end is end]

    def share(self, end: End) -> float:
        """Return the share that ended so."""
        return len(self.of(end)) / self.count

    def typical_seconds(self, end: End) -> float | None:
        """Return the median time after which those ended that ended so."""
        return median([run.seconds for run in self.of(end)]) if self.of(end) else None

    @property
    def hurt(self) -> float:
        """The median of requests that were hurt."""
        return median(run.hurt for run in self.each)

    @property
    def taken(self) -> float:
        """The median of requests that the new version answered."""
        return median(run.new.requests for run in self.each)

    @property
    def shown(self) -> Run:
        """The run to show: the median one of those that ended as most did."""
        commonest = Counter(run.end for run in self.each).most_common(1)[0][0]
        alike = sorted(self.of(commonest), key=lambda run: run.seconds)
        return alike[len(alike) // 2]


@dataclass(frozen=True)
class Outcome:
    """What became of a contender: with the new version, if there is one, and with one as good as the live one."""

    contender: Contender
    new: Runs | None
    good: Runs


def rehearse(
    contenders: Sequence[Contender],
    recording: Recording,
    version: Version | None,
    runs: int,
    seed: int,
    track: Track = untracked,
) -> list[Outcome]:
    """Rehearse every contender, each against the same draws of chance."""
    start = recording.first_of_new
    work = [(contender, good) for contender in contenders for good in (False, True) if good or version is not None]
    done: dict[tuple[str, bool], list[Run]] = {}
    pairs = [(contender, good, run) for contender, good in work for run in range(runs)]
    for contender, good, run in track(pairs, len(pairs), "rehearsing"):
        chosen = AsLive(recording) if good or version is None else version
        rehearsed = replay(contender, Traffic(recording, chosen), start, Random(f"{seed}/{run}"))
        done.setdefault((contender.name, good), []).append(rehearsed)
    return [
        Outcome(
            contender,
            Runs(tuple(done[contender.name, False])) if version is not None else None,
            Runs(tuple(done[contender.name, True])),
        )
        for contender in contenders
    ]


def aa(
    contender: Contender, recording: Recording, runs: int, seed: int, longest: int, track: Track = untracked
) -> Runs:
    """Roll the live version out against itself: from moments at random, divided at random, at the plan's weights."""
    traffic = Traffic(recording, AsLive(recording))
    last_start = max(len(recording.periods) - longest, 0)
    found = []
    for run in track(range(runs), runs, "dividing the live version's traffic"):
        random = Random(f"{seed}/{run}")
        found.append(replay(contender, traffic, random.randint(0, last_start), random, longest))
    return Runs(tuple(found))


def upper_bound(hits: int, count: int, confidence: float = 0.95) -> float:
    """Return the share below which the true one lies with that confidence (Wilson's interval, one side)."""
    z = NormalDist().inv_cdf(confidence)
    share = hits / count
    middle = share + z * z / (2 * count)
    half = z * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    return min(float(middle + half) / (1 + z * z / count), 1.0)
