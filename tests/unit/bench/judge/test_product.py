"""What is simulated is the product's judge: the same verdicts at every look as from all counts anew."""

from dataclasses import replace

import numpy as np
import pytest

from bench.judge.product import LIMITS, Verdicts, play, series, step_of
from bench.judge.traffic import Outage, Traffic, draw
from lambdas.rollout.judge import Series, Verdict, judge

BOTH = Traffic(metrics=("errors", "latency"), minutes=30)


@pytest.mark.parametrize(
    "traffic",
    [
        Traffic(minutes=30),
        BOTH,
        replace(BOTH, ratio=1.2),
        replace(BOTH, noise=1),
        Traffic(minutes=30, ratio=2),
        Traffic(minutes=30, outage=Outage(10, 5, 0.5)),
        Traffic(minutes=5, looks_a_minute=6, ratio=3),
        Traffic(minutes=20, per_second=1),
        Traffic(minutes=30, weights=(0.05, 0.25, 0.5), ratio=1.4),
        Traffic(minutes=30, weights=(0.05, 0.25, 0.5), outage=Outage(20, 10, 0.03)),
        Traffic(minutes=200, outage=Outage(185, 15, 0.05)),
    ],
)
def test_the_kept_sums_decide_as_the_product_does(traffic: Traffic) -> None:
    drawn = draw(traffic, 6, np.random.default_rng(7))
    for run in range(6):
        assert play(drawn, run, traffic) == anew(series(drawn, run, traffic), traffic)


def anew(whole: Series, traffic: Traffic) -> Verdicts:
    promoted = 0
    for look in range(1, traffic.looks + 1):
        upto = replace(whole, errors=whole.errors[:look], latency=whole.latency[:look])
        step_since = float((step_of(look, traffic) - 1) * traffic.period_seconds)
        verdict = judge(upto, LIMITS, step_since).verdict
        if verdict == Verdict.ROLLBACK:
            return Verdicts(look, promoted)
        if verdict == Verdict.PROMOTE and not promoted:
            promoted = look
    return Verdicts(0, promoted)
