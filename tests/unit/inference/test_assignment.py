"""Which of two versions a caller gets."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.inference.assignment import takes_candidate, unit

CALLERS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=256)
ENDPOINTS = st.from_regex(r"[a-z][a-z0-9-]{0,40}", fullmatch=True)
VECTORS = [
    ("rain-local", "shop", 0.359617406677496),
    ("rain-local", "customer-42", 0.17781149520746398),
    ("rain-prod", "customer-42", 0.7510868937102342),
]
"""Written down once: whoever computes anything else sends callers of today elsewhere tomorrow."""


@pytest.mark.parametrize(("endpoint", "caller", "place"), VECTORS)
def test_a_callers_place_never_changes(endpoint: str, caller: str, place: float) -> None:
    assert unit(endpoint, caller) == place


def test_another_process_finds_the_same_places() -> None:
    code = f"from lambdas.inference.assignment import unit; print([unit(e, c) for e, c, _ in {VECTORS!r}])"
    root = Path(__file__).resolve().parents[3]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str([place for _, _, place in VECTORS])


@given(ENDPOINTS, CALLERS)
def test_places_lie_in_the_unit_interval(endpoint: str, caller: str) -> None:
    assert 0 <= unit(endpoint, caller) < 1
    assert not takes_candidate(endpoint, caller, 0)
    assert takes_candidate(endpoint, caller, 100)


@given(ENDPOINTS, CALLERS, st.lists(st.floats(0, 100), min_size=2, max_size=8).map(sorted))
def test_nobody_moves_back_while_the_share_grows(endpoint: str, caller: str, shares: list[float]) -> None:
    taken = [takes_candidate(endpoint, caller, share) for share in shares]
    assert taken == sorted(taken)


@pytest.mark.parametrize(("endpoint", "caller", "place"), VECTORS)
def test_the_candidate_answers_those_whose_place_is_below_its_share(endpoint: str, caller: str, place: float) -> None:
    assert not takes_candidate(endpoint, caller, 100 * place - 0.001)
    assert takes_candidate(endpoint, caller, 100 * place + 0.001)


COUNT, BINS = 50_000, 100


@pytest.mark.parametrize("form", ["customer-{}", "{}", "{:032x}", "user.{}@example.com"])
def test_places_of_callers_are_uniform(form: str) -> None:
    places = sorted(unit("rain-prod", form.format(number)) for number in range(COUNT))
    counts = [0] * BINS
    for place in places:
        counts[int(place * BINS)] += 1
    expected = COUNT / BINS
    chi_square = sum((count - expected) ** 2 / expected for count in counts)
    assert chi_square < 99 + 4 * math.sqrt(2 * 99)
    kolmogorov = max(abs(place - number / COUNT) for number, place in enumerate(places))
    assert kolmogorov < 1.95 / math.sqrt(COUNT)


def test_endpoints_have_places_of_their_own() -> None:
    callers = [f"customer-{number}" for number in range(20_000)]
    first, second = ([takes_candidate(name, each, 10) for each in callers] for name in ("rain-prod", "snow-prod"))
    both = sum(one and other for one, other in zip(first, second, strict=True))
    assert 140 < both < 260


def test_an_endpoint_and_a_caller_are_told_apart() -> None:
    assert unit("rain", "a") != unit("raina", "")
