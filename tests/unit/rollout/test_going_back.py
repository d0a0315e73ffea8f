"""Rolling back, at somebody's wish, to a version that was live before."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.errors import RetryableError
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.policy import Step, Window
from lambdas.rollout.state import Phase
from lambdas.rollout.versions import is_unknown

_UNKNOWN = (
    "nobody knows which version is live with the config {config}, which was put live by hand, or made from one that "
    "was; name the version to go to (history lists them)"
)


@pytest.fixture
def grown(world: Any) -> Any:
    """Return a world in which 1.1.0 and then 1.2.0 went live."""
    for version in ("1.1.0", "1.2.0"):
        world.approve(version)
        world.until_over()
        world.clock.time += 2
    return world


def go_back(world: Any, to: str = "", identity: str = "c1") -> dict[str, Any]:
    """Roll back, and return the audit entry of that."""
    said: dict[str, Any] = world.command("rollback", identity, to=to)
    return said


def arn_of(world: Any, version: str) -> str:
    """Return a version's package."""
    found: str = next(arn for arn, package in world.sagemaker.packages.items() if package.version == version)
    return found


def put_by_hand(world: Any, config: str = "by-hand") -> None:
    """Put a config live past the engine, which takes it for granted."""
    world.sagemaker.configs[config] = dict.fromkeys(world.endpoint.variants, 1)
    world.endpoint.config = config
    world.pass_time(120)
    assert is_unknown(world.store.state.live)


def change_fleet(world: Any) -> None:
    """Have what is live rolled out onto other instances."""
    world.declare(replace(world.store.state.desired_fleet, instance_type="ml.g6.xlarge"))
    world.until_over()
    assert world.store.state.live.fleet.instance_type == "ml.g6.xlarge"


def check_refused(said: dict[str, Any], why: str) -> None:
    """Check that a rollback was refused, and for what."""
    assert not said["numbers"]["accepted"]
    assert why in said["text"]


# From an endpoint on which nothing is under way.


@pytest.mark.parametrize("to", ["", "1.1.0", "1", "arn"])
def test_version_that_was_live_before_goes_straight_to_all_the_traffic(grown: Any, to: str) -> None:
    said = go_back(grown, arn_of(grown, "1.1.0") if to == "arn" else to)
    assert said["numbers"]["accepted"]
    before = len(grown.sagemaker.named("set_weights"))
    grown.until_over()
    assert grown.outcomes[-1] == ("1.1.0", "PROMOTED")
    assert grown.sagemaker.named("set_weights")[before:] == [{"green": 100.0, "blue": 0.0}]
    assert "straight, because ops asked to roll back" in grown.store.texts("start")[-1]


def test_version_that_was_rolled_back_from_does_not_come_again(grown: Any) -> None:
    go_back(grown)
    grown.until_over()
    grown.pass_time(600)
    assert [version for version, _ in grown.outcomes] == ["1.1.0", "1.2.0", "1.1.0"]
    assert grown.store.state.live.version == "1.1.0"


def test_version_before_the_last_is_cloned_from_the_config_that_it_was_live_with(grown: Any) -> None:
    config = grown.store.state.previous_config
    go_back(grown, "1.1.0")
    state = grown.until_phase(Phase.BAKE, Phase.SOAK)
    model = grown.sagemaker.models[state.rollout.model]
    assert (model.container, model.source_config, model.source_slot) == (None, config, "green")
    assert config in grown.sagemaker.configs
    grown.until_over()


def test_bootstrap_model_can_be_gone_back_to_though_it_is_in_no_registry(grown: Any, fleet: Fleet) -> None:
    assert go_back(grown, "bootstrap")["numbers"]["accepted"]
    state = grown.until_over()
    assert grown.outcomes[-1] == ("bootstrap", "PROMOTED")
    assert (state.live.version, state.live.package_arn, state.live.image) == ("bootstrap", None, fleet.image)
    model = list(grown.sagemaker.models.values())[-1]
    assert (model.source_config, model.source_slot) == ("rain-local-bootstrap-1", "blue")


