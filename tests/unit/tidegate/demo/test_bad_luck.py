"""Bad luck strikes where the judge counts it, and where the alarm has no reason to go off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.tidegate.demo.strokes import EVIDENCE, answered, first_step
from tidegate.demo.bad_luck import BadLuck
from tidegate.demo.observations import Observations
from tidegate.rollouts import Rollout
from tidegate.settings import EndpointSettings

ENOUGH = 21
"""One failure beside so many is less than 5 %."""


@pytest.fixture
def seen() -> Observations:
    """1.1.0 has its first step's weight since second 1004."""
    seen = Observations(started=1000.0, endpoint="rain-local", rate=40.0)
    seen.rollouts = [Rollout("r1", "model", "1.1.0", "green", "BAKE", "", "", "", "")]
    seen.audit = [first_step("r1", 1004.0)]
    return seen


@pytest.fixture
def luck(endpoint: EndpointSettings, seen: Observations) -> BadLuck:
    return BadLuck(lambda *_: None, replace(endpoint, evidence=EVIDENCE), seen)


def strokes(seen: Observations) -> list[float]:
    return [stroke.at for stroke in seen.misfortunes]


def serve(seen: Observations, since: float, count: int, variant: str = "green") -> None:
    seen.requests += [answered(since + index / 10, variant) for index in range(count)]


def test_it_strikes_once_in_each_of_two_whole_periods(luck: BadLuck, seen: Observations) -> None:
    for period in (1000, 1010, 1020, 1030):
        serve(seen, period, ENOUGH)
        for second in range(10):
            luck.look("1.1.0", float(period + second))
    assert strokes(seen) == [1010, 1020]
    assert {(stroke.version, stroke.slot) for stroke in seen.misfortunes} == {("1.1.0", "green")}


def test_it_waits_until_a_failure_is_too_few_for_the_alarm(luck: BadLuck, seen: Observations) -> None:
    serve(seen, 1000, 90)  # an earlier period's, as far as 1009
    serve(seen, 1010, ENOUGH - 1)
    serve(seen, 1012, 50, "blue")
    luck.look("1.1.0", 1019)
    assert strokes(seen) == []
    serve(seen, 1019, 1)
    luck.look("1.1.0", 1019.2)
    assert strokes(seen) == [1019.2]


@pytest.mark.parametrize(
    "change",
    [
        {"rollouts": []},
        {"audit": []},
        {"audit": [first_step("r0", 1004.0)]},
        {"audit": [first_step("r1", 1004.0), first_step("r1", 1008.0, weight=50)]},
        {"audit": [first_step("r1", 1011.0)]},
    ],
    ids=["no rollout", "no weight yet", "another rollout's", "the second step", "not a whole period"],
)
def test_it_strikes_nobody_else(luck: BadLuck, seen: Observations, change: dict[str, Any]) -> None:
    vars(seen).update(change)
    serve(seen, 1010, ENOUGH)
    luck.look("1.1.0", 1015)
    assert strokes(seen) == []
