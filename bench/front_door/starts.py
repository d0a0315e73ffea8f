"""Cold and warm starts side by side, through the API: API Gateway, the alias, the runtime's own bootstrap."""

import time
from collections.abc import Callable
from statistics import median

from bench.comparison import Comparison
from bench.drift.goals import Goal, at_most
from bench.drift.measurement import Measurement
from bench.front_door import cold_start, requests
from bench.front_door.clients import Clients
from bench.front_door.functions import SPILLED, LiveFunction, until
from bench.front_door.place import Place
from bench.front_door.turns import answered
from bench.rounds import Tell, seconds_of
from tidegate.demo.observations import Request
from tidegate.demo.traffic import weather

ROUNDS, QUICK_ROUNDS = 10, 3
MOVES, QUICK_MOVES = 3, 1
CLIENTS = 2
"""Fewer than there are workers, so that one that is not ready is missing because of the move alone."""

FIRST_BOUND = 0.25
"""Of a cold start: what is prepared ahead must spare most of it."""

_WARM = 10
_SETTLED_SECONDS = 1.5

Send = Callable[[], float]
"""Sends one request; returns the milliseconds to its answer."""


def measure(place: Place, quick: bool, tell: Tell) -> Measurement:
    """Move the alias to fresh versions, first with workers that are ready, then without any."""
    function, send = LiveFunction(place), sending(place)
    count = QUICK_ROUNDS if quick else ROUNDS
    first = _firsts(function, send, count, lambda text: tell(f"first request after a deploy, {text}"))
    moving, spilled = _moves(place, function, QUICK_MOVES if quick else MOVES, tell)
    provided = function.provided()
    function.withdraw()
    cold = _firsts_on_demand(function, send, count, lambda text: tell(f"cold start, {text}"))
    function.provide(provided)
    return measured(first, cold, moving, spilled)


def sending(place: Place) -> Send:
    """Return a function that sends a request through the front door, each with another row."""
    ask, stream, number = place.through_the_door(), weather(), iter(range(10**9))

    def send() -> float:
        index = next(number)
        row, _ = stream.row(index)
        return seconds_of(lambda: answered(ask(index, row))) * 1000

    return send


Pair = tuple[float, float]
"""Milliseconds of a first request, and of a warm one right after it."""


def _firsts(function: LiveFunction, send: Send, count: int, tell: Tell) -> list[Pair]:
    """Return first requests to versions that are ready."""
    found = []
    for number in range(count):
        tell(f"{number + 1} of {count}")
        function.move(function.publish())
        until(function.moved, "the version's workers")
        found.append(_pair(send))
    return found


def _firsts_on_demand(function: LiveFunction, send: Send, count: int, tell: Tell) -> list[Pair]:
    """Return first requests to versions of which nothing runs yet."""
    found = []
    for number in range(count):
        tell(f"{number + 1} of {count}")
        function.move(function.publish())
        found.append(_pair(send))
    return found


def _pair(send: Send) -> Pair:
    first = send()
    return first, median(send() for _ in range(_WARM))


def _moves(place: Place, function: LiveFunction, count: int, tell: Tell) -> tuple[list[Request], float]:
    """Return requests while the alias moves, and how many of them met no worker that was ready."""
    began = time.time()
    before = function.counted(SPILLED, began)
    with Clients(place.through_the_door(), CLIENTS) as load:
        for number in range(count):
            tell(f"the alias moves under load, {number + 1} of {count}")
            version = function.publish()
            time.sleep(_SETTLED_SECONDS)
            function.move(version)
            until(function.moved, "the version's workers")
            time.sleep(_SETTLED_SECONDS)
    time.sleep(_SETTLED_SECONDS)  # until the last of them has been counted
    return load.requests, function.counted(SPILLED, began) - before


def measured(first: list[Pair], cold: list[Pair], moving: list[Request], spilled: float) -> Measurement:
    """Return what starts come to."""
    warm = [ms for _, ms in (*first, *cold)]
    cold_ms = median(ms for ms, _ in cold)
    seen = requests.latency(moving)
    failed = [each for each in moving if each.failure]
    rows = [
        _row("warm", warm, warm),
        _row("first after a deploy, with workers that are ready", [ms for ms, _ in first], warm),
        _row("first of a version without any (cold)", [ms for ms, _ in cold], warm),
        ["while the alias moves, p50", f"{seen.p50:.1f}", f"{seen.p50 / median(warm):.2f}", str(len(moving))],
        ["while the alias moves, p99", f"{seen.p99:.1f}", f"{seen.p99 / median(warm):.2f}", str(len(moving))],
    ]
    goals = [
        at_most("first request after a deploy, of a cold start", FIRST_BOUND, [ms / cold_ms for ms, _ in first]),
        Goal(
            "requests that met no ready worker, or failed, while the alias moved",
            "none",
            f"{spilled:.0f} and {len(failed)} of {len(moving)}",
            spilled == 0 and not failed,
            "; ".join(requests.listed(failed)),
        ),
    ]
    notes = [
        "A deploy is a new version of the function, to which the alias moves once as many of its workers are ready as "
        "there were before. A worker is a process with Lambda's runtime interface client; what AWS needs to get a "
        f"sandbox and the code comes on top of a cold start there. While the alias moves, {CLIENTS} clients ask one "
        "thing after another, beside the starts of the new version's workers on the same cores."
    ]
    return Measurement("Starts", ["request", "ms", "times a warm one", "how many"], rows, goals, notes)


def _row(name: str, values: list[float], warm: list[float]) -> list[str]:
    middle = median(values)
    spread = f"{middle:.1f} ({min(values):.1f} to {max(values):.1f})"
    return [name, spread, f"{middle / median(warm):.2f}", str(len(values))]


def imports(found: list[Comparison]) -> Measurement:
    """Return what fresh interpreters needed, as a part of the page."""
    wall, process = found
    rows = [
        [kind, *(f"{ms:.0f}" for ms in each.details.values()), f"{each.ratio:.2f}"]
        for kind, each in (("wall clock", wall), ("of the processor", process))
    ]
    goal = at_most("import of the function, of boto3's with the same one client", cold_start.GOAL, process.rounds)
    head = ["time to be ready", "the function, ms", "boto3 alone, ms", "ratio"]
    return Measurement("Import of the function, in fresh interpreters", head, rows, [goal])
