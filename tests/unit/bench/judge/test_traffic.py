"""Simulated traffic has the rates that it is said to have."""

import numpy as np
import pytest

from bench.judge.traffic import Counts, Outage, Traffic, draw, worse

RUNS = 300


def drawn(traffic: Traffic) -> Counts:
    (counts,) = draw(traffic, RUNS, np.random.default_rng(1)).values()
    return counts


def test_requests_come_at_the_rate_and_are_split_by_the_weights() -> None:
    counts = drawn(Traffic(weights=(0.05, 0.5)))
    assert (counts.new + counts.live).mean() == pytest.approx(6000, rel=0.01)
    assert counts.new[:, :30].mean() == pytest.approx(300, rel=0.01)
    assert counts.new[:, 30:].mean() == pytest.approx(3000, rel=0.01)


def test_both_versions_rise_alike() -> None:
    counts = drawn(Traffic(rising=3, weights=(0.5,)))
    for bad, every in ((counts.new_bad, counts.new), (counts.live_bad, counts.live)):
        assert bad[:, 0].sum() / every[:, 0].sum() == pytest.approx(0.01, rel=0.1)
        assert bad[:, -1].sum() / every[:, -1].sum() == pytest.approx(0.03, rel=0.1)


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_noise_varies_by_the_minute_around_the_same_mean(noise: float) -> None:
    often = 6
    counts = drawn(Traffic(noise=noise, per_second=10_000, looks_a_minute=often))
    minutes = counts.by_minute(often)
    shares = minutes.new_bad / minutes.new
    assert shares.mean() == pytest.approx(0.01, rel=0.03)
    assert shares.std() / shares.mean() == pytest.approx(noise, rel=0.05)
    parts = counts.new_bad / counts.new
    within = parts.reshape(RUNS, -1, often).std(axis=2).mean()
    assert within < shares.std() / 2


def test_an_outage_is_the_new_versions_and_ends() -> None:
    counts = drawn(Traffic(outage=Outage(20, 6, 0.5)))
    shares = counts.new_bad.sum(axis=0) / counts.new.sum(axis=0)
    assert shares[20:26] == pytest.approx(0.5, rel=0.02)
    assert np.delete(shares, range(20, 26)) == pytest.approx(0.01, abs=0.003)
    assert counts.live_bad.sum() / counts.live.sum() == pytest.approx(0.01, rel=0.02)


def test_a_longer_tail_makes_more_slow_answers_than_it_is_longer() -> None:
    assert worse(Traffic(), "latency") == pytest.approx(1)
    assert worse(Traffic(ratio=1.2), "latency") == pytest.approx(2.5, rel=0.02)
    counts = drawn(Traffic(ratio=1.2, metrics=("latency",)))
    assert counts.new_bad.sum() / counts.new.sum() == pytest.approx(0.025, rel=0.03)
    assert counts.alarming.sum() / counts.new.sum() == pytest.approx(0.0028, rel=0.1)
