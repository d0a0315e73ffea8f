"""Runs of a case, and when each method rolls the new version back."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from bench.judge import kayenta, peers, product
from bench.judge.cases import Case
from bench.judge.traffic import Counts, Metric, draw

JUDGE, CHI_SQUARE, MANN_WHITNEY = "the judge", "chi-square, peeked", "Mann-Whitney, peeked"
KAYENTA, KAYENTA_ONCE, ALARM = "Kayenta, each minute", "Kayenta, after an hour", "fixed alarm"
METHODS = (JUDGE, CHI_SQUARE, MANN_WHITNEY, KAYENTA, KAYENTA_ONCE, ALARM)

CHUNK = 50
"""Runs that are simulated together. Each chunk has a seed of its own, whoever computes it."""

_LEAST_MINUTES = 2
"""Kayenta asks for no fewest values; of one there is no interval."""


@dataclass(frozen=True)
class Outcome:
    """What a method did with all runs of a case.

    Parameters
    ----------
    minutes
        After how many minutes each run was rolled back; 0 is never.
    promoted
        After how many minutes it was promoted, had it not been rolled back before; 0 is never, as for every method
        that cannot tell that a version is good.
    """

    minutes: tuple[float, ...]
    promoted: tuple[float, ...]

    @property
    def found(self) -> list[float]:
        """When it was rolled back, in the runs in which it was."""
        return sorted(each for each in self.minutes if each)

    @property
    def share(self) -> float:
        """In how many of the runs it was."""
        return len(self.found) / len(self.minutes)

    def since(self, minute: float) -> Outcome:
        """Return what happened after a minute, counted from it, to the runs that had not been rolled back by then."""
        left = [each for each in zip(self.minutes, self.promoted, strict=True) if not 0 < each[0] <= minute]
        return Outcome(tuple(max(back - minute, 0) for back, _ in left), tuple(promoted for _, promoted in left))

    def __add__(self, other: Outcome) -> Outcome:
        """Return what was done with the runs of both."""
        return Outcome(self.minutes + other.minutes, self.promoted + other.promoted)


def simulate(
    cases: Sequence[Case], runs: int, processes: int, tell: Callable[[str], None]
) -> dict[str, dict[str, Outcome]]:
    """Return what each method did in each case, by the names of both."""
    tasks = [(case, chunk, min(CHUNK, runs - chunk)) for case in cases for chunk in range(0, runs, CHUNK)]
    done: dict[tuple[str, int], Mapping[str, Outcome]] = {}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(play, *task): task for task in tasks}
        for future in as_completed(waiting):
            case, chunk, _ = waiting[future]
            done[case.name, chunk] = future.result()
            tell(f"{len(done) / len(tasks):4.0%}  {case.name}")
    parts = {case.name: [done[case.name, chunk] for chunk in range(0, runs, CHUNK)] for case in cases}
    return {
        case.name: {method: _joined(method, parts[case.name]).since(case.begins) for method in METHODS}
        for case in cases
    }


def _joined(method: str, parts: Sequence[Mapping[str, Outcome]]) -> Outcome:
    whole = parts[0][method]
    for part in parts[1:]:
        whole += part[method]
    return whole


def play(case: Case, chunk: int, runs: int) -> Mapping[str, Outcome]:
    """Return what each method did in some runs of a case."""
    random = np.random.default_rng([zlib.crc32(case.name.encode()), chunk])
    drawn = draw(case.traffic, runs, random)
    often = case.traffic.looks_a_minute
    minutes = {metric: counts.by_minute(often) for metric, counts in drawn.items()}
    return {
        JUDGE: _judged(case, drawn),
        CHI_SQUARE: _any([peers.chi_square(counts) for counts in drawn.values()], often),
        MANN_WHITNEY: _any([peers.mann_whitney(counts) for counts in minutes.values()]),
        ALARM: _any([peers.alarm(counts, metric) for metric, counts in drawn.items()], often),
        **_kayenta(list(minutes.values())),
    }


def _judged(case: Case, drawn: Mapping[Metric, Counts]) -> Outcome:
    often = case.traffic.looks_a_minute
    both = [product.play(drawn, run, case.traffic) for run in range(len(next(iter(drawn.values())).new))]
    back = tuple(each.rolled_back / often for each in both)
    promoted = tuple(each.promoted / often for each in both)
    return Outcome(back, promoted)


def _any(fired: Sequence[NDArray[np.bool_]], often: int = 1) -> Outcome:
    return _never_promoting((peers.first(np.logical_or.reduce(fired)) / often).tolist())


def _never_promoting(minutes: Sequence[float]) -> Outcome:
    return Outcome(tuple(minutes), (0.0,) * len(minutes))


def _kayenta(by_metric: Sequence[Counts]) -> dict[str, Outcome]:
    each = [[_kayenta_fails(counts, run) for counts in by_metric] for run in range(len(by_metric[0].new))]
    peeked = [float(min(filter(None, (first for first, _ in run)), default=0)) for run in each]
    last = by_metric[0].new.shape[1]
    once = [float(last if any(at_last for _, at_last in run) else 0) for run in each]
    return {KAYENTA: _never_promoting(peeked), KAYENTA_ONCE: _never_promoting(once)}


def _kayenta_fails(counts: Counts, run: int) -> tuple[int, bool]:
    """Return the first minute at which the rule fails a run when asked each minute, and whether it does in the last."""
    new = peers.percent(counts.new_bad[run], counts.new[run])
    live = peers.percent(counts.live_bad[run], counts.live[run])
    last = len(new)
    asked = (minute for minute in range(_LEAST_MINUTES, last + 1) if kayenta.is_high(new[:minute], live[:minute]))
    return next(asked, 0), kayenta.is_high(new, live)
