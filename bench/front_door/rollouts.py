"""Steady load through the front door while one version is promoted and another rolled back."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.drift.goals import Goal
from bench.drift.measurement import Measurement
from bench.errors import BenchError
from bench.front_door import requests
from bench.front_door.functions import SPILLED, THROTTLED, LiveFunction
from bench.front_door.place import Place
from bench.front_door.requests import Phase, latency, unexplained
from bench.rounds import Tell
from tidegate import registry, rollouts
from tidegate.demo.asking import Ask
from tidegate.demo.models import BAD, GOOD
from tidegate.demo.observations import Request
from tidegate.demo.openloop import Pace, WallPace
from tidegate.demo.traffic import Sender, Traffic, weather
from tidegate.demo.verdicts import epoch
from tidegate.rollouts import AuditEntry, Rollout

RATE, DIRECT_RATE = 50.0, 5.0
SHORTEST_SECONDS = 180.0
CALM_SECONDS, QUICK_CALM_SECONDS = 10.0, 4.0
ANSWERED = 0.995
LATE_MILLISECONDS = 5.0
_LOOK_SECONDS = 1.0
_LONGEST_SECONDS = 300.0
_PROMOTED, _ROLLED_BACK = "PROMOTED", "ROLLED_BACK"
_WEIGHT = "weight"


@dataclass
class Run:
    """What was seen.

    Parameters
    ----------
    through, direct
        Requests through the front door, and past it.
    handed_out
        How many there were of both; none may be missing.
    spilled, throttled
        How many invocations met no worker that was ready, and how many were refused.
    """

    began: float
    through: list[Request] = field(default_factory=list)
    direct: list[Request] = field(default_factory=list)
    handed_out: int = 0
    ended: float = 0.0
    good: Rollout | None = None
    bad: Rollout | None = None
    audit: list[AuditEntry] = field(default_factory=list)
    spilled: float = 0.0
    throttled: float = 0.0


def measure(place: Place, quick: bool, tell: Tell) -> Measurement:
    """Let it happen under load, and count."""
    run = _watched(place, quick, tell)
    if run.handed_out != len(run.through) + len(run.direct):
        raise BenchError(f"{run.handed_out} requests were handed out, and {len(run.through) + len(run.direct)} ended")
    return measured(run)


def _watched(place: Place, quick: bool, tell: Tell) -> Run:
    pace = WallPace()
    run = Run(pace.now())
    calm = QUICK_CALM_SECONDS if quick else CALM_SECONDS
    with ExitStack() as stack:
        streams = [
            stack.enter_context(_traffic(place.through_the_door(), run.through, pace, RATE)),
            stack.enter_context(_traffic(place.direct(), run.direct, pace, DIRECT_RATE)),
        ]
        _calm(calm, "load on the first version", tell)
        run.good = _roll_out(place, GOOD, tell)
        _calm(calm, f"load on {GOOD}", tell)
        run.bad = _roll_out(place, BAD, tell)
        _calm(max(calm, 0 if quick else run.began + SHORTEST_SECONDS - pace.now()), "load after the rollback", tell)
    run.ended = streams[0].ended
    run.handed_out = sum(each.handed_out for each in streams)
    run.audit = rollouts.audit(place.aws, place.endpoint)
    function = LiveFunction(place)
    run.spilled, run.throttled = function.counted(SPILLED, run.began), function.counted(THROTTLED, run.began)
    return run


def _traffic(ask: Ask, into: list[Request], pace: Pace, rate: float) -> Traffic:
    return Traffic(Sender(ask, weather(), into.append, pace), pace, rate)


def _calm(seconds: float, what: str, tell: Tell) -> None:
    tell(f"{RATE:g} requests a second: {what}")
    time.sleep(seconds)


def _roll_out(place: Place, version: str, tell: Tell) -> Rollout:
    model, card = place.models.artefact(version), place.models.card(version)
    done = registry.register(place.aws, place.endpoint, model=model, version=version, card=card)
    registry.decide(place.aws, done.package, "Approved", "approved by the benchmark")
    until = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < until:
        now = next((each for each in rollouts.summaries(place.aws, place.endpoint) if each.version == version), None)
        if now is not None and now.ended:
            return now
        tell(f"{RATE:g} requests a second: rollout of {version}, {now.phase.lower() if now else 'about to start'}")
        time.sleep(_LOOK_SECONDS)
    raise BenchError(f"the rollout of {version} did not end within {_LONGEST_SECONDS:g} s; its audit trail says why")


def phases_of(run: Run) -> list[Phase]:
    """Return what went on, from the engine's own audit trail."""
    marks = [(run.began, "the first version alone")]
    for rollout in _both(run):
        marks.append((epoch(rollout.started_at), f"{rollout.version} is started"))
        marks += [(at, f"{rollout.version} has {weight:g} %") for at, weight in _weights(run, rollout) if weight > 0]
        after = f"{rollout.version} alone" if rollout.outcome == _PROMOTED else f"{rollout.version} has gone"
        marks.append((epoch(rollout.ended_at), after))
    return requests.phases(marks, run.ended)


