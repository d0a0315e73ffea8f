"""Mistakes that are put into the engine on purpose: the quick set of schedules catches every one."""

import sys
from collections.abc import Iterator

import pytest

from localcloud.simulation.bugs import BUGS, seeded
from localcloud.simulation.explore import base_of, first_violations
from localcloud.simulation.plans import QUICK

CAUGHT_BY = {
    "no-lease": {10},
    "no-compare-and-swap": {1, 2, 7, 8, 10, 12},
    "act-before-persist": {9},
    "bake-from-unverified-weight": {8},
    "abort-dropped-on-supersede": {1, 2},
    "always-rolls-back": {16},
    "verdict-unheeded": {16},
    "finalise-without-soak": {8},
}


@pytest.fixture(autouse=True)
def _fresh_bases() -> Iterator[None]:
    # What was run without the mistake says nothing about it.
    base_of.cache_clear()
    yield
    base_of.cache_clear()


def test_every_mistake_is_expected_to_be_caught() -> None:
    assert set(CAUGHT_BY) == set(BUGS)


@pytest.mark.parametrize("name", sorted(BUGS))
def test_the_quick_set_catches_it(name: str) -> None:
    with seeded(name):
        schedule, violations = first_violations(QUICK)
    sys.stdout.write(f"{name} is caught by {', '.join(map(str, violations))}; schedule: {schedule}\n")
    assert {violation.number for violation in violations} & CAUGHT_BY[name]
