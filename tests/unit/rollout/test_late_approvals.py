"""An approval that is heard of late never takes production back; the newest that stands is what is rolled out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.state import Phase


def test_lost_approval_of_an_older_version_is_superseded_once_a_newer_one_is_live(world: Any) -> None:
    older = world.register("1.1.0")
    world.decide(older, "Approved", tell=False)
    world.clock.time += 5
    world.approve("1.2.0")
    world.until_over()
    world.pass_time(300)
    assert world.outcomes == [("1.2.0", "PROMOTED")]
    assert world.store.approvals[older].outcome == "superseded"
    assert world.store.approvals[older].open
    [text] = world.store.texts("superseded")
    assert "1.1.0" in text
    assert "reject it and approve it again" in text


@pytest.mark.parametrize("phase", [None, Phase.BAKE], ids=["while it waits", "while it is rolled out"])
def test_approvals_heard_in_another_order_roll_out_the_newest_only(world: Any, phase: Phase | None) -> None:
    older, newer = world.register("1.1.0"), world.register("1.2.0")
    first = world.decide(older, "Approved", tell=False)
    world.clock.time += 5
    world.hear(newer, world.decide(newer, "Approved", tell=False))
    if phase:
        world.until_phase(phase)
    world.hear(older, first)
    world.until_over()
    world.pass_time(200)
    assert world.outcomes == [("1.2.0", "PROMOTED")]


def test_late_approval_stays_superseded_when_the_newer_version_was_rolled_back(world: Any) -> None:
    older = world.register("1.1.0")
    first = world.decide(older, "Approved", tell=False)
    world.clock.time += 5
    world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.fail("green")
    world.hear(older, first)
    world.until_over()
    world.alarms.bad.clear()
    world.pass_time(300)
    assert world.outcomes == [("1.2.0", "ROLLED_BACK")]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_first_sweep_of_a_group_rolls_out_what_was_approved_last(world: Any, order: tuple[int, ...]) -> None:
    arns = [world.register(f"1.{number}.0") for number in range(4)]
    for number in order:
        world.clock.time += 10
        world.decide(arns[number], "Approved", tell=False)
    world.pass_time(61)
    world.until_over()
    world.pass_time(300)
    assert world.outcomes == [(f"1.{order[-1]}.0", "PROMOTED")]
    assert len(world.store.texts("superseded")) == 3


def test_older_version_approved_anew_is_rolled_out(world: Any) -> None:
    older = world.approve("1.1.0")
    world.until_over()
    world.approve("1.2.0")
    world.until_over()
    world.clock.time += 100
    world.decide(older, "Rejected")
    world.clock.time += 5
    world.decide(older, "Approved")
    world.until_over()
    assert [version for version, _ in world.outcomes] == ["1.1.0", "1.2.0", "1.1.0"]


def test_superseded_version_approved_anew_is_rolled_out(world: Any) -> None:
    older = world.register("1.1.0")
    world.decide(older, "Approved", tell=False)
    world.clock.time += 5
    world.approve("1.2.0")
    world.until_over()
    world.pass_time(61)
    world.decide(older, "Rejected", tell=False)
    world.pass_time(61)
    world.decide(older, "Approved", tell=False)
    world.pass_time(61)
    world.until_over()
    assert [version for version, _ in world.outcomes] == ["1.2.0", "1.1.0"]


def test_version_that_was_displaced_is_rolled_out_when_the_newer_one_is_withdrawn(world: Any) -> None:
    world.approve("1.0.5")
    world.until_phase(Phase.BAKE)
    for version in ("1.1.0", "1.1.5"):
        world.clock.time += 2
        world.approve(version)
    world.clock.time += 2
    newest = world.approve("1.2.0")
    world.clock.time += 2
    world.decide(newest, "Rejected")
    world.pass_time(61)
    assert world.store.state.queued is None or world.store.state.queued.version == "1.1.5"
    world.until_over()
    world.pass_time(300)
    assert world.outcomes == [("1.0.5", "PROMOTED"), ("1.1.5", "PROMOTED")]


def test_version_that_was_displaced_and_rejected_is_not_rolled_out(world: Any) -> None:
    world.approve("1.0.5")
    world.until_phase(Phase.BAKE)
    displaced = world.approve("1.1.0")
    world.clock.time += 2
    newest = world.approve("1.2.0")
    world.decide(displaced, "Rejected")
    world.decide(newest, "Rejected")
    world.until_over()
    world.pass_time(300)
    assert world.outcomes == [("1.0.5", "PROMOTED")]


def test_version_rolled_back_is_not_tried_again_by_the_sweep(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.fail("green")
    world.until_over()
    world.alarms.bad.clear()
    world.pass_time(600)
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_version_that_went_live_while_it_waited_again_is_not_offered_for_ever(world: Any) -> None:
    arn = world.approve("1.1.0")
    world.until_phase(Phase.FINALIZE)
    world.decide(arn, "Rejected")
    world.clock.time += 2
    world.decide(arn, "Approved")
    world.until_over()
    world.pass_time(300)
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert len(world.store.texts("dropped")) == 1


def test_package_that_cannot_be_read_does_not_hide_the_others(world: Any) -> None:
    world.decide(world.register("1.1.0"), "Approved", tell=False)
    bad = world.register("1.2.0", containers=[None])
    world.decide(bad, "Approved", tell=False)
    world.pass_time(61)
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_approval_that_changes_nothing_is_said_once_an_event(world: Any) -> None:
    arn = world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.fail("green")
    world.until_over()
    assert world.store.texts("unchanged") == []
    world.clock.time += 100
    said = world.decide(arn, "Approved")
    world.hear(arn, said)
    world.pass_time(300)
    [text] = world.store.texts("unchanged")
    assert "1.1.0" in text
    assert "reject it and approve it again" in text
    world.clock.time += 100
    world.decide(arn, "Approved")
    assert len(world.store.texts("unchanged")) == 2


def test_approval_found_by_the_sweep_before_its_event_came_is_not_said_to_change_nothing(world: Any) -> None:
    arn = world.register()
    said = world.decide(arn, "Approved", tell=False)
    world.pass_time(61)
    world.hear(arn, replace(said, at=said.at + 2))
    assert world.store.texts("unchanged") == []


def test_container_that_would_not_fit_the_item_is_refused(make_world: Callable[..., Any]) -> None:
    world = make_world()
    big = {"Image": "elsewhere/own:1", "Environment": {f"K{n}": "x" * 1000 for n in range(90)}}
    world.approve(containers=[big])
    assert "KB" in world.store.texts("refused")[0]
