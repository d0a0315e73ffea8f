"""What operators can do to an active rollout."""

from typing import Any

from lambdas.rollout.operators import read_command
from lambdas.rollout.state import Phase


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
