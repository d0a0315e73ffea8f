"""What is simulated, and what the judge must reach in it."""

from dataclasses import dataclass
from typing import Literal

from bench.judge.traffic import Outage, Traffic

Kind = Literal["rolled back at most", "rolled back at least", "minutes", "promoted at least", "promoted at most"]


@dataclass(frozen=True)
class Wanted:
    """A goal: a share of the runs, or the median of minutes until a version is rolled back."""

    kind: Kind
    bound: float


@dataclass(frozen=True)
class Case:
    """Something that happens to a service.

    Parameters
    ----------
    name
        What, in a few words.
    traffic
        What is simulated.
    wanted
        What the judge must reach.
    bad
        Whether the new version is to be rolled back.
    """

    name: str
    traffic: Traffic
    wanted: tuple[Wanted, ...] = ()
    bad: bool = False

    @property
    def begins(self) -> int:
        """The minute in which it happens: what was rolled back before is not of this case."""
        return self.traffic.outage.minute if self.traffic.outage else 0


def _false(bound: float) -> tuple[Wanted, ...]:
    return (Wanted("rolled back at most", bound),)


_ALL = Wanted("rolled back at least", 1.0)
_SIX_MINUTES = Wanted("minutes", 6)
_RAMP = (0.05, 0.25, 0.50)

CASES = (
    Case("as good, 1 % errors", Traffic(), (*_false(0.015), Wanted("promoted at least", 0.95))),
    Case("as good, weights 5/25/50 %, errors rise 1 to 3 %", Traffic(weights=_RAMP, rising=3), _false(0.02)),
    Case("as good, noise CV 0.3", Traffic(noise=0.3), _false(0.03)),
    Case("as good, noise CV 1", Traffic(noise=1), _false(0.06)),
    Case("as good, noise CV 0.3, looks each 10 s", Traffic(noise=0.3, looks_a_minute=6), _false(0.03)),
    Case("as good, noise CV 1, looks each 10 s", Traffic(noise=1, looks_a_minute=6), _false(0.06)),
    Case(
        "as good, errors and latency",
        Traffic(metrics=("errors", "latency")),
        (*_false(0.03), Wanted("promoted at least", 0.95)),
    ),
    Case("as good, for 4 hours", Traffic(minutes=240), _false(0.03)),
    Case("errors 1 to 2 %", Traffic(ratio=2), (_SIX_MINUTES, _ALL), bad=True),
    Case("errors 1 to 2 %, noise CV 0.3", Traffic(ratio=2, noise=0.3), (_ALL,), bad=True),
    Case("errors 1 to 2 %, looks each 10 s", Traffic(ratio=2, looks_a_minute=6), (_SIX_MINUTES, _ALL), bad=True),
    Case("p99 x 1.2", Traffic(ratio=1.2, metrics=("latency",)), (_SIX_MINUTES, _ALL), bad=True),
    Case("half fails, minutes 20 to 26", Traffic(outage=Outage(20, 6, 0.5)), (_ALL,), bad=True),
    Case(
        "good for 3 hours, then 5 times the errors",
        Traffic(minutes=240, outage=Outage(180, 60, 0.05)),
        (Wanted("minutes", 12), _ALL),
        bad=True,
    ),
    Case("sparse: 10 req/s, 0.01 to 1 %", Traffic(per_second=10, live=1e-4, ratio=100), (_ALL,), bad=True),
    Case("1.5 times as bad is not let through", Traffic(ratio=1.5), (Wanted("promoted at most", 0.05),), bad=True),
)
