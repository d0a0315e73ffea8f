"""An answer from the cache beside one from the model."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.drift.goals import at_most
from bench.drift.measurement import Measurement
from bench.errors import BenchError
from bench.front_door.asking import Answer, Caller
from bench.front_door.functions import LiveFunction, until
from bench.front_door.in_memory import valkey
from bench.front_door.place import Place
from bench.front_door.requests import of_values
from bench.rounds import Tell
from tidegate.demo.traffic import weather

COUNT, QUICK_COUNT = 150, 40
SIZES = (1, 200)
BOUND = 0.75
_BLOCK = 10
_ATTEMPTS = 5
_REST_SECONDS = 2.0
"""A few of these are as long as a cache in Valkey is left alone after a failure."""

_STEP = 1e-6
_CACHE = {"seconds": 600, "stale_seconds": 3600}
SOONER = 1.0
OFF, MISS, HIT = "model, the cache off", "model, the cache on", "cache"
MEMORY_MISS, MEMORY_HIT = "model, the cache in Valkey on", "cache in Valkey"
_SOURCES = {OFF: "model", MISS: "model", HIT: "cache", MEMORY_MISS: "model", MEMORY_HIT: "cache"}


@dataclass(frozen=True)
class Taken:
    """Milliseconds of requests of a size, by where the answer came from."""

    rows: int
    values: Mapping[str, list[float]]

    def ratios(self, subject: str, peer: str) -> list[float]:
        """Return the ratio of the medians, block by block."""
        pairs = zip(_blocks(self.values[subject]), _blocks(self.values[peer]), strict=True)
        return [above / below for above, below in pairs]


def measure(place: Place, quick: bool, tell: Tell) -> Measurement:
    """Ask with the cache off; then with it on, each row twice, kept in the table and then in Valkey."""
    function, caller, count = LiveFunction(place), Caller(place), QUICK_COUNT if quick else COUNT
    bodies = {size: _bodies(size) for size in SIZES}
    _deploy(function)
    off = {size: _off(caller, bodies[size], count) for size in SIZES}
    try:
        tell("the same rows twice, the cache in the table")
        _deploy(function, cache=_CACHE)
        table = {size: _on(caller, bodies[size], count, MISS, HIT) for size in SIZES}
        tell("the same rows twice, the cache in Valkey")
        _deploy(function, cache={**_CACHE, "valkey": valkey(place, function)})
        memory = {size: _on(caller, bodies[size], count, MEMORY_MISS, MEMORY_HIT) for size in SIZES}
    finally:
        _deploy(function)  # what is measured after this has no cache
    return _measurement([Taken(size, {OFF: off[size], **table[size], **memory[size]}) for size in SIZES])


def _off(caller: Caller, bodies: Iterator[list[list[float]]], count: int) -> list[float]:
    return [_ms(caller.ask(next(bodies)), OFF) for _ in range(count)]


def _on(caller: Caller, bodies: Iterator[list[list[float]]], count: int, miss: str, hit: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {miss: [], hit: []}
    _hit(caller, next(bodies), hit)  # a worker's first look connects
    for _ in range(count):
        body = next(bodies)
        found[miss].append(_ms(caller.ask(body), miss))
        found[hit].append(_hit(caller, body, hit))
    return found


def _deploy(function: LiveFunction, **settings: object) -> None:
    function.move(function.publish(**settings))
    until(function.moved, "the version's workers")


def _bodies(size: int) -> Iterator[list[list[float]]]:
    """Yield rows that were not sent before."""
    days = [[float(cell) for cell in row.split(",")] for row in weather().rows]
    number = 0
    while True:
        number += 1
        rows = [days[(number + each) % len(days)] for each in range(size)]
        # A little nearer to zero, so that it stays within the limits that the model's signature sets.
        yield [[first * (1 - number * _STEP), *others] for first, *others in rows]


def _ms(answer: Answer, wanted: str) -> float:
    if answer.status != 200 or answer.source != _SOURCES[wanted]:
        raise BenchError(f"{wanted}: the answer was {answer.status} from {answer.source!r}: {answer.body[:300]!r}")
    return answer.ms


def _hit(caller: Caller, body: list[list[float]], hit: str) -> float:
    """Return a hit's time; on a machine that is too busy the cache may be given up, and the model asked."""
    for _ in range(_ATTEMPTS):
        answer = caller.ask(body)
        if answer.source == _SOURCES[hit]:
            break
        time.sleep(_REST_SECONDS)
    return _ms(answer, hit)


def _blocks(values: Sequence[float]) -> list[float]:
    return [of_values(values[start : start + _BLOCK]).p50 for start in range(0, len(values), _BLOCK)]


def _measurement(found: Sequence[Taken]) -> Measurement:
    rows, goals = [], []
    for taken in found:
        off = of_values(taken.values[OFF])
        for name, values in taken.values.items():
            each = of_values(values)
            rows.append([str(taken.rows), name, f"{each.p50:.1f}", f"{each.p99:.1f}", f"{each.p50 / off.p50:.2f}"])
        title = f"answer from the cache, of one that it had to ask the model for, {taken.rows} row(s)"
        goals.append(at_most(title, BOUND, taken.ratios(HIT, MISS)))
        title = f"answer from the cache in Valkey, of one from the table, {taken.rows} row(s)"
        goals.append(at_most(title, SOONER, taken.ratios(MEMORY_HIT, HIT)))
    head = ["rows", "answer from", "p50, ms", "p99, ms", "times the model with the cache off"]
    return Measurement("The cache", head, rows, goals, [_NOTE])


_NOTE = (
    "With the cache on, an answer of the model's was looked for in the table before, and is written there after: two "
    "calls of DynamoDB, where a hit takes one. Whether a hit is faster than a model without a cache is a question of "
    "whether the model takes longer than DynamoDB: this one takes less than a millisecond for a row, and the local "
    "cloud's DynamoDB, which is Python, longer than AWS's. Valkey's server is a real one behind TLS, and stands on the "
    "same machine: how far AWS's is from a function is in none of these figures. What a hit always spares is the "
    "model's instance."
)
