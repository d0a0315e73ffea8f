"""What is simulated is the product's judge: the same verdicts at every look as from all counts anew."""

from dataclasses import replace

import numpy as np
import pytest

from bench.judge.product import LIMITS, Verdicts, play, series
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
    ],
)
def test_the_kept_sums_decide_as_the_product_does(traffic: Traffic) -> None:
    drawn = draw(traffic, 6, np.random.default_rng(7))
    for run in range(6):
        assert play(drawn, run, traffic) == anew(series(drawn, run, traffic), traffic.looks)


def anew(whole: Series, looks: int) -> Verdicts:
    promoted = 0
    for look in range(1, looks + 1):
        upto = replace(whole, errors=whole.errors[:look], latency=whole.latency[:look])
        verdict = judge(upto, LIMITS).verdict
        if verdict == Verdict.ROLLBACK:
            return Verdicts(look, promoted)
        if verdict == Verdict.PROMOTE and not promoted:
            promoted = look
    return Verdicts(0, promoted)
