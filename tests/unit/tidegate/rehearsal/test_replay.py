"""A rehearsal goes through a plan as a rollout does."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from lambdas.rollout.policy import Policy, Step
from lambdas.rollout.policy.judging import Inconclusive, Judging
from tests.unit.tidegate.rehearsal.recordings import recording
from tidegate.rehearsal.outcomes import aa, rehearse, upper_bound
from tidegate.rehearsal.plans import Contender, Look, Plan, PlannedStep, Ruling, left_out, plan_of
from tidegate.rehearsal.recording import Answered, Recording
from tidegate.rehearsal.replay import End, Run, replay
from tidegate.rehearsal.traffic import AsLive, AsRecorded, AsStated, Traffic

STEPS = (PlannedStep(10.0, 120), PlannedStep(50.0, 180), PlannedStep(100.0, 60))


@dataclass
class Says:
    """A rule that says something else from period `at` on (from 1)."""

    first: Ruling = Ruling.GO_ON
    then: Ruling = Ruling.GO_ON
    at: int = 10**9

    def look(self, seen: Look) -> tuple[Ruling, str]:
        return (self.then, "why") if len(seen.history) >= self.at else (self.first, "not yet")


def run(rule: Says, plan: Plan | None = None, recorded: Recording | None = None, **options: int) -> Run:
    recorded = recorded or recording()
    traffic = Traffic(recorded, AsLive(recorded))
    return replay(Contender("a", plan or Plan(STEPS), rule), traffic, 0, Random(1), **options)


def test_steps_take_their_time() -> None:
    found = run(Says())
    assert (found.end, found.seconds) == (End.PROMOTED, 360)
    assert found.weights == ((0.0, 10.0), (120, 50.0), (300, 100.0))
    # 5,700 requests a minute: 2 at 10 %, 3 at 50 %, 1 at 100 %.
    assert found.new.requests == 1140 + 8550 + 5700


def test_a_rule_rolls_back_at_any_period() -> None:
    found = run(Says(then=Ruling.ROLL_BACK, at=4))
    assert (found.end, found.seconds, found.reason) == (End.ROLLED_BACK, 240, "why")
    assert run(Says(then=Ruling.ROLL_BACK, at=6)).end is End.ROLLED_BACK


def test_a_step_waits_for_evidence_though_not_the_last() -> None:
    found = run(Says(first=Ruling.WAIT, then=Ruling.GO_ON, at=7))
    assert found.weights == ((0.0, 10.0), (420, 50.0), (600, 100.0))
    found = run(Says(then=Ruling.WAIT, at=6))
    assert (found.end, found.seconds) == (End.PROMOTED, 360)


def test_a_step_waits_for_its_requests() -> None:
    steps = (PlannedStep(10.0, 120, min_requests=2000), PlannedStep(100.0, 60))
    assert run(Says(), Plan(steps)).weights == ((0.0, 10.0), (240, 100.0))


@pytest.mark.parametrize(
    ("inconclusive", "end", "seconds", "weight"),
    [
        # At the horizon of 600 s: asks, until the recording ends; waits on until the deadline of 1800 s; or goes on to
        # half of the traffic, though never to all of it.
        ("ask", End.ASKS, 7200, 10.0),
        ("extend", End.ROLLED_BACK, 1860, 10.0),
        ("raise", End.ASKS, 7200, 50.0),
    ],
)
def test_what_nobody_knows(inconclusive: Inconclusive, end: End, seconds: float, weight: float) -> None:
    plan = Plan(STEPS, deadline_seconds=1800, horizon_seconds=600, inconclusive=inconclusive)
    found = run(Says(first=Ruling.WAIT), plan)
    assert (found.end, found.seconds, found.weights[-1][1]) == (end, seconds, weight)


def test_a_recording_that_is_too_short_leaves_it_open() -> None:
    assert run(Says(), recorded=recording(4)).end is End.UNFINISHED
    assert run(Says(), longest=4).end is End.UNFINISHED


def test_who_is_hurt() -> None:
    recorded = recording(live=Answered(6000, 60))
    traffic = Traffic(recorded, AsStated(recorded, 0.5, None))
    found = replay(Contender("a", Plan(STEPS), Says(then=Ruling.ROLL_BACK, at=2)), traffic, 0, Random(1))
    assert found.new.requests == 1200
    # Half of them failed, where a hundredth would have.
    assert found.hurt == pytest.approx(588, abs=60)
    assert run(Says()).hurt < 50


def test_a_plan_is_the_policys() -> None:
    policy = Policy(
        soak_seconds=60,
        progress_deadline_seconds=900,
        steps=(Step(10, 120, min_requests=5, approval=True, error_rate_percent=2.0), Step(100)),
        judge=Judging(horizon_seconds=300, inconclusive="extend"),
    )
    steps = (PlannedStep(10.0, 120, 5, 2.0), PlannedStep(100.0, 60))
    assert plan_of(policy) == Plan(steps, 900, 300, "extend")
    assert left_out(policy) == ("approvals (given at once)",)


def test_every_contender_meets_the_new_version_and_a_good_one() -> None:
    recorded = recording(new=[Answered()] * 3 + [Answered(300, 150)] * 5)
    contenders = [Contender("a", Plan(STEPS), Says()), Contender("b", Plan(STEPS), Says(Ruling.ROLL_BACK))]
    first, second = rehearse(contenders, recorded, AsRecorded(recorded), 3, 1)
    assert first.new is not None
    assert first.new.share(End.PROMOTED) == first.good.share(End.PROMOTED) == 1.0
    assert first.new.hurt > 100 * first.good.hurt
    assert second.good.typical_seconds(End.ROLLED_BACK) == 60
    assert second.good.typical_seconds(End.PROMOTED) is None
    assert rehearse(contenders, recorded, AsRecorded(recorded), 3, 1) == [first, second]
    assert rehearse(contenders, recorded, None, 1, 1)[0].new is None


def test_aa_begins_anywhere_and_is_as_long_as_it_is_told() -> None:
    found = aa(Contender("a", Plan(STEPS), Says()), recording(20), 30, 1, 6)
    assert found.share(End.PROMOTED) == 1.0
    assert aa(Contender("a", Plan(STEPS), Says()), recording(20), 5, 1, 5).share(End.UNFINISHED) == 1.0


def test_the_upper_bound_of_a_share() -> None:
    assert upper_bound(0, 200) == pytest.approx(0.0133, abs=1e-3)
    assert upper_bound(10, 200) == pytest.approx(0.0812, abs=2e-3)
    assert upper_bound(200, 200) == pytest.approx(1.0)