def test_bootstrap_model_that_is_live_can_be_gone_back_to_after_a_look_elsewhere(grown: Any) -> None:
    go_back(grown, "bootstrap", "c1")
    grown.until_over()
    assert "bootstrap is live already" in go_back(grown, "bootstrap", "c2")["text"]
    go_back(grown, "1.2.0", "c3")
    grown.until_over()
    assert grown.store.state.live.version == "1.2.0"


def test_version_whose_config_is_gone_comes_from_the_registry(grown: Any) -> None:
    grown.approve("1.3.0")
    grown.until_over()
    grown.pass_time(120)
    assert go_back(grown, "1.1.0")["numbers"]["accepted"]
    rollout = grown.until(lambda state: state.rollout is not None).rollout
    assert rollout.container["ModelDataUrl"] == "s3://artefacts/1.1.0/model.tar.gz"
    assert [step.weight for step in rollout.policy.plan] == [100]
    grown.until_over()
    assert grown.store.state.live.package_arn == arn_of(grown, "1.1.0")


def test_version_whose_config_is_gone_and_which_was_rejected_is_refused(grown: Any) -> None:
    grown.approve("1.3.0")
    grown.until_over()
    grown.pass_time(120)
    grown.decide(arn_of(grown, "1.1.0"), "Rejected")
    said = go_back(grown, "1.1.0")
    assert not said["numbers"]["accepted"]
    assert "1.1.0 is Rejected in the registry; approve it" in said["text"]


def test_version_that_was_rejected_meanwhile_can_be_gone_back_to_while_its_config_is_there(grown: Any) -> None:
    grown.decide(arn_of(grown, "1.1.0"), "Rejected")
    grown.pass_time(120)
    go_back(grown, "1.1.0")
    grown.until_over()
    grown.pass_time(120)
    assert grown.outcomes[-1] == ("1.1.0", "PROMOTED")


def test_approved_version_that_was_never_live_takes_the_steps(grown: Any) -> None:
    grown.approve("1.3.0")
    grown.until_phase(Phase.BAKE)
    grown.command("abort", "c0")
    grown.until_over()
    said = go_back(grown, "1.3.0")
    assert "step by step, for it is not known to have been live" in said["text"]
    rollout = grown.until(lambda state: state.rollout is not None).rollout
    assert [step.weight for step in rollout.policy.plan] == [10, 50, 100]
    grown.until_over()


def test_package_of_another_group_is_refused(grown: Any) -> None:
    arn = grown.register("9.9.9")
    grown.sagemaker.packages[arn] = replace(grown.sagemaker.packages[arn], group="other", approval="Approved")
    said = go_back(grown, arn)
    assert not said["numbers"]["accepted"]
    assert "newest approved packages of rain-local" in said["text"]


def test_package_that_may_not_be_rolled_out_is_refused(grown: Any) -> None:
    grown.approve("9.9.9", containers=[{"Image": "docker.io/evil/serving:1", "ModelDataUrl": "s3://artefacts/m"}])
    said = go_back(grown, "9.9.9")
    assert not said["numbers"]["accepted"]
    assert "docker.io/evil/serving:1" in said["text"]


def test_unknown_version_is_refused_with_what_can_be_named(grown: Any) -> None:
    said = go_back(grown, "7.7.7")
    assert not said["numbers"]["accepted"]
    assert "a package's number or ARN" in said["text"]
    grown.pass_time(120)
    assert len(grown.outcomes) == 2


def test_registry_that_cannot_be_read_makes_a_refusal_not_a_silence(grown: Any) -> None:
    def down(group: str) -> list[str]:
        raise RetryableError("ThrottlingException")

    grown.ports = replace(grown.ports, registry=type("Down", (), {"approved": staticmethod(down)})())
    said = go_back(grown, "7.7.7")
    assert not said["numbers"]["accepted"]
    assert "ThrottlingException" in said["text"]


