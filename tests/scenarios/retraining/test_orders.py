"""Runs that an operator orders, on traffic that has not drifted. The tests share one endpoint, in order."""

import time

import pytest

from tests.scenarios.environments import STEADY
from tests.scenarios.retraining.watched import Watched
from tests.scenarios.retraining.weather import DRIFT, labels

DAYS = range(DRIFT - 4 * 365, DRIFT)


@pytest.fixture(scope="module")
def loop(circle: Watched) -> Watched:
    """The endpoint, after four years of days of which nobody has told yet whether it rained."""
    loop = circle.at(STEADY)
    first, second = loop.begin(2)
    loop.capture(first, DAYS[: len(DAYS) // 2])
    loop.capture(second, DAYS[len(DAYS) // 2 :])
    return loop


def test_without_labels_nothing_is_trained_and_that_is_said(loop: Watched) -> None:
    loop.order()
    run = loop.wait_for_runs(1)
    assert run.outcome == "failed"
    assert "no labels came between" in run.text
    assert "tidegate labels put" in run.text
    assert not loop.executions()


def test_the_champion_stays_where_nothing_has_drifted(loop: Watched) -> None:
    loop.label(time.time(), labels(DAYS))
    loop.order(identity="an order")
    loop.order(identity="an order")
    run = loop.wait_for_runs(2)
    assert run.outcome == "champion_stays", loop.story()
    assert "2.0.0 stays" in run.text
    assert "no evidence" in run.text
    assert loop.json(run, "checks/checks.json")["doubts"] == []
    assert not loop.packages()


def test_reversed_labels_win_but_are_not_approved_by_rule(loop: Watched) -> None:
    """They are in the held-out rows too, so that the evidence is poisoned like the training; a person is asked."""
    loop.label(time.time(), labels(DAYS, lambda label: 1 - label))
    loop.order()
    run = loop.wait_for_runs(3)
    assert run.outcome == "registered", loop.story()
    assert run.numbers["gain"] > 0.4
    waiting = loop.wait_for(lambda: [e for e in loop.trail() if e.kind == "approval"], "word on the approval")
    assert "waits for a person: what it has learnt may not be true" in waiting[-1].text
    assert "see that labels are not reversed" in waiting[-1].text
    (package,) = loop.packages()
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert not loop.rollouts()
    assert len(loop.executions()) == 2
    assert not loop.overlapping()
