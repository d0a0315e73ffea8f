"""Whether the judge reached what it must reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.judge.cases import Case, Wanted
from bench.judge.costs import Costs
from bench.judge.runs import Outcome

MOST_MILLISECONDS = 5.0
MOST_KILOBYTES = 30.0


@dataclass(frozen=True)
class Goal:
    """A goal and what came of it, in words."""

    where: str
    wanted: str
    got: str
    met: bool


def reached(cases: Sequence[Case], ours: Mapping[str, Outcome], costs: Costs) -> list[Goal]:
    """Return every goal of the cases that were simulated, and of what the judge costs."""
    found = [_goal(case.name, wanted, ours[case.name]) for case in cases if case.name in ours for wanted in case.wanted]
    return [*found, *_cheap(costs)]


def _goal(where: str, wanted: Wanted, outcome: Outcome) -> Goal:
    if wanted.kind == "minutes":
        return _minutes(where, wanted.bound, outcome)
    runs, word = len(outcome.minutes), wanted.kind.split(" at ")[0]
    share = sum(map(bool, outcome.minutes if word == "rolled back" else outcome.promoted)) / runs
    doubt = (share * (1 - share) / runs) ** 0.5
    got = f"{share:.2%} ± {doubt:.2%}"
    if wanted.kind.endswith("most"):
        return Goal(where, f"{word} <= {wanted.bound:.1%}", got, share <= wanted.bound)
    return Goal(where, f"{word} >= {wanted.bound:.0%}", got, share >= wanted.bound)


def _minutes(where: str, bound: float, outcome: Outcome) -> Goal:
    got = median(outcome.found) if outcome.found else None
    words = "never" if got is None else f"{got:.1f} min"
    return Goal(where, f"median <= {bound:g} min", words, got is not None and got <= bound)


def _cheap(costs: Costs) -> list[Goal]:
    return [
        Goal(
            "a look at one metric, 60 periods",
            f"<= {MOST_MILLISECONDS:g} ms",
            f"{costs.milliseconds:.2f} ms",
            costs.milliseconds <= MOST_MILLISECONDS,
        ),
        Goal(
            "the control loop's package",
            f"<= {MOST_KILOBYTES:g} kB more",
            f"{costs.kilobytes_zipped:.1f} kB ({costs.kilobytes:.1f} kB unpacked)",
            costs.kilobytes_zipped <= MOST_KILOBYTES,
        ),
    ]