def test_way_back_needs_no_registry_while_the_config_is_there(grown: Any) -> None:
    def down(arn: str) -> None:
        raise RetryableError("ThrottlingException")

    grown.ports = replace(grown.ports, registry=type("Down", (), {"describe": staticmethod(down)})())
    go_back(grown)
    grown.until(lambda state: state.live.version == "1.1.0")


def test_live_version_is_refused(grown: Any) -> None:
    said = go_back(grown, "1.2.0")
    assert not said["numbers"]["accepted"]
    assert "1.2.0 is live already" in said["text"]


def test_endpoint_that_had_one_version_only_has_none_to_go_back_to(world: Any) -> None:
    said = go_back(world)
    assert not said["numbers"]["accepted"]
    assert "no version is remembered that was live before bootstrap" in said["text"]


def test_version_before_is_not_guessed_where_none_is_remembered(grown: Any) -> None:
    grown.store.save(replace(grown.store.state, past=()), now=grown.clock.now())
    said = go_back(grown)
    assert not said["numbers"]["accepted"]
    assert "no version is remembered that was live before 1.2.0" in said["text"]


def test_way_back_is_held_up_neither_by_a_freeze_nor_by_the_hour_nor_by_a_new_fleet(grown: Any, fleet: Fleet) -> None:
    grown.command("freeze", "c0")
    never = Window(("sun",), "03:00", "03:01")
    grown.settings.policy = replace(grown.settings.policy, windows=(never,))
    grown.declare(replace(fleet, instance_type="ml.g6.xlarge"))
    go_back(grown)
    grown.until(lambda state: state.live.version == "1.1.0")
    assert grown.outcomes[-1] == ("1.1.0", "PROMOTED")


def test_alarm_takes_the_way_back_back(grown: Any) -> None:
    go_back(grown)
    grown.until_phase(Phase.SOAK)
    grown.fail("green")
    grown.until_over()
    assert grown.outcomes[-1] == ("1.1.0", "ROLLED_BACK")


def test_way_back_that_failed_can_be_tried_again_from_the_same_config(grown: Any) -> None:
    go_back(grown)
    state = grown.until_phase(Phase.SOAK)
    grown.fail("green")
    grown.until_over()
    grown.alarms.bad.clear()
    grown.pass_time(300)
    assert state.rollout.source.config in grown.sagemaker.configs
    grown.command("retry", "c2")
    again = grown.until_phase(Phase.SOAK).rollout
    assert (again.id != state.rollout.id, again.source) == (True, state.rollout.source)
    grown.until_over()
    assert grown.outcomes[-1] == ("1.1.0", "PROMOTED")


def test_config_of_a_version_that_waits_to_be_gone_back_to_is_kept(grown: Any) -> None:
    grown.alarms.bad["green"] = "ALARM"
    config = grown.store.state.previous_config
    go_back(grown)
    grown.store.save(replace(grown.store.state, previous_config="rain-local-bootstrap-1"), now=grown.clock.now())
    grown.pass_time(600)
    assert config in grown.sagemaker.configs
    grown.alarms.bad.clear()
    grown.until_over()
    assert grown.outcomes[-1] == ("1.1.0", "PROMOTED")


@pytest.mark.parametrize("version", ["1.2.0", "bootstrap"])
def test_what_somebody_put_live_by_hand_can_be_gone_back_from_to_a_version_that_is_named(
    grown: Any, version: str
) -> None:
    put_by_hand(grown)
    check_refused(go_back(grown, identity="unnamed"), _UNKNOWN.format(config="by-hand"))
    go_back(grown, version)
    grown.until_over()
    assert grown.store.state.live.version == version


def test_version_that_was_replaced_by_hand_during_a_rollout_can_be_gone_back_to(grown: Any) -> None:
    grown.approve("1.3.0")
    grown.until_phase(Phase.BAKE)
    grown.sagemaker.configs["by-hand"] = {"blue": 1}
    grown.endpoint.config, grown.endpoint.variants = "by-hand", {"blue": grown.endpoint.variants["blue"]}
    grown.until_over()
    assert grown.outcomes[-1] == ("1.3.0", "ABANDONED")
    go_back(grown, "1.2.0")
    grown.until_over()
    assert grown.store.state.live.version == "1.2.0"


