"""The serving container's goals: judged where they were measured, and by the numbers they are stated in."""

from dataclasses import replace

import pytest

from bench.serving.goals import Goal, judge
from bench.serving.models import GPU, HEAVY, TINY
from bench.serving.rows import Bound, Row
from bench.serving.servers import BENTOML, CONTAINER, LITSERVE, MOSEC

BOUND = Bound(best_batch=64, batch_s=0.010, single_s=0.002, rps=6400.0, load_s=0.1)
BOUNDS = {TINY: BOUND, HEAVY: BOUND, GPU: BOUND}


def row(**fields: object) -> Row:
    plain = Row(
        server=CONTAINER,
        model=HEAVY,
        format="json",
        clients=64,
        rps=1000.0,
        p50_ms=10.0,
        p99_ms=12.0,
        ratio_to_raw=0.95,
        cold_s=0.6,
        rss_mb=70.0,
        cpu_s_per_1000=0.1,
        generator_busy=0.2,
        rps_rounds=[1000.0],
    )
    return replace(plain, **fields)  # type: ignore[arg-type]


def verdict(goals: list[Goal], name: str) -> bool | None:
    (found,) = [goal for goal in goals if goal.name.startswith(name)]
    return found.passed


@pytest.mark.parametrize(
    ("model", "clients", "share", "passed"),
    [
        (HEAVY, 64, 0.90, True),
        (HEAVY, 64, 0.89, False),
        (GPU, 64, 0.72, True),
        (GPU, 64, 0.71, False),
        (GPU, 192, 0.92, True),
        (GPU, 192, 0.91, False),
    ],
)
def test_the_share_of_the_bare_loop(model: str, clients: int, share: float, passed: bool) -> None:
    goals = judge([row(model=model, clients=clients, ratio_to_raw=share)], BOUNDS)
    assert verdict(goals, "share of raw") is passed


def test_other_numbers_of_clients_have_no_share_to_reach() -> None:
    assert not [goal for goal in judge([row(clients=8)], BOUNDS) if goal.name.startswith("share")]


@pytest.mark.parametrize(("p50_ms", "passed"), [(2.39, True), (2.41, False)])
def test_one_client_waits_little_longer_than_for_the_model(p50_ms: float, passed: bool) -> None:
    assert verdict(judge([row(clients=1, p50_ms=p50_ms)], BOUNDS), "p50 over") is passed


@pytest.mark.parametrize(("clients", "p99_ms", "passed"), [(64, 15.9, True), (64, 16.1, False), (65, 31.9, True)])
def test_the_tail_counts_whole_batches(clients: int, p99_ms: float, passed: bool) -> None:
    assert verdict(judge([row(clients=clients, p99_ms=p99_ms)], BOUNDS), "p99") is passed


@pytest.mark.parametrize(
    ("peer", "model", "rps", "passed"),
    [
        (BENTOML, HEAVY, 400.0, True),
        (BENTOML, HEAVY, 401.0, False),
        (LITSERVE, GPU, 666.0, True),
        (LITSERVE, GPU, 667.0, False),
        (MOSEC, TINY, 1000.0, True),
        (MOSEC, TINY, 1001.0, False),
    ],
)
def test_against_the_peers(peer: str, model: str, rps: float, passed: bool) -> None:
    goals = judge([row(model=model), row(model=model, server=peer, rps=rps)], BOUNDS)
    assert verdict(goals, f"times {peer}") is passed


def test_a_peer_that_is_only_to_be_beaten_on_the_tiny_model_is_not_judged_elsewhere() -> None:
    goals = judge([row(), row(server=MOSEC, rps=5000.0)], BOUNDS)
    assert not [goal for goal in goals if goal.name.startswith("times")]


def test_peers_are_compared_within_their_own_cell() -> None:
    others = [row(server=BENTOML, format="npy"), row(server=BENTOML, clients=8), row(server=BENTOML, model=GPU)]
    assert not [goal for goal in judge([row(), *others], BOUNDS) if goal.name.startswith("times")]


@pytest.mark.parametrize(("cold_s", "passed"), [(1.09, True), (1.11, False)])
def test_a_start_may_take_a_second_beyond_loading(cold_s: float, passed: bool) -> None:
    assert verdict(judge([row(cold_s=cold_s)], {HEAVY: BOUND}), "cold start") is passed