def _both(run: Run) -> list[Rollout]:
    if run.good is None or run.bad is None:
        raise BenchError("a rollout is missing; its audit trail says why")
    return [run.good, run.bad]


def _weights(run: Run, rollout: Rollout) -> list[tuple[float, float]]:
    mine = [each for each in run.audit if (each.rollout, each.kind) == (rollout.id, _WEIGHT)]
    return [(epoch(each.at), float(each.numbers[_WEIGHT])) for each in mine]


def _in_traffic(run: Run) -> list[Phase]:
    """Return when the bad version may have had requests: from its start on, until it had gone."""
    bad = _both(run)[1]
    return [Phase(BAD, epoch(bad.started_at), epoch(bad.ended_at))]


def measured(run: Run) -> Measurement:
    """Return what a run comes to."""
    everything = Phase("all", run.began, run.ended + 1)
    unclear = unexplained([*run.through, *run.direct], _in_traffic(run))
    head = ["phase", "s", "requests", "answered", "of the model", "others", "through", "direct", "added"]
    return Measurement(
        f"{RATE:g} requests a second through the front door, {DIRECT_RATE:g} past it, while versions change",
        head,
        [_row(each, run) for each in (*phases_of(run), everything)],
        _goals(run, unclear),
        _notes(run, unclear),
    )


def _row(phase: Phase, run: Run) -> list[str]:
    through, direct = phase.of(run.through), phase.of(run.direct)
    failed = [each for each in through if each.failure]
    own = sum(requests.of_the_model(each) for each in failed)
    beginning = [phase.name, f"{phase.seconds:.0f}", f"{len(through):,}", f"{requests.answered(through):.3%}"]
    if not through or not direct:
        return [*beginning, str(own), str(len(failed) - own), "-", "-", "-"]
    ours, past = latency(through), latency(direct)
    added = f"{ours.p50 - past.p50:.1f} / {ours.p99 - past.p99:.1f}"
    return [*beginning, str(own), str(len(failed) - own), str(ours), str(past), added]


def _goals(run: Run, unclear: Sequence[Request]) -> list[Goal]:
    share = requests.answered(run.through)
    every = f"{len(unclear)} in {len(run.through) + len(run.direct):,} requests"
    outcomes = [each.outcome for each in _both(run)]
    said = ", ".join(f"{each.version} {each.outcome.lower().replace('_', ' ')}" for each in _both(run))
    wanted = [_PROMOTED, _ROLLED_BACK]
    why = "; ".join(requests.listed(unclear))
    bound = f"at least {ANSWERED:.1%}"
    return [
        Goal("the good version is promoted, the bad one rolled back", "both", said, outcomes == wanted),
        Goal("failures that no model produced, while versions change", "none", every, not unclear, why),
        Goal("requests answered, the bad version's failures counted", bound, f"{share:.3%}", share >= ANSWERED),
    ]


def _notes(run: Run, unclear: Sequence[Request]) -> list[str]:
    late = [(each.sent - each.due) * 1000 for each in (*run.through, *run.direct)]
    tail = requests.of_values(late)
    behind = sum(each > LATE_MILLISECONDS for each in late) / len(late)
    notes = [
        "Latencies are p50 / p99 in milliseconds, counted from the instant when a request was due; `added` is what the "
        "one is longer than the other. A failure is the model's where its container answered 500 while the bad version "
        "was there; `others` are all the rest.",
        f"The load generator itself, in the same process as both streams, was late by {tail.p50:.1f} ms at the median "
        f"and {tail.p99:.1f} ms at p99; {behind:.1%} of its requests left more than {LATE_MILLISECONDS:g} ms late, "
        "which is in the latencies of both ways.",
        f"{run.spilled:.0f} requests ({run.spilled / len(run.through):.1%}) met no worker that was ready, because all "
        f"were busy, and went to one on demand, which may have had to start; Lambda refused {run.throttled:.0f} for "
        "want of a worker.",
    ]
    return notes + [f"Not produced by a model: {line}" for line in requests.listed(unclear)]