def test_copy_of_what_was_put_live_by_hand_is_not_said_to_have_been_put_there_by_hand(grown: Any) -> None:
    put_by_hand(grown)
    change_fleet(grown)
    config = grown.store.state.live.config
    assert config.endswith("-final")
    check_refused(go_back(grown), _UNKNOWN.format(config=config))


def test_registered_version_called_unknown_is_gone_back_from_like_any_other(grown: Any) -> None:
    grown.approve("unknown")
    grown.until_over()
    go_back(grown)
    grown.until_over()
    assert grown.store.state.live.version == "1.2.0"


@pytest.mark.parametrize("flight", ["rollback", "by hand"])
def test_version_that_was_fled_from_and_rejected_is_not_advised_to_be_approved(grown: Any, flight: str) -> None:
    fled_from = arn_of(grown, "1.2.0")
    go_back(grown, identity="c1") if flight == "rollback" else put_by_hand(grown)
    grown.until_over()
    change_fleet(grown)
    grown.decide(fled_from, "Rejected")
    said = go_back(grown, identity="c2")
    check_refused(said, "somebody rolled back to it" if flight == "rollback" else "nobody knows which version")
    assert "approve it" not in said["text"]


# While a rollout is under way, and after it, on top of what somebody put live by hand.


def test_going_back_from_a_rollout_on_top_of_a_config_put_live_by_hand_stays_on_that(grown: Any) -> None:
    put_by_hand(grown)
    grown.approve("1.3.0")
    grown.until_phase(Phase.BAKE)
    said = go_back(grown)
    assert said["numbers"]["accepted"]
    assert "unknown (what was live with the config by-hand) stays live" in said["text"]
    grown.until_over()
    assert grown.outcomes[2:] == [("1.3.0", "ROLLED_BACK")]
    assert grown.endpoint.config == "by-hand"


@pytest.mark.parametrize("asked", ["in FINALIZE", "after the promotion"])
def test_config_put_live_by_hand_is_gone_back_to_from_what_replaced_it(grown: Any, asked: str) -> None:
    put_by_hand(grown)
    grown.approve("1.3.0")
    grown.until_phase(Phase.FINALIZE) if asked == "in FINALIZE" else grown.until_over()
    said = go_back(grown, identity="c1")
    assert said["numbers"]["accepted"]
    assert "unknown (what was live with the config by-hand) is rolled out" in said["text"]
    grown.pass_time(5)
    state = grown.until_over()
    assert grown.outcomes[2:] == [("1.3.0", "PROMOTED"), ("unknown", "PROMOTED")]
    model = list(grown.sagemaker.models.values())[-1]
    assert (model.container, model.source_config) == (None, "by-hand")
    check_refused(go_back(grown, identity="c2"), _UNKNOWN.format(config=state.live.config))


# While a rollout is under way.


def test_going_back_to_the_live_version_aborts_the_rollout(grown: Any) -> None:
    grown.approve("1.3.0")
    grown.until_phase(Phase.BAKE)
    said = go_back(grown)
    assert said["numbers"]["accepted"]
    assert "1.2.0 stays live" in said["text"]
    assert grown.store.state.queued is None
    grown.until_over()
    assert grown.outcomes[-1] == ("1.3.0", "ROLLED_BACK")
    assert "ops asked to roll back to 1.2.0" in grown.store.texts("abort")[0]
    grown.pass_time(300)
    assert len(grown.outcomes) == 3


def test_going_back_further_aborts_the_rollout_and_then_rolls_that_version_out(grown: Any) -> None:
    grown.approve("1.3.0")
    grown.until_phase(Phase.BAKE)
    go_back(grown, "1.1.0")
    grown.until_over()
    grown.pass_time(300)
    assert grown.outcomes[2:] == [("1.3.0", "ROLLED_BACK"), ("1.1.0", "PROMOTED")]


