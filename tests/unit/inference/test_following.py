"""The endpoint of the jobs follows the live version, whatever is killed or fails, and goes without leaving anything."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.contract import JOBS_VARIANT
from lambdas.inference.following.adapters.scaling import alarm, first_step, tracking
from lambdas.inference.following.follower import Follower
from lambdas.inference.following.retiring import Retiring
from lambdas.inference.following.standing import PAUSES, Standing
from lambdas.inference.following.wanted import wanted
from lambdas.inference.settings import Asynchronous
from lambdas.rollout.errors import ConflictError, PermanentError, RetryableError, TidegateError, TimedOutError
from tests.unit.inference.following_world import NAME, OWN, PLAN, START, CrashError, World, artefact_of, live


def followed() -> World:
    """A first version, then another, with all the time that it takes."""
    world = World()
    world.minutes(6)
    world.promote("v2")
    world.minutes(10)
    return world


def only_made(world: World, count: int = 1) -> None:
    assert (len(world.endpoints.models), len(world.endpoints.configs)) == (count, count)


def test_the_first_version_gets_an_endpoint() -> None:
    world = World()
    world.minutes(4)
    assert world.answers == "v1"
    standing = world.standings.written
    assert (standing.version, standing.key, standing.token) == ("v1", "arn:v1", "1")
    assert standing.ready_at > START
    assert world.scaling.kept == 1
    assert not world.faults.reasons


def test_a_promoted_version_takes_over_and_nothing_of_the_old_one_stays() -> None:
    world = followed()
    assert world.answers == "v2"
    assert (world.standings.written.version, world.standings.written.token) == ("v2", "2")
    only_made(world)


def test_nothing_is_touched_while_nothing_changes() -> None:
    world = followed()
    before = world.standings.written
    world.minutes(30)
    assert world.standings.written == before
    assert len(world.endpoints.updates) == 1
    assert world.scaling.kept == 1


def test_scaling_is_put_right_once_an_hour() -> None:
    world = followed()
    world.minutes(180)
    assert world.scaling.kept in (3, 4)


def test_nothing_follows_before_there_is_a_version() -> None:
    world = World(version=None)
    world.minutes(3)
    assert world.endpoints.endpoint is None
    assert world.standings.written == Standing(NAME)


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_it_still_follows(after: bool) -> None:
    calls = followed().calls
    for crash_at in range(1, calls + 1):
        world = World()
        world.crash_at, world.crash_after = crash_at, after
        world.minutes(6)
        world.promote("v2")
        world.minutes(25)
        assert world.answers == "v2", f"killed at call {crash_at}"
        assert world.standings.written.token, f"killed at call {crash_at}"
        only_made(world)
        assert world.scaling.there


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["v1", "v2", "v3"]), st.integers(0, 7)), max_size=6),
    st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=4),
    st.lists(st.sampled_from(["no capacity"]), max_size=2),
)
def test_after_any_history_the_live_version_answers(
    versions: list[tuple[str, int]], crashes: list[tuple[int, bool]], fails: list[str]
) -> None:
    world = World()
    world.endpoints.fails = list(fails)
    for version, minutes in versions:
        world.promote(version)
        if crashes and world.crash_at is None:
            after, world.crash_after = crashes.pop()
            world.crash_at = world.calls + after
        world.minutes(minutes)
    world.crash_at = None
    world.minutes(120)
    assert world.live.found is not None
    assert world.answers == world.live.found.version
    only_made(world)


def test_of_two_that_look_at_once_one_gives_way() -> None:
    world = World()
    world.minutes(5)
    first, stale = Follower(world.ports(), PLAN), world.standings.written
    world.promote("v2")
    first.look()
    second = World()
    second.standings, second.endpoints, second.live = world.standings, world.endpoints, world.live
    world.standings.load = lambda _: stale  # type: ignore[method-assign]
    with pytest.raises(ConflictError):
        first._catch_up(stale, live("v3"), wanted(PLAN, live("v3")), world.endpoints.describe(OWN))
    assert [config for config, _ in world.endpoints.updates] == [wanted(PLAN, live("v2")).config_name]


def test_a_version_whose_artefact_was_changed_is_not_followed() -> None:
    world = World()
    world.minutes(5)
    before, answered = dict(world.endpoints.models), world.standings.written.token
    world.trust.objects[artefact_of("v2")] = b"other weights"
    world.promote("v2")
    world.minutes(90)
    assert (world.answers, world.endpoints.models, world.endpoints.updates) == ("v1", before, [])
    assert world.standings.written.token == answered != "", "it is certain which version answers"
    told = world.faults.reasons[0]
    kept = wanted(PLAN, live("v1")).config_name
    assert told.startswith(f"{OWN} stays with {kept}: no model is made of v2: its artefact {artefact_of('v2')} has the")
    assert "register the model under a new version" in told
    assert world.scaling.kept == 2, "once an hour"
    world.promote("v3")
    world.minutes(5)
    assert world.answers == "v3"


def test_no_endpoint_is_made_of_an_artefact_that_was_changed() -> None:
    world = World()
    world.trust.objects[artefact_of("v1")] = b"other weights"
    world.minutes(3)
    assert world.endpoints.endpoint is None
    assert world.standings.written == Standing(NAME)
    assert world.faults.reasons[0].startswith(f"{OWN} is not made: no model is made of v1: its artefact")


def test_what_failed_is_left_where_the_next_version_is_not_trusted() -> None:
    world = World()
    world.endpoints.fails = ["the container does not start"]
    world.minutes(5)
    world.trust.objects[artefact_of("v2")] = b"other weights"
    world.promote("v2")
    world.minutes(5)
    assert world.endpoints.endpoint is not None
    assert f"{OWN} is Failed, and is not made anew: no model is made of v2" in world.faults.reasons[-1]


@pytest.mark.parametrize("error", [None, RetryableError("S3 is busy"), PermanentError("it must not be read")])
def test_scaling_that_was_released_comes_back_where_the_version_is_not_known_to_be_good(
    error: TidegateError | None,
) -> None:
    world = World()
    world.minutes(6)
    world.promote("v2", "ml.g5.xlarge")
    update = world.endpoints.update

    def killed(*_: object, **__: object) -> None:
        world.endpoints.update = update  # type: ignore[method-assign]
        raise CrashError

    world.endpoints.update = killed  # type: ignore[method-assign]
    world.look()
    assert not world.scaling.there
    if error is None:
        world.trust.objects[artefact_of("v2")] = b"other weights"
    else:
        world.trust.unread = [error, error]
    world.minutes(2)
    assert (world.answers, world.scaling.there) == ("v1", True)
    assert error is None or str(error) in world.log, "the function fails with it"
    world.trust.objects.clear()
    world.minutes(5)
    assert (world.answers, world.scaling.there) == ("v2", True)


def test_an_artefact_that_cannot_be_read_is_read_by_a_later_look() -> None:
    world = World()
    world.minutes(5)
    world.trust.unread = [RetryableError("S3 is busy"), TimedOutError("no answer")]
    world.promote("v2")
    world.minutes(2)
    assert (world.endpoints.updates, world.faults.reasons) == ([], [])
    world.minutes(5)
    assert world.answers == "v2"


def test_artefacts_are_read_when_something_is_to_be_made_and_not_of_unsigned_versions() -> None:
    world = followed()
    world.minutes(30)
    assert world.trust.asked == [artefact_of("v1"), artefact_of("v2")]
    assert world.live.found is not None
    world.live.found = replace(live("v3"), sha256="")
    world.minutes(5)
    assert (world.answers, len(world.trust.asked)) == ("v3", 2)


def test_an_update_that_fails_is_told_and_asked_for_again_later() -> None:
    world = World()
    world.minutes(5)
    world.endpoints.fails = ["no capacity"]
    world.promote("v2")
    world.minutes(6)
    assert world.answers == "v1"
    assert not world.standings.written.token, "which version answers is not certain"
    assert "no capacity" in world.faults.reasons[0]
    assert len(world.endpoints.updates) == 1
    world.minutes(int(PAUSES[0] / 60) + 5)
    assert world.answers == "v2"


@pytest.mark.parametrize("after", [False, True])
def test_it_moves_to_other_instances_wherever_it_is_killed(after: bool) -> None:
    for crash_at in range(25):
        world = World()
        world.minutes(6)
        world.promote("v2", "ml.g5.xlarge")
        world.crash_at, world.crash_after = world.calls + crash_at, after
        world.minutes(25)
        assert world.answers == "v2", f"killed at call {crash_at}"
        assert world.scaling.there, f"killed at call {crash_at}"
        assert not world.faults.reasons


def test_what_does_not_get_other_instances_still_scales() -> None:
    world = World()
    world.minutes(6)
    world.endpoints.fails = ["no capacity"]
    world.promote("v2", "ml.g5.xlarge")
    world.minutes(6)
    assert (world.answers, world.scaling.there) == ("v1", True)
    world.minutes(int(PAUSES[0] / 60) + 5)
    assert (world.answers, world.scaling.there) == ("v2", True)


def test_a_change_that_was_never_asked_for_is_asked_for_by_the_next_look() -> None:
    world = World()
    world.minutes(5)
    world.promote("v2")
    update = world.endpoints.update

    def killed(*_: object, **__: object) -> None:
        world.endpoints.update = update  # type: ignore[method-assign]
        raise CrashError

    world.endpoints.update = killed  # type: ignore[method-assign]
    world.minutes(2)
    assert len(world.endpoints.updates) == 1
    assert not world.faults.reasons


def test_an_endpoint_that_failed_to_start_is_made_anew() -> None:
    world = World()
    world.endpoints.fails = ["the container does not start"]
    world.minutes(6)
    assert world.answers == ""
    assert not world.standings.written.ready_at
    assert "the container does not start" in world.faults.reasons[0]
    world.minutes(int(PAUSES[0] / 60) + 10)
    assert world.answers == "v1"


def test_instances_are_kept_and_from_none_one_is_started() -> None:
    world = World()
    world.minutes(5)
    world.promote("v2")
    world.minutes(5)
    assert world.endpoints.endpoint is not None
    world.endpoints.endpoint = replace(world.endpoints.endpoint, instances=0)
    world.promote("v3")
    world.minutes(5)
    assert [keep for _, keep in world.endpoints.updates] == [True, False]


ENOUGH = int(sum(PAUSES) / 60) + 60


def test_a_version_that_never_starts_is_tried_ever_more_rarely_and_then_no_more() -> None:
    world = World()
    world.minutes(5)
    world.endpoints.fails = ["the container does not start"] * 99
    world.promote("v2")
    begun: list[float] = []
    for _ in range(2 * ENOUGH):
        world.minutes(1)
        if len(world.endpoints.updates) > len(begun):
            begun.append(world.time)
    gaps = [later - earlier for earlier, later in pairwise(begun)]
    assert [pause <= gap < pause + 600 for pause, gap in zip(PAUSES, gaps, strict=True)] == [True] * len(PAUSES)
    assert (world.answers, world.scaling.there) == ("v1", True)
    assert "it is tried again by itself" in world.faults.reasons[0]
    last = world.faults.reasons[-1]
    config = world.standings.written.config
    assert "the container does not start; after 4 failures it is not tried again by itself" in last
    assert f"`aws sagemaker update-endpoint --endpoint-name {OWN} --endpoint-config-name {config}`" in last


def test_what_was_given_up_is_followed_again_once_somebody_has_it_tried() -> None:
    world = World()
    world.minutes(5)
    world.endpoints.fails = ["no capacity"] * 4
    world.promote("v2")
    world.minutes(ENOUGH)
    assert world.answers == "v1"
    world.endpoints.update(OWN, world.standings.written.config, keep_count=True)
    world.minutes(5)
    assert world.answers == "v2"
    assert (world.standings.written.failures, world.standings.written.token != "") == (0, True)


def test_another_version_is_tried_at_once_and_from_the_first_pause() -> None:
    world = World()
    world.minutes(5)
    world.endpoints.fails = ["no"] * 4
    world.promote("v2")
    world.minutes(ENOUGH)
    world.endpoints.fails = ["no"]
    world.promote("v3")
    world.minutes(5)
    assert world.standings.written.failures == 1
    world.minutes(int(PAUSES[0] / 60) + 5)
    assert world.answers == "v3"


def test_a_first_version_that_never_starts_is_left_as_it_failed() -> None:
    world = World()
    world.endpoints.fails = ["the container does not start"] * 4
    world.minutes(ENOUGH)
    assert world.endpoints.endpoint is not None
    assert world.endpoints.endpoint.status == "Failed"
    assert f"`aws sagemaker delete-endpoint --endpoint-name {OWN}`" in world.faults.reasons[-1]
    world.endpoints.delete(f"endpoint/{OWN}")
    world.minutes(10)
    assert world.answers == "v1"
    assert world.standings.written.failures == 0


def test_another_first_version_need_not_wait_for_the_one_that_failed() -> None:
    world = World()
    world.endpoints.fails = ["the container does not start"]
    world.minutes(5)
    world.promote("v2")
    world.minutes(8)
    assert world.answers == "v2"


def test_an_endpoint_that_somebody_has_deleted_comes_back() -> None:
    world = followed()
    world.endpoints.endpoint = None
    world.look()
    assert not world.standings.written.ready_at
    world.minutes(5)
    assert world.answers == "v2"
    assert world.scaling.kept == 2, "the scaling went with it"


def test_a_retired_endpoint_leaves_nothing_and_is_not_made_anew() -> None:
    world = followed()
    assert world.retire()
    assert world.endpoints.endpoint is None
    only_made(world, 0)
    assert not world.scaling.there
    world.minutes(3)
    assert world.endpoints.endpoint is None
    Retiring(world.ports(), PLAN).begin()
    world.minutes(5)
    assert world.answers == "v2"


def test_it_is_retired_while_it_is_being_made() -> None:
    world = World()
    world.look()
    assert world.retire()
    assert world.endpoints.endpoint is None
    only_made(world, 0)


def test_what_never_was_is_retired() -> None:
    assert World(version=None).retire()


def test_a_beginning_changes_nothing_that_is_there() -> None:
    world = followed()
    before = world.standings.written
    Retiring(world.ports(), PLAN).begin()
    assert world.standings.written == before


# What is made.


def test_the_model_is_the_live_one_without_its_captures() -> None:
    model = wanted(PLAN, live("v1")).model
    assert model["PrimaryContainer"] == {
        "Image": "image",
        "ModelDataUrl": "s3://bucket/v1.tar.gz",
        "Environment": {"TIDEGATE_MODEL_VERSION": "v1"},
    }
    assert (model["EnableNetworkIsolation"], model["ExecutionRoleArn"].rpartition("/")[2]) == (True, "exec")
    assert model["ModelName"].startswith(f"{OWN}-")


def test_the_config_is_asynchronous_and_on_the_live_versions_instances() -> None:
    config = wanted(PLAN, live("v1")).config
    (variant,) = config["ProductionVariants"]
    assert (variant["VariantName"], variant["InstanceType"], variant["InitialInstanceCount"]) == (
        JOBS_VARIANT,
        "ml.m5.large",
        1,
    )
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 77
    asynchronous = config["AsyncInferenceConfig"]
    assert asynchronous["ClientConfig"] == {"MaxConcurrentInvocationsPerInstance": 4}
    assert asynchronous["OutputConfig"]["S3OutputPath"] == f"s3://bucket/inference/{NAME}/answers"
    assert asynchronous["OutputConfig"]["S3FailurePath"] == f"s3://bucket/inference/{NAME}/failures"
    assert set(asynchronous["OutputConfig"]["NotificationConfig"].values()) == {PLAN.topic}
    assert "DataCaptureConfig" not in config


def test_names_tell_what_differs() -> None:
    base = wanted(PLAN, live("v1"))
    assert base == wanted(PLAN, live("v1"))
    other = wanted(replace(PLAN, asynchronous=Asynchronous(instance_type="ml.c5.large")), live("v1"))
    assert base.model_name == other.model_name
    assert base.config_name != other.config_name
    assert base.model_name != wanted(PLAN, live("v2")).model_name
    assert len(f"jobs-{'x' * 35}-{base.config_name.rpartition('-')[2]}") <= 63


def test_it_scales_from_none_by_the_backlog() -> None:
    plan = replace(PLAN, asynchronous=Asynchronous(concurrent=3, idle_minutes=7))
    target = tracking(plan)["TargetTrackingScalingPolicyConfiguration"]
    assert (target["TargetValue"], target["ScaleInCooldown"]) == (3.0, 420)
    assert target["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"
    step = first_step(plan)["StepScalingPolicyConfiguration"]
    assert step["StepAdjustments"] == [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
    watched = alarm(plan, "policy")
    assert (watched["MetricName"], watched["AlarmActions"]) == ("HasBacklogWithoutCapacity", ["policy"])
    assert watched["Dimensions"] == [{"Name": "EndpointName", "Value": OWN}]
