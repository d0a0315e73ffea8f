"""Crashes, repeated and lost deliveries, conflicts: the rollout ends the same."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from lambdas.rollout.engine import RELEASE_TRIES, Engine
from lambdas.rollout.errors import ConflictError, LeaseHeldError, RetryableError, TimedOutError
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.policy import Policy, SmokeTest, Step
from lambdas.rollout.state import Phase

MakeWorld = Callable[..., Any]

SHORT = Policy(
    steps=(Step(10, 5), Step(100)),
    soak_seconds=5,
    progress_deadline_seconds=3000,
    smoke_test=SmokeTest("text/csv", "1,2", 1),
    peak_instances=1,
)


def _roll(world: Any, *, bad: bool) -> None:
    world.settings.policy = SHORT
    world.approve("1.1.0")
    if bad:
        world.until_phase(Phase.BAKE, Phase.SOAK)
        world.fail("green")
    world.until(lambda state: state.rollout is None and bool(world.outcomes))


def _calls_of_a_rollout(make_world: MakeWorld, *, bad: bool) -> int:
    world = make_world()
    _roll(world, bad=bad)
    return int(world.crashes.count)


@pytest.mark.parametrize("bad", [False, True], ids=["good model", "bad model"])
def test_crash_after_any_call_changes_nothing_about_the_end(make_world: MakeWorld, bad: bool) -> None:
    # After one call is the same as before the next: nothing but computing lies between them.
    expected = [("1.1.0", "ROLLED_BACK" if bad else "PROMOTED")]
    for number in range(1, _calls_of_a_rollout(make_world, bad=bad) + 1):
        world = make_world()
        world.crashes.at, world.crashes.after = world.crashes.count + number, True
        _roll(world, bad=bad)
        assert world.outcomes == expected, f"crash at call {number}: {world.describe()}"
        assert world.broken == [], f"crash at call {number}"
        assert world.endpoint.status == "InService"
        assert set(world.endpoint.variants) == {"blue" if bad else "green"}
        assert world.endpoint.config == world.store.state.live.config


@pytest.mark.parametrize("bad", [False, True], ids=["good model", "bad model"])
def test_everything_delivered_twice_makes_one_rollout(make_world: MakeWorld, bad: bool) -> None:
    world = make_world(twice=True)
    _roll(world, bad=bad)
    assert world.outcomes == [("1.1.0", "ROLLED_BACK" if bad else "PROMOTED")]
    world.check()


def test_sweeper_alone_brings_a_rollout_to_its_end(make_world: MakeWorld) -> None:
    world = make_world(lose_timers=True, lose_events=True)
    _roll(world, bad=False)
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    world.check()


def test_active_endpoint_is_looked_at_within_two_minutes_without_timers(make_world: MakeWorld) -> None:
    world = make_world(lose_timers=True, lose_events=True)
    world.settings.policy = Policy(steps=(Step(100),), soak_seconds=1800, progress_deadline_seconds=7200)
    world.approve()
    world.until_phase(Phase.SOAK)
    seen: list[float] = []
    describe = world.sagemaker.describe

    def noted(name: str) -> Any:
        seen.append(world.clock.now())
        return describe(name)

    world.sagemaker.describe = noted
    world.pass_time(1200)
    assert max(later - earlier for earlier, later in pairwise(seen)) <= 120


def test_events_leave_no_growing_number_of_timers_behind(world: Any) -> None:
    world.settings.policy = Policy(steps=(Step(100),), soak_seconds=1800, progress_deadline_seconds=7200)
    world.approve()
    world.until_phase(Phase.SOAK)
    for _ in range(20):
        world.post(1, {"endpoint": "rain-local"})
    world.pass_time(120)
    before = len(world.looks)
    world.pass_time(300)
    # One timer about every 15 s, and the sweep once a minute.
    assert len(world.looks) - before <= 300 / 15 + 300 / 60


def test_conflicting_write_is_decided_again(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.store.conflicts = 1
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_version_approved_while_a_worker_holds_the_lease_is_not_lost(world: Any) -> None:
    set_weights = world.sagemaker.set_weights

    def approve_meanwhile(name: str, weights: Any) -> None:
        world.sagemaker.set_weights = set_weights
        world.approve("1.2.0")
        set_weights(name, weights)

    world.sagemaker.set_weights = approve_meanwhile
    world.approve("1.1.0")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "PROMOTED")]


class Releases:
    """A table that refuses some of the writes by which the lease is given back."""

    def __init__(self, world: Any, *errors: Exception, with_notices: bool = False) -> None:
        self._world, self._save, self.errors = world, world.store.save, list(errors)
        self._with_notices = with_notices
        self._send, self.timers = world.timers.send, list[dict[str, Any]]()
        world.store.save, world.timers.send = self, self._armed

    def __call__(self, state: Any, *given: Any, **named: Any) -> Any:
        stored = self._world.store.state
        is_meant = stored.lease_owner and not state.lease_owner and (stored.outbox or not self._with_notices)
        if is_meant and self.errors:
            raise self.errors.pop()
        return self._save(state, *given, **named)

    def _armed(self, delay: float, body: dict[str, Any]) -> None:
        self.timers.append(body)
        self._send(delay, body)


@pytest.mark.parametrize("error", [ConflictError("something came in"), RetryableError("throttled")], ids=str)
@pytest.mark.parametrize("writes", [1, RELEASE_TRIES])
def test_lease_is_given_back_although_its_write_is_refused_at_first(world: Any, error: Exception, writes: int) -> None:
    world.approve()
    releases = Releases(world, *[error] * writes)
    Engine(world.ports, "worker").run("rain-local")
    state = world.store.state
    assert not releases.errors
    assert state.lease_owner is None
    # What came in must be looked at: the endpoint is due, and looked at again.
    assert state.wake <= world.clock.now()
    assert len(releases.timers) == 1


def test_lease_that_cannot_be_given_back_runs_out_and_the_endpoint_is_looked_at(world: Any) -> None:
    world.approve()
    releases = Releases(world, *[ConflictError("something came in")] * (1 + RELEASE_TRIES))
    Engine(world.ports, "worker").run("rain-local")
    assert world.store.state.lease_owner == "worker"
    assert len(releases.timers) == 1
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_notices_are_told_once_although_the_lease_is_given_back_at_the_second_try(world: Any) -> None:
    world.settings.policy = SHORT
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.fail("green")
    releases = Releases(world, *[ConflictError("something came in")] * RELEASE_TRIES, with_notices=True)
    world.until(lambda state: state.rollout is None and bool(world.outcomes))
    assert not releases.errors
    assert len(world.notifier.subjects) == len(set(world.notifier.subjects)) > 0


def test_leased_endpoint_is_left_to_its_worker_until_the_lease_runs_out(world: Any) -> None:
    state = world.store.state
    world.store.save(replace(state, lease_owner="other", lease_until=world.clock.now() + 30), now=0)
    with pytest.raises(LeaseHeldError):
        Engine(world.ports, "me").run("rain-local")
    world.clock.time += 31
    Engine(world.ports, "me").run("rain-local")
    assert world.store.state.lease_owner is None


def test_worker_that_lost_its_lease_does_nothing_more(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    engine = Engine(world.ports, "slow")
    describe = world.sagemaker.describe

    def taken_over(name: str) -> Any:
        stolen = replace(world.store.state, lease_owner="quick", lease_until=world.clock.now() + 30)
        world.store.save(stolen, now=0)
        world.sagemaker.describe = describe
        world.endpoint.variants["green"] = replace(world.endpoint.variants["green"], weight=70)
        return describe(name)

    world.sagemaker.describe = taken_over
    calls = len(world.sagemaker.calls)
    engine.run("rain-local")
    assert world.store.state.lease_owner == "quick"
    assert len(world.sagemaker.calls) == calls
    world.endpoint.variants["green"] = replace(world.endpoint.variants["green"], weight=10)


def test_update_carried_out_after_its_answer_was_given_up_is_still_taken_back(world: Any) -> None:
    world.settings.policy = SHORT
    update = world.sagemaker.update

    def late(name: str, config: str) -> None:
        world.sagemaker.update = update
        world.fail("green")
        world._send(20, {"endpoint": "nobody"})
        world.late = (name, config)
        raise TimedOutError("Read timeout")

    world.sagemaker.update = late
    world.approve()
    world.until_phase(Phase.RESTORE)
    world.endpoint.begin(10, lambda: world.sagemaker._updated(world.late[1], ""))
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert set(world.endpoint.variants) == {"blue"}


def test_no_cycle_begins_once_the_invocation_has_no_time_left(world: Any) -> None:
    world.approve()
    describe = world.sagemaker.describe

    def slow(name: str) -> Any:
        world.clock.time += 6
        return describe(name)

    world.sagemaker.describe = slow
    begun = world.clock.now()
    Engine(world.ports, "me").run("rain-local")
    assert world.clock.now() - begun < 20
    assert world.store.state.wake is not None
    world.sagemaker.describe = describe
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_fleet_and_approval_submitted_at_once_both_count(world: Any, fleet: Fleet) -> None:
    world.approve("1.1.0")
    world.declare(replace(fleet, instance_type="ml.g6.xlarge"))
    state = world.until_over()
    assert sorted(world.outcomes) == [("1.1.0", "PROMOTED"), ("bootstrap", "PROMOTED")] or world.outcomes == [
        ("1.1.0", "PROMOTED"),
        ("1.1.0", "PROMOTED"),
    ]
    assert state.live.version == "1.1.0"
    assert state.live.fleet.instance_type == "ml.g6.xlarge"


def test_store_that_always_conflicts_is_reported(world: Any) -> None:
    world.store.conflicts = 100
    with pytest.raises(ConflictError):
        world.declare(world.store.state.desired_fleet)
    world.store.conflicts = 0


def test_worker_killed_before_its_update_has_not_failed_an_attempt(world: Any) -> None:
    update, kills = world.sagemaker.update, [1, 2, 3]

    def killed(name: str, config: str) -> None:
        if kills:
            kills.pop()
            world.crashes.at, world.crashes.after = world.crashes.count, False
            raise KeyboardInterrupt
        update(name, config)

    world.sagemaker.update = killed
    world.approve()
    while kills:
        with suppress(KeyboardInterrupt):
            world.until(lambda state: not kills)
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert world.store.texts("failure") == []


def test_update_refused_because_aws_is_at_work_has_not_failed(world: Any) -> None:
    update = world.sagemaker.update

    def refused(name: str, config: str) -> None:
        world.sagemaker.update = update
        world.endpoint.begin(20, lambda: None, "SystemUpdating")
        update(name, config)

    world.sagemaker.update = refused
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert world.store.texts("failure") == []


def test_timer_that_comes_a_little_early_arms_another(world: Any) -> None:
    world.approve()
    armed = world.until_phase(Phase.BAKE).armed
    assert armed is not None
    sent: list[float] = []
    world.timers.send = lambda delay, body: sent.append(body["due"])
    world.clock.time = armed - 0.5
    Engine(world.ports, "me").run("rain-local", due=armed)
    assert sent
    assert sent[0] > armed - 0.5


def test_long_retries_do_not_keep_the_endpoint_unwatched(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.SOAK)
    world.endpoint.failures = ["insufficient capacity"] * 8
    state = world.until(lambda s: s.rollout is not None and s.rollout.setbacks >= 6, limit=20000)
    assert state.rollout.retry_at - world.clock.now() > 120
    assert state.wake - world.clock.now() <= 60
    world.endpoint.failures.clear()
    world.until_over()
