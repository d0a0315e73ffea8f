"""What must hold under overload, judged from what the generator saw."""

import math
from collections.abc import Sequence

import pytest

from bench.serving.open_loop import Outcome, Record
from bench.serving.overload import AFTER, CALM, OVERLOAD, Overload, judge

PLAN = Overload(seconds=10.0, factor=5.0, deadline_seconds=0.5)
CAPACITY = 100.0


def outcome(
    *,
    answered: int = 950,
    latency: float = 0.4,
    pings: Sequence[tuple[float, float, int]] = ((105.0, 0.01, 200),),
    memory: Sequence[float] = (70e6, 70e6),
    bad_after: float | None = None,
    status: int = 503,
) -> Outcome:
    calm = Record(90.0, 3.0, answered=[(90.0, 0.01)] * 50)
    overload = Record(100.0, 10.0, answered=[(100.0, latency)] * answered, refused=[(100.0, status)] * 4000)
    after = Record(110.0, 5.0, answered=[(110.0, 0.01)] * 50)
    if bad_after is not None:
        after.refused.append((110.0 + bad_after, 503))
    samples = [(104.0 + 5 * number, size) for number, size in enumerate(memory)]
    return Outcome({CALM: calm, OVERLOAD: overload, AFTER: after}, list(pings), samples, 0.5)


def failed(found: Outcome) -> list[str]:
    return [verdict.name for verdict in judge(CAPACITY, PLAN, found) if not verdict.passed]


def test_a_container_that_keeps_its_word_passes() -> None:
    assert failed(outcome()) == []


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"answered": 890}, "goodput, of capacity"),
        ({"latency": 0.56}, "p99 of what was accepted"),
        ({"memory": (70e6, 90e6)}, "memory"),
        ({"memory": (70e6,)}, "memory"),
        ({"pings": ((105.0, 2.1, 200),)}, "/ping"),
        ({"pings": ((105.0, 0.1, 503),)}, "/ping"),
        ({"pings": ((105.0, math.inf, 0),)}, "/ping"),
        ({"pings": ()}, "/ping"),
        ({"bad_after": 2.1}, "recovery"),
        ({"status": 500}, "statuses of what was refused"),
    ],
)
def test_each_word_that_is_broken_is_named(fields: dict[str, object], name: str) -> None:
    assert failed(outcome(**fields)) == [name]  # type: ignore[arg-type]


def test_refusals_within_the_time_to_recover_are_forgiven() -> None:
    assert failed(outcome(bad_after=1.9)) == []


def test_nothing_answered_after_the_drop_is_no_recovery() -> None:
    found = outcome()
    found.records[AFTER].answered.clear()
    assert failed(found) == ["recovery"]