def test_going_back_comes_before_what_waits_which_is_said_and_does_not_come_again(grown: Any) -> None:
    grown.approve("1.3.0")
    grown.until_phase(Phase.BAKE)
    grown.approve("1.4.0")
    said = go_back(grown, "1.1.0")
    assert "It takes the place of 1.4.0" in said["text"]
    grown.until_over()
    grown.pass_time(300)
    assert grown.outcomes[2:] == [("1.3.0", "ROLLED_BACK"), ("1.1.0", "PROMOTED")]


@pytest.mark.parametrize("newer_version", ["queue", "restart"])
def test_version_approved_meanwhile_waits_for_the_way_back(grown: Any, newer_version: str) -> None:
    grown.settings.policy = replace(grown.settings.policy, newer_version=newer_version)
    grown.approve("1.3.0")
    grown.until_phase(Phase.BAKE)
    go_back(grown, "1.1.0")
    grown.approve("1.4.0")
    assert "1.1.0 goes first, because ops asked to roll back" in grown.store.texts("superseded")[-1]
    grown.until(lambda state: state.rollout is not None and state.rollout.version == "1.4.0")
    grown.until_over()
    assert grown.outcomes[2:] == [("1.3.0", "ROLLED_BACK"), ("1.1.0", "PROMOTED"), ("1.4.0", "PROMOTED")]


def test_newer_version_does_not_end_the_way_back(grown: Any) -> None:
    grown.settings.policy = replace(grown.settings.policy, newer_version="restart")
    go_back(grown)
    grown.until_phase(Phase.SOAK)
    grown.approve("1.3.0")
    grown.until_over()
    assert grown.outcomes[2:] == [("1.1.0", "PROMOTED"), ("1.3.0", "PROMOTED")]


def test_going_back_to_what_is_being_rolled_out_is_refused(grown: Any) -> None:
    go_back(grown, "1.1.0", "c1")
    grown.until_phase(Phase.SOAK)
    said = go_back(grown, "1.1.0", "c2")
    assert not said["numbers"]["accepted"]
    assert "1.1.0 is what is being rolled out, in SOAK" in said["text"]
    grown.until_over()


def test_going_back_to_where_the_endpoint_is_going_anyway_is_refused(grown: Any) -> None:
    grown.approve("1.3.0")
    grown.until_phase(Phase.BAKE)
    grown.command("abort", "c0")
    said = go_back(grown)
    assert not said["numbers"]["accepted"]
    assert "1.2.0 has all the traffic again soon" in said["text"]


def test_going_back_while_the_old_version_is_let_go_of_starts_once_that_is_over(grown: Any) -> None:
    grown.approve("1.3.0")
    grown.until_phase(Phase.FINALIZE)
    assert "next, once the rollout of 1.3.0 is over" in go_back(grown, "1.1.0")["text"]
    grown.pass_time(5)
    grown.until_over()
    assert grown.outcomes[2:] == [("1.3.0", "PROMOTED"), ("1.1.0", "PROMOTED")]


def test_going_back_that_was_sent_before_the_rollout_started_does_not_abort_it_unless_it_names_a_version(
    grown: Any,
) -> None:
    grown.approve("1.3.0")
    rollout = grown.until_phase(Phase.BAKE).rollout
    now, grown.clock.time = grown.clock.time, rollout.started_at - 5
    said = go_back(grown)
    grown.clock.time = now
    assert not said["numbers"]["accepted"]
    assert "that was before the rollout" in said["text"]
    grown.until_over()
    assert grown.outcomes[-1] == ("1.3.0", "PROMOTED")


@pytest.mark.parametrize("waiting", [True, False])
def test_withdrawal_of_a_package_does_not_stop_its_clone_from_being_gone_back_to(grown: Any, waiting: bool) -> None:
    grown.alarms.bad["green"] = "ALARM" if waiting else "OK"
    go_back(grown)
    grown.until(lambda state: state.queued is not None if waiting else state.rollout is not None)
    grown.decide(arn_of(grown, "1.1.0"), "Rejected")
    grown.alarms.bad.clear()
    grown.until_over()
    assert grown.outcomes[-1] == ("1.1.0", "PROMOTED")


