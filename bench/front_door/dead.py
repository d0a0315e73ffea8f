"""A model that hangs: what callers wait for while the breaker is closed, and once it is open."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.drift.goals import Goal, at_most
from bench.drift.measurement import Measurement
from bench.errors import BenchError
from bench.front_door.asking import Answer, Caller
from bench.front_door.functions import LiveFunction, children, until
from bench.front_door.place import Place
from bench.front_door.requests import of_values
from bench.rounds import Tell
from tidegate.demo.traffic import weather

TIMEOUT_SECONDS, FAILURES, OPEN_SECONDS = 2.0, 5, 5
COUNT = 60
BOUND = 0.1
RECOVERY_SECONDS = OPEN_SECONDS + 2.0
_SERVER = "serving serve"
_PAUSE_SECONDS = 0.1
_TIMEOUT, _UNAVAILABLE, _OK = 504, 503, 200


def measure(place: Place, tell: Tell) -> Measurement:
    """Stop the model's processes, ask, and let them go on."""
    function, caller = LiveFunction(place), Caller(place)
    provided = function.provided()
    # One worker, so that it is one breaker that is looked at: each has its own.
    function.withdraw()
    breaker = {"failures": FAILURES, "open_seconds": OPEN_SECONDS}
    function.move(function.publish(timeout_seconds=TIMEOUT_SECONDS, breaker=breaker))
    rows = [[float(cell) for cell in weather().rows[0].split(",")]]
    _need(caller.ask(rows), _OK)
    healthy = [_need(caller.ask(rows), _OK).ms for _ in range(COUNT)]
    with _hanging(place):
        tell("the model hangs, the breaker is closed")
        closed = [_need(caller.ask(rows), _TIMEOUT) for _ in range(FAILURES)]
        tell("the model hangs, the breaker is open")
        opened = _while_open(caller, rows)
    recovered = _recovered(caller, rows, tell)
    function.provide(provided)
    return _measurement(healthy, [each.ms for each in closed], opened, recovered)


def _while_open(caller: Caller, rows: Sequence[Sequence[float]]) -> list[Answer]:
    """Ask for as long as the breaker is open for certain."""
    until_closed = time.monotonic() + OPEN_SECONDS / 2
    found: list[Answer] = []
    while len(found) < COUNT and time.monotonic() < until_closed:
        found.append(_need(caller.ask(rows), _UNAVAILABLE))
    return found


@contextmanager
def _hanging(place: Place) -> Iterator[None]:
    found = _servers(place)
    if not found:
        raise BenchError("no process of the model's container was found; is this Linux?")
    for process in found:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in found:
            os.kill(process, signal.SIGCONT)


def _servers(place: Place) -> list[int]:
    """Return the ids of the container's process, and of those that it has started."""
    parents = children(place.running.pid, _SERVER)
    return [*parents, *(each for parent in parents for each in children(parent, ""))]


def _recovered(caller: Caller, rows: Sequence[Sequence[float]], tell: Tell) -> float:
    """Return how many seconds after the model went on a request is answered again."""
    tell("the model goes on")
    began = time.monotonic()
    until(lambda: _answers(caller, rows), "an answer of the model")
    return time.monotonic() - began


def _answers(caller: Caller, rows: Sequence[Sequence[float]]) -> bool:
    time.sleep(_PAUSE_SECONDS)
    return caller.ask(rows).status == _OK


def _need(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise BenchError(f"{status} was to be answered, and {answer.status} was: {answer.body[:300]!r}")
    return answer


def _measurement(
    healthy: Sequence[float], closed: Sequence[float], opened: Sequence[Answer], recovered: float
) -> Measurement:
    fast = [each.ms for each in opened]
    waited = of_values(closed)
    rows = [
        _row("the model answers", healthy, waited.p50),
        _row("it hangs, the breaker is closed (504)", closed, waited.p50),
        _row("it hangs, the breaker is open (503)", fast, waited.p50),
    ]
    told = sum(bool(each.retry_after) for each in opened)
    goals = [
        at_most("refusal by the open breaker, of a wait for the model", BOUND, [ms / waited.p50 for ms in fast]),
        Goal("refusals that say when to come again", "all", f"{told} of {len(opened)}", told == len(opened)),
        Goal(
            "answered again once the model is there",
            f"within {RECOVERY_SECONDS:g} s",
            f"{recovered:.1f} s",
            recovered <= RECOVERY_SECONDS,
            f"the breaker stays open for {OPEN_SECONDS} s, then one request tries",
        ),
    ]
    note = (
        f"One worker; the breaker opens after {FAILURES} failures in a row for {OPEN_SECONDS} s. The front door waits "
        f"{TIMEOUT_SECONDS:g} s for the model here, where 10 s is what it waits by default: with that, an open breaker "
        "spares five times as much."
    )
    return Measurement("A model that hangs", ["state", "p50, ms", "p99, ms", "times the wait"], rows, goals, [note])


def _row(name: str, values: Sequence[float], waited: float) -> list[str]:
    each = of_values(values)
    return [name, f"{each.p50:.1f}", f"{each.p99:.1f}", f"{each.p50 / waited:.3f}"]
