"""A thousand endpoints that roll out at once: what they ask of AWS a minute, against a declared budget."""

import time
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from bench.crowd.budget import Budget, Limit
from bench.crowd.world import Crowd, EventSource, Plan, percentile
from bench.rounds import Tell

PLAN = Plan()


@dataclass(frozen=True)
class Line:
    """How much of something was used.

    Parameters
    ----------
    what
        An API's operation, a capacity, or a time.
    minute, busiest_minute, busiest_second
        How much, on average and at most.
    refused
        How much of it AWS would have refused.
    limit
        Its line of the budget, if it has one.
    """

    what: str
    minute: float
    busiest_minute: float
    busiest_second: float
    refused: int
    limit: Limit | None

    @property
    def share(self) -> float | None:
        """How much of the limit the busiest minute took; a quota refills each second, so that bursts are refused."""
        if self.limit is None or self.limit.per_second is None:
            return None
        return self.busiest_minute / 60 / self.limit.per_second

    @property
    def over(self) -> bool:
        """Whether it does not fit into the budget."""
        return self.share is not None and self.share > 1


@dataclass(frozen=True)
class Findings:
    """What the crowd did."""

    plan: Plan
    lines: tuple[Line, ...]
    bounds: tuple[tuple[str, float, float | None], ...]
    times: dict[str, float]

    @property
    def over(self) -> list[str]:
        """What does not fit into the budget."""
        found = [line.what for line in self.lines if line.over]
        return found + [what for what, value, limit in self.bounds if limit is not None and value > limit]

    def table(self) -> Table:
        """Return what to print."""
        title = f"{self.plan.endpoints:,} endpoints roll out at once, {self.plan.minutes} minutes of virtual time"
        table = Table(title=title, title_justify="left")
        for heading in ("", "a minute", "most a minute", "most a second", "limit a second", "used", "refused", "by"):
            table.add_column(heading, justify="left" if heading in ("", "by") else "right", no_wrap=heading == "")
        for line in self.lines:
            table.add_row(*_cells(line))
        table.add_section()
        for what, value, limit in self.bounds:
            table.add_row(what, f"{value:,.1f}", *[""] * 2, f"{limit:,.0f} in all" if limit else "")
        for what, value in self.times.items():
            table.add_row(what, f"{value:,.2f}")
        return table

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "endpoints": self.plan.endpoints,
            "minutes": self.plan.minutes,
            "lines": [
                {
                    "what": line.what,
                    "minute": line.minute,
                    "busiest_minute": line.busiest_minute,
                    "busiest_second": line.busiest_second,
                    "refused": line.refused,
                    "limit_per_second": line.limit and line.limit.per_second,
                    "source": line.limit and line.limit.source,
                }
                for line in self.lines
            ],
            "bounds": {what: {"value": value, "limit": limit} for what, value, limit in self.bounds},
            "times": self.times,
            "over": self.over,
        }


def measure(tell: Tell, plan: Plan = PLAN, source: EventSource | None = None) -> Findings:
    """Let the crowd roll out, and hold what it used against the budget."""
    budget = Budget.load()
    tell(f"{plan.endpoints:,} endpoints in virtual time")
    began, crowd = time.monotonic(), Crowd(plan, budget, source)
    crowd.run()
    tell(f"{plan.endpoints:,} endpoints took {time.monotonic() - began:.0f} s")
    return _findings(crowd, budget)


def _findings(crowd: Crowd, budget: Budget) -> Findings:
    limits = budget.limits
    off = list(crowd.taken_off.values())
    bounds = {
        "lambda concurrent executions": float(crowd.react.most + crowd.tick.most),
        "worst gap between two looks, seconds": max(crowd.gaps, default=0.0),
    }
    times = {
        "wake-up lag, p50, seconds": percentile(crowd.lags, 0.5),
        "wake-up lag, p99, seconds": percentile(crowd.lags, 0.99),
        "wake-up lag, worst, seconds": max(crowd.lags, default=0.0),
        "longest sweep, seconds": max(crowd.sweeps, default=0.0),
        "alarms at once": float(sum(endpoint.bad_at < float("inf") for endpoint in crowd.endpoints.values())),
        "canaries taken off": float(len(off)),
        "alarm to weight call, p50, seconds": percentile(off, 0.5),
        "alarm to weight call, p99, seconds": percentile(off, 0.99),
        "alarm to weight call, worst, seconds": max(off, default=0.0),
    }
    return Findings(
        crowd.plan,
        tuple(_line(crowd, what, limits.get(what)) for what in sorted(crowd.meter.counts)),
        tuple((what, value, limits[what].at_once) for what, value in bounds.items()),
        times,
    )


def _line(crowd: Crowd, what: str, limit: Limit | None) -> Line:
    seconds = crowd.meter.counts[what]
    minutes: dict[int, float] = {}
    for second, count in seconds.items():
        minutes[second // 60] = minutes.get(second // 60, 0) + count
    return Line(
        what,
        sum(seconds.values()) / crowd.plan.minutes,
        max(minutes.values()),
        max(seconds.values()),
        crowd.meter.refused[what],
        limit,
    )


def _cells(line: Line) -> list[str]:
    numbers = [f"{value:,.0f}" for value in (line.minute, line.busiest_minute, line.busiest_second)]
    limit = f"{line.limit.per_second:,.0f}" if line.limit and line.limit.per_second else ""
    share = "" if line.share is None else f"{line.share:.0%}{' !' if line.over else ''}"
    source = "" if line.limit is None else line.limit.source.split(":")[0]
    by = "AWS" if source.startswith("http") else source
    return [line.what, *numbers, limit, share, f"{line.refused:,}" if line.refused else "", by]