def test_last_step_that_asks_for_approval_asks_for_none_on_the_way_back(grown: Any) -> None:
    grown.settings.policy = replace(grown.settings.policy, steps=(Step(10, 20), Step(100, approval=True)))
    go_back(grown, "", "c1")
    grown.until_over()
    assert grown.outcomes[-1] == ("1.1.0", "PROMOTED")
    assert not any(entry["phase"] == "APPROVE" for entry in grown.store.audit)


def test_going_back_twice_without_a_name_goes_back_once(grown: Any) -> None:
    go_back(grown, identity="c1")
    grown.until_phase(Phase.PREPARE)
    assert not go_back(grown, identity="c2")["numbers"]["accepted"]
    grown.until_over()
    refused = go_back(grown, identity="c3")
    assert "is live because somebody rolled back to it" in refused["text"]
    grown.pass_time(600)
    assert grown.store.state.live.version == "1.1.0"
    assert go_back(grown, "bootstrap", "c4")["numbers"]["accepted"]


def test_going_back_without_a_name_is_not_undone_once_the_fleet_has_changed(grown: Any) -> None:
    go_back(grown, identity="c1")
    grown.until_over()
    change_fleet(grown)
    check_refused(go_back(grown, identity="c2"), "1.1.0 is live because somebody rolled back to it")
    grown.pass_time(600)
    assert grown.store.state.live.version == "1.1.0"


def test_way_back_that_is_being_aborted_is_not_said_to_be_under_way(grown: Any) -> None:
    go_back(grown, identity="c1")
    grown.until_phase(Phase.SOAK)
    grown.command("abort", "c2")
    check_refused(go_back(grown, identity="c3"), "1.2.0 has all the traffic again soon")


def test_going_back_from_a_rollout_on_top_of_what_was_gone_back_to_stays_on_that(grown: Any) -> None:
    go_back(grown, identity="c1")
    grown.until_over()
    grown.approve("1.3.0")
    grown.until_phase(Phase.BAKE)
    assert "1.1.0 stays live" in go_back(grown, identity="c2")["text"]
    grown.until_over()
    check_refused(go_back(grown, identity="c3"), "1.1.0 is live because somebody rolled back to it")


def test_version_that_nobody_went_back_to_is_gone_back_from_once_the_fleet_has_changed(grown: Any) -> None:
    change_fleet(grown)
    go_back(grown)
    grown.until_over()
    assert grown.outcomes[-1] == ("1.1.0", "PROMOTED")


def give_up_and_try_again(world: Any, identity: str, **again: Any) -> None:
    """Abort what is under way, and have it once more."""
    world.until_phase(Phase.PREPARE, Phase.BAKE, Phase.SOAK)
    world.command("abort", f"abort-{identity}")
    world.until_over()
    world.command(identity="again-" + identity, **{"kind": "retry", **again})
    assert not world.until(lambda state: state.rollout is not None).rollout.urgent


@pytest.mark.parametrize("attempts", [[{}], [{"kind": "promote", "full": True}], [{}, {}]])
def test_going_back_without_a_name_is_not_undone_once_it_was_tried_again(
    grown: Any, attempts: list[dict[str, Any]]
) -> None:
    go_back(grown, identity="c1")
    for number, again in enumerate(attempts):
        give_up_and_try_again(grown, str(number), **again)
    check_refused(go_back(grown, identity="c2"), "1.1.0 is being rolled back to already")
    grown.until_over()
    assert grown.outcomes[-1] == ("1.1.0", "PROMOTED")
    check_refused(go_back(grown, identity="c3"), "1.1.0 is live because somebody rolled back to it")
    grown.pass_time(600)
    assert grown.store.state.live.version == "1.1.0"


def test_version_that_failed_on_its_way_forward_is_gone_back_from_once_it_was_tried_again(grown: Any) -> None:
    grown.approve("1.3.0")
    give_up_and_try_again(grown, "1")
    grown.until_over()
    go_back(grown)
    grown.until_over()
    assert grown.store.state.live.version == "1.2.0"
