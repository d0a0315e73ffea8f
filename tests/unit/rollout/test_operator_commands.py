"""What operators can do to an active rollout."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.errors import ConflictError, RetryableError
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.operators import read_command, take_command
from lambdas.rollout.state import Command, Phase


def test_abort_rolls_back(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("abort")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "ops asked for it" in world.store.texts("abort")[0]


def test_paused_rollout_goes_no_further_until_resumed(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("pause", "c1")
    state = world.pass_time(300)
    assert (state.rollout.phase, state.rollout.step) == (Phase.BAKE, 0)
    world.command("resume", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_paused_rollout_is_still_rolled_back_by_an_alarm(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("pause")
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_promote_ends_the_present_bake_only(world: Any) -> None:
    world.approve()
    begun = world.until_phase(Phase.BAKE).rollout
    world.command("promote")
    state = world.until(lambda s: s.rollout.phase is Phase.BAKE and s.rollout.step == 1)
    assert state.rollout.verified_since - begun.verified_since < 20
    assert not state.rollout.bake_skipped


def test_promote_does_not_overrule_missing_traffic(world: Any) -> None:
    world.alarms.bad["green"] = "INSUFFICIENT_DATA"
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("promote")
    state = world.pass_time(100)
    assert state.rollout.step == 0


def test_command_delivered_twice_has_one_effect(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("pause", "c1")
    world.command("resume", "c2")
    world.command("pause", "c1")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_command_is_taken_in_although_the_table_does_not_answer_at_once(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    save, errors = world.store.save, [RetryableError("throttled"), ConflictError("it has changed")]

    def save_at_last(*given: Any, **named: Any) -> Any:
        if errors:
            raise errors.pop()
        return save(*given, **named)

    world.store.save = save_at_last
    take_command(world.ports, "rain-local", Command("abort-1", "abort", world.clock.now(), "ops"))
    assert [command.id for command in world.store.state.commands] == ["abort-1"]


def test_command_whose_table_never_answers_comes_again(world: Any) -> None:
    world.approve()

    def refuse(*_: Any, **__: Any) -> None:
        raise RetryableError("throttled")

    world.store.save = refuse
    with pytest.raises(RetryableError):
        take_command(world.ports, "rain-local", Command("abort-1", "abort", world.clock.now(), "ops"))


def test_command_for_another_rollout_does_nothing(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("abort", rollout="250101-000000-001")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert "not under way" in world.store.texts("command")[0]


def test_unknown_command_is_refused_with_those_there_are(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("explode")
    assert "abort, pause, resume, promote" in world.store.texts("command")[0]
    world.until_over()


def test_event_of_a_command_carries_its_own_id_unless_the_operator_gave_one() -> None:
    name, command = read_command({"endpoint": "rain-local", "command": "abort"}, "event-1", 5.0)
    assert (name, command.id, command.kind, command.rollout) == ("rain-local", "event-1", "abort", None)
    _, named = read_command({"endpoint": "e", "command": "abort", "id": "mine", "rollout": "r", "by": "me"}, "x", 5.0)
    assert (named.id, named.rollout, named.by) == ("mine", "r", "me")


@pytest.mark.parametrize("kind", ["abort", "promote", "pause"])
def test_command_older_than_the_rollout_is_not_for_it(world: Any, kind: str) -> None:
    sent = world.clock.now()
    world.clock.time += 10
    world.approve()
    world.until_phase(Phase.BAKE)
    take_command(world.ports, "rain-local", Command("late", kind, sent, "ops"))
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    [text] = world.store.texts("command")
    assert "before" in text
    assert "Nothing is done" in text


def test_command_sent_in_the_second_of_the_start_counts(world: Any) -> None:
    world.approve()
    rollout = world.until_phase(Phase.BAKE).rollout
    take_command(world.ports, "rain-local", Command("c", "abort", float(int(rollout.started_at)), "ops"))
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


@pytest.mark.parametrize("phase", [Phase.PREPARE, Phase.SHIFT])
def test_promote_is_refused_where_nothing_is_being_watched(world: Any, phase: Phase) -> None:
    world.approve()
    world.until_phase(phase)
    world.command("promote")
    [text] = world.store.texts("command")
    assert f"in {phase}" in text
    assert "BAKE, APPROVE or SOAK" in text
    assert not world.store.state.rollout.bake_skipped
    world.until_over()


def test_refused_abort_in_finalize_says_how_to_go_back(world: Any) -> None:
    world.approve("1.1.0")
    world.until_over()
    world.approve("1.2.0")
    world.until_phase(Phase.FINALIZE)
    said = world.command("abort", "c1")
    assert not said["numbers"]["accepted"]
    assert "in FINALIZE" in said["text"]
    assert "to go back to 1.1.0, send rollback" in said["text"]
    world.command("rollback", "c2")
    world.until_over()
    assert world.outcomes[1:] == [("1.2.0", "PROMOTED"), ("1.1.0", "PROMOTED")]


def test_refused_abort_of_a_rollout_that_is_taken_back_says_why_it_is(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("abort", "c1")
    world.until_phase(Phase.ROLLBACK, Phase.RESTORE)
    said = world.command("abort", "c2")
    assert not said["numbers"]["accepted"]
    assert "taken back because ops asked for it" in said["text"]
    assert "send retry" in said["text"]


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        ("abort", "rollback"),
        ("pause", "freeze"),
        ("resume", "unfreeze"),
        ("promote", "approve"),
        ("approve", "approve"),
    ],
)
def test_command_without_a_rollout_is_refused_with_what_to_do_instead(world: Any, kind: str, instead: str) -> None:
    said = world.command(kind)
    assert said["numbers"] == {"command": "c1", "name": kind, "by": "ops", "accepted": False}
    assert "not under way on rain-local, where bootstrap is live" in said["text"]
    assert instead in said["text"].split(";")[1]
    world.pass_time(120)
    assert world.outcomes == []


def test_accepted_abort_has_its_command_entry_beside_the_abort(world: Any) -> None:
    world.approve()
    rollout = world.until_phase(Phase.BAKE).rollout
    said = world.command("abort", reason="too slow")
    assert said["numbers"] == {"command": "c1", "name": "abort", "by": "ops", "accepted": True}
    assert (said["rollout"], said["phase"], said["step"]) == (rollout.id, Phase.BAKE, 0)
    assert "too slow" in said["text"]
    assert "too slow" in world.store.texts("abort")[0]


@pytest.mark.parametrize(("first", "second"), [("pause", "pause"), ("resume", "resume")])
def test_pausing_and_resuming_twice_is_accepted_and_changes_nothing(world: Any, first: str, second: str) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("pause", "c0")
    world.command(first, "c1")
    before = world.store.state.rollout
    said = world.command(second, "c2")
    assert said["numbers"]["accepted"]
    assert "nothing changes" in said["text"]
    assert world.store.state.rollout.paused == before.paused
    world.command("resume", "c3")
    world.until_over()


def test_command_for_an_unknown_or_removed_endpoint_is_logged(world: Any) -> None:
    take_command(world.ports, "nobody", Command("c1", "abort", world.clock.now(), "ops"))
    assert any("nobody, which is not in Tidegate's care" in line for line, _ in world.log.lines)
    world.store.save(replace(world.store.state, retired=True), now=world.clock.now())
    take_command(world.ports, "rain-local", Command("c2", "freeze", world.clock.now(), "ops"))
    assert any("the command freeze (c2) of ops" in line for line, _ in world.log.lines)
    assert world.store.state.frozen is None


def test_event_of_a_command_says_how_far_and_where_to() -> None:
    _, full = read_command({"endpoint": "e", "command": "promote", "full": "true"}, "x", 5.0)
    _, part = read_command({"endpoint": "e", "command": "promote", "full": "false"}, "x", 5.0)
    arn = f"arn:aws-us-gov:sagemaker:us-gov-west-1:111122223333:model-package/{'m' * 63}/1234"
    _, back = read_command({"endpoint": "e", "command": "rollback", "to": arn}, "x", 5.0)
    assert (full.full, part.full, back.to) == (True, False, arn)


def test_abandoned_rollout_says_how_to_have_it_again(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.sagemaker.configs["by-hand"] = {"blue": 1}
    world.endpoint.config, world.endpoint.variants = "by-hand", {"blue": world.endpoint.variants["blue"]}
    world.until_over()
    assert "reject it and approve it again" in world.store.texts("abandoned")[0]


@pytest.fixture
def failed_fleet(world: Any, fleet: Fleet) -> Any:
    """Return the world after a change of the instance type was rolled back."""
    world.endpoint.failures = ["insufficient capacity"] * 3
    world.declare(replace(fleet, instance_type="ml.g6.48xlarge"))
    world.until_over()
    return world


def test_rolled_back_fleet_says_that_it_is_not_live_and_what_to_do(failed_fleet: Any) -> None:
    [text] = failed_fleet.store.texts("rolled-back")
    assert "The declared fleet (instance_type ml.g6.48xlarge) is not live" in text
    assert "instance_type ml.g5.xlarge" in text
    assert "retry" in text


def test_retry_rolls_the_failed_fleet_out_again(failed_fleet: Any) -> None:
    failed_fleet.pass_time(300)
    failed_fleet.command("retry")
    failed_fleet.until_over()
    assert failed_fleet.outcomes == [("bootstrap", "ROLLED_BACK"), ("bootstrap", "PROMOTED")]
    assert failed_fleet.store.state.live.fleet.instance_type == "ml.g6.48xlarge"


def test_retry_during_a_rollout_waits_for_its_end(failed_fleet: Any) -> None:
    failed_fleet.approve("1.1.0")
    failed_fleet.until_phase(Phase.BAKE)
    failed_fleet.command("retry")
    failed_fleet.until_over()
    assert failed_fleet.outcomes[1:] == [("1.1.0", "PROMOTED"), ("1.1.0", "PROMOTED")]


def test_retry_when_nothing_has_failed_does_nothing(world: Any) -> None:
    world.pass_time(60)
    world.command("retry")
    assert "Nothing is done" in world.store.texts("command")[0]
    world.pass_time(60)
    assert world.outcomes == []


@pytest.mark.parametrize(("late", "later"), [("pause", "resume"), ("freeze", "unfreeze")])
def test_command_that_arrives_after_one_sent_later_changes_nothing(world: Any, late: str, later: str) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    sent = world.clock.now()
    world.pass_time(5)
    world.command(later, "c2")
    take_command(world.ports, world.store.state.name, Command("c1", late, sent, "ops"))
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert any("sent later has been obeyed" in text for text in world.store.texts("command"))
