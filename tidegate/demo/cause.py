"""Why a version was rolled back: what the engine gave as its reason, held against what was seen before it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambdas import contract
from tidegate.demo.observations import Sighting
from tidegate.demo.opinions import ERRORS, LATENCY
from tidegate.demo.verdicts import Verdict

CLOCK_SECONDS = 1.0
"""An abort that names the alarm may be noted this much before it: the engine also looks at the alarm's parts."""

HARDLY_LUCK = 50
"""The version fails on warm days, about a fifth of all: so many are all answered with a chance of 1 in 70,000."""

JUDGED = re.compile(r"it is worse than .+: (?P<metric>\S+) [\d,]+/[\d,]+.*, evidence that it is worse ")
"""As the engine gives the judge's evidence as its reason."""

_COUNTED = re.compile(r"[\d,]+ of [\d,]+ requests failed at [\d.]+ %, more than")


def doubts(verdict: Verdict, endpoint: str) -> list[str]:
    """Return all that speaks against the version's own errors having taken it off the traffic."""
    return [*_before_the_end(verdict), *_reason(verdict, endpoint)]


def spared(verdict: Verdict) -> str:
    """Say that it failed no client, if so: it also fails what the judge puts to it, which its alarm counts as well."""
    return "" if any(request.failure for request in verdict.canary) else "before any client met a failure; "


def order(verdict: Verdict) -> str:
    """Say in words which came first, the alarm or the engine's abort."""
    if verdict.alarm_at is None or verdict.aborted_at is None:
        return ""
    later = verdict.aborted_at - verdict.alarm_at
    return f"the engine's abort came {abs(later):.2f} s {'before' if later < 0 else 'after'} the alarm"


def _before_the_end(verdict: Verdict) -> Iterator[str]:
    if verdict.alarm_at is None:
        yield "its alarm was never seen"
    if verdict.trigger_at is None:
        return
    yield from without_traffic(verdict, verdict.trigger_at)
    if len(verdict.canary) >= HARDLY_LUCK and spared(verdict):
        yield f"it failed none of the {len(verdict.canary)} requests that it answered"


def without_traffic(verdict: Verdict, moment: float) -> Iterator[str]:
    """Say what speaks against the version having had traffic up to the moment at which its fate was decided."""
    weights = _weights_before(verdict.sightings, verdict.slot, moment)
    if not any(weights):
        yield "no weight of it was seen before the alarm or the abort"
    elif not weights[-1]:
        yield "its weight was zero already before the alarm and the abort"
    if not any(request.done <= moment for request in verdict.canary):
        yield "it answered no request before that"


def _weights_before(sightings: tuple[Sighting, ...], slot: str, moment: float) -> list[float]:
    return [seen.weights.get(slot, 0.0) for seen in sightings if seen.at <= moment]


def _reason(verdict: Verdict, endpoint: str) -> Iterator[str]:
    if verdict.aborted_at is None:
        yield "the engine noted no abort"
    elif _names_alarm(verdict, endpoint):
        if verdict.alarm_at is not None and verdict.aborted_at < verdict.alarm_at - CLOCK_SECONDS:
            yield f"though {order(verdict)} that it names"
    elif not _COUNTED.match(verdict.abort_reason) and judged_by(verdict) not in (ERRORS, LATENCY):
        yield f"the engine's reason was neither its alarm nor its errors nor its latency: {verdict.abort_reason}"


def judged_by(verdict: Verdict) -> str:
    """Return the metric by which the judge had the version rolled back; empty when it was something else."""
    match = JUDGED.match(verdict.abort_reason)
    return match["metric"] if match else ""


def _names_alarm(verdict: Verdict, endpoint: str) -> bool:
    names = (contract.unhealthy_alarm, contract.error_rate_alarm, contract.latency_alarm)
    either = "|".join(re.escape(name(endpoint, verdict.slot)) for name in names)
    # As `Alarm.complaint` puts it; other reasons name alarms too, but not so ("alarm x does not exist").
    return re.search(rf"(^|\(|; )alarm ({either})(:|\)|\.? ?$)", verdict.abort_reason) is not None
