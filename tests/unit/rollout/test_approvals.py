"""Every approval makes exactly one rollout, whatever becomes of its events."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.admission import Said
from lambdas.rollout.state import Phase


def test_event_delivered_twice_makes_one_rollout(world: Any) -> None:
    arn = world.register()
    said = world.decide(arn, "Approved")
    world.hear(arn, said)
    world.until_over()
    world.hear(arn, said)
    world.pass_time(300)
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_lost_event_is_made_up_for_by_the_sweep(world: Any) -> None:
    world.decide(world.register(), "Approved", tell=False)
    world.pass_time(61)
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


@pytest.mark.parametrize("after", [False, True])
def test_crash_while_taking_an_approval_in_loses_nothing(make_world: Callable[..., Any], after: bool) -> None:
    for number in range(1, 7):
        world = make_world()
        arn = world.register()
        world.crashes.at, world.crashes.after = world.crashes.count + number, after
        said = world.decide(arn, "Approved")
        world.hear(arn, said)
        world.pass_time(61)
        world.until_over()
        assert world.outcomes == [("1.1.0", "PROMOTED")], number


def test_rejected_and_approved_again_makes_a_second_rollout(world: Any) -> None:
    arn = world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.fail("green")
    world.until_over()
    world.alarms.bad.clear()
    world.decide(arn, "Rejected")
    world.pass_time(30)
    world.decide(arn, "Approved")
    world.until_over()
    assert world.outcomes == [("1.2.0", "ROLLED_BACK"), ("1.2.0", "PROMOTED")]


@pytest.mark.parametrize("lost", ["reject", "approve", "both"])
def test_second_approval_counts_though_events_are_lost(world: Any, lost: str) -> None:
    arn = world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.fail("green")
    world.until_over()
    world.alarms.bad.clear()
    world.decide(arn, "Rejected", tell=lost == "approve")
    world.pass_time(61)
    world.decide(arn, "Approved", tell=lost == "reject")
    world.pass_time(61)
    world.until_over()
    assert [outcome for _, outcome in world.outcomes] == ["ROLLED_BACK", "PROMOTED"]


def test_rejection_heard_only_after_the_second_approval_still_makes_one_more_rollout(world: Any) -> None:
    arn = world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.fail("green")
    world.until_over()
    world.alarms.bad.clear()
    rejected = world.decide(arn, "Rejected", tell=False)
    world.clock.time += 5
    approved = world.decide(arn, "Approved", tell=False)
    for said in (rejected, approved, rejected, approved):
        world.hear(arn, said)
    world.until_over()
    world.pass_time(300)
    assert [outcome for _, outcome in world.outcomes] == ["ROLLED_BACK", "PROMOTED"]


def test_late_event_of_an_older_state_changes_nothing(world: Any) -> None:
    arn = world.register()
    created = Said("PendingManualApproval", float(int(world.clock.now())))
    world.decide(arn, "Approved")
    world.hear(arn, created)
    world.until_phase(Phase.BAKE)
    world.hear(arn, created)
    world.until_over()
    world.pass_time(200)
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_edited_metadata_of_an_approved_package_starts_nothing(world: Any) -> None:
    arn = world.approve()
    world.until_over()
    world.clock.time += 100
    world.decide(arn, "Approved")
    world.pass_time(120)
    assert len(world.outcomes) == 1


@pytest.mark.parametrize("tell", [True, False], ids=["event", "lost event"])
def test_rejection_during_its_rollout_aborts_it(world: Any, tell: bool) -> None:
    arn = world.approve()
    world.until_phase(Phase.BAKE)
    world.pass_time(2)
    world.decide(arn, "Rejected", tell=tell)
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_package_deleted_during_its_rollout_aborts_it(world: Any) -> None:
    arn = world.approve()
    world.until_phase(Phase.BAKE)
    del world.sagemaker.packages[arn]
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "Deleted" in world.store.texts("abort")[0]


def test_newer_version_approved_meanwhile_waits_for_its_turn(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.approve("1.2.0")
    world.pass_time(2)
    world.approve("1.3.0")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.3.0", "PROMOTED")]


def test_version_rejected_while_it_waits_is_not_rolled_out(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    arn = world.approve("1.2.0")
    world.decide(arn, "Rejected")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert any("1.2.0" in text for text in world.store.texts("dropped"))


def test_approval_of_the_live_version_is_recorded_and_starts_nothing(world: Any) -> None:
    arn = world.approve()
    world.until_over()
    world.decide(arn, "Rejected")
    world.pass_time(5)
    world.decide(arn, "Approved")
    world.pass_time(120)
    assert len(world.outcomes) == 1
    assert any("live already" in text for text in world.store.texts("approved"))


def test_image_from_elsewhere_is_refused_once_with_what_to_do(world: Any) -> None:
    image = {"Image": "docker.io/evil/serving:1", "ModelDataUrl": "s3://artefacts/m.tar.gz"}
    world.approve(containers=[image])
    world.pass_time(300)
    assert world.outcomes == []
    [text] = world.store.texts("refused")
    assert "docker.io/evil/serving:1" in text
    assert "serving" in text
    assert world.notifier.subjects == ["rain-local: refused 1.1.0"]


@pytest.mark.parametrize(
    "container",
    [
        {"ModelDataUrl": "s3://other/m.tar.gz"},
        {"ModelDataUrl": "s3://artefacts-of-others/m.tar.gz"},
        {"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://other/m/"}}},
        {"AdditionalModelDataSources": [{"S3DataSource": {"S3Uri": "s3://other/m/"}}]},
    ],
)
def test_artefact_from_elsewhere_is_refused(world: Any, container: dict[str, Any]) -> None:
    world.approve(containers=[{"Image": "elsewhere/own:1", **container}])
    world.pass_time(120)
    assert world.outcomes == []
    assert "artefacts" in world.store.texts("refused")[0]


def test_package_of_several_containers_is_refused(world: Any) -> None:
    world.approve(containers=[{"Image": "elsewhere/own:1"}, {"Image": "elsewhere/own:2"}])
    assert "2 containers" in world.store.texts("refused")[0]


def test_approval_before_the_endpoint_is_known_is_found_by_the_sweep(make_world: Callable[..., Any]) -> None:
    world = make_world()
    written = dict(world.store.written)
    world.store.written.clear()
    world.approve()
    world.store.written.update(written)
    world.pass_time(61)
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_policy_changed_meanwhile_counts_from_the_next_rollout_on(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.settings.policy = replace(world.settings.policy, steps=world.settings.policy.steps[-1:])
    world.until_over()
    world.approve("1.2.0")
    world.until_over()
    assert [weights.get("green") for weights in world.sagemaker.named("set_weights")] == [10, 50, 100, 0]


def test_second_copy_of_a_rejection_does_not_end_the_next_approval(world: Any) -> None:
    arn = world.approve()
    world.until_phase(Phase.BAKE)
    rejected = world.decide(arn, "Rejected")
    world.until_over()
    approved = world.decide(arn, "Approved", tell=False)
    # A registry that does not say when a package was last modified.
    package = world.sagemaker.packages[arn]
    world.sagemaker.packages[arn] = replace(package, modified_at=0.0)
    world.hear(arn, Said("Approved", rejected.at))
    world.hear(arn, rejected)
    world.hear(arn, approved)
    world.until_over()
    world.pass_time(200)
    assert [outcome for _, outcome in world.outcomes] == ["ROLLED_BACK", "PROMOTED"]
