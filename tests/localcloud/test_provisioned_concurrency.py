"""Provisioned concurrency: workers whose start lies behind them, spill-over, replacement, moving aliases, scaling."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.conftest import package

INIT_SECONDS = 1.5
SLOW_START = """
    import os, time
    time.sleep({init})
    READY = time.time()
    def handler(event, context):
        began = time.time()
        time.sleep((event or {{}}).get("seconds", 0))
        return {{
            "ready": READY,
            "began": began,
            "pid": os.getpid(),
            "kind": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
            "version": context.function_version,
        }}
"""


@pytest.fixture
def api(cloud):
    return cloud.client("lambda")


@pytest.fixture
def make(api, workshop):
    """Make a function with a published version under the alias live, whose workers take a while to start."""

    def made(init=0.0, **settings):
        name = workshop.function(SLOW_START.format(init=init), **settings)
        api.publish_version(FunctionName=name)
        api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        return name

    return made


def _provide(api, wait_until, name, count, qualifier="live"):
    answer = api.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )
    wait_until(lambda: _status(api, name, qualifier) == "READY")
    return answer


def _config(api, name, qualifier="live"):
    return api.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)


def _status(api, name, qualifier="live"):
    return _config(api, name, qualifier)["Status"]


def _numbers(config):
    return tuple(config[f"{which}ProvisionedConcurrentExecutions"] for which in ("Requested", "Allocated", "Available"))


def _resource(name, qualifier="live"):
    return {"FunctionName": name, "Resource": f"{name}:{qualifier}"}


def test_an_invocation_meets_a_worker_that_has_started_before(api, workshop, make, wait_until):
    name = make(INIT_SECONDS)
    answer = _provide(api, wait_until, name, 1)
    assert (answer["Status"], answer["AvailableProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    assert _numbers(_config(api, name)) == (1, 1, 1)
    asked, clock = time.time(), time.monotonic()
    warm = workshop.invoke(name, Qualifier="live")["Payload"]
    warm_seconds = time.monotonic() - clock
    assert (warm["kind"], warm["version"]) == ("provisioned-concurrency", "1")
    assert warm["ready"] < asked
    clock = time.monotonic()
    cold = workshop.invoke(name, Qualifier="1")["Payload"]
    cold_seconds = time.monotonic() - clock
    assert (cold["kind"], cold["began"] - asked > INIT_SECONDS) == ("on-demand", True)
    assert cold_seconds > max(warm_seconds, INIT_SECONDS)


def test_what_is_more_than_provisioned_spills_over_and_is_counted(api, workshop, make, wait_until):
    name = make()
    _provide(api, wait_until, name, 2)
    with ThreadPoolExecutor(3) as callers:
        calls = [callers.submit(workshop.invoke, name, {"seconds": 6}, Qualifier="live") for _ in range(3)]
    kinds = sorted(call.result()["Payload"]["kind"] for call in calls)
    assert kinds == ["on-demand", "provisioned-concurrency", "provisioned-concurrency"]
    count = {
        metric: workshop.metric("AWS/Lambda", f"ProvisionedConcurrency{metric}", **_resource(name))
        for metric in ("Invocations", "SpilloverInvocations")
    }
    assert count == {"Invocations": 2, "SpilloverInvocations": 1}
    assert workshop.metric("AWS/Lambda", "Invocations", **_resource(name)) == 3
    assert _highest(workshop, "ProvisionedConcurrencyUtilization", name) == 1
    assert _highest(workshop, "ProvisionedConcurrentExecutions", name) == 2


def _highest(workshop, metric, name):
    now = datetime.now(UTC)
    answer = workshop.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": key, "Value": value} for key, value in _resource(name).items()],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    return max(point["Maximum"] for point in answer["Datapoints"])


def test_a_share_of_the_workers_is_the_utilisation(api, workshop, make, wait_until):
    name = make()
    _provide(api, wait_until, name, 2)
    workshop.invoke(name, Qualifier="live")
    assert _highest(workshop, "ProvisionedConcurrencyUtilization", name) == 0.5


def test_a_dead_worker_is_replaced_before_the_next_invocation(cloud, api, workshop, make, wait_until):
    name = make()
    _provide(api, wait_until, name, 1)
    dead = cloud.functions.kill(name)
    wait_until(lambda: cloud.functions.workers()[name] not in ([], dead) and _numbers(_config(api, name)) == (1, 1, 1))
    asked = time.time()
    answer = workshop.invoke(name, Qualifier="live")["Payload"]
    assert (answer["kind"], answer["ready"] < asked, answer["pid"] in dead) == ("provisioned-concurrency", True, False)
    assert _status(api, name) == "READY"


def test_more_and_fewer_workers_and_none(cloud, api, workshop, make, wait_until):
    name = make()
    _provide(api, wait_until, name, 1)
    _provide(api, wait_until, name, 3)
    assert len(cloud.functions.workers()[name]) == 3
    (listed,) = api.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert (listed["FunctionArn"], _numbers(listed)) == (f"{workshop.function_arn(name)}:live", (3, 3, 3))
    _provide(api, wait_until, name, 1)
    wait_until(lambda: len(cloud.functions.workers()[name]) == 1)
    api.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    wait_until(lambda: cloud.functions.workers()[name] == [])
    with pytest.raises(ClientError, match="ProvisionedConcurrencyConfigNotFound"):
        _config(api, name)
    assert workshop.invoke(name, Qualifier="live")["Payload"]["kind"] == "on-demand"


def test_an_alias_moves_when_the_new_versions_workers_are_ready(api, workshop, make, wait_until):
    """No request meets a cold start, and none is lost."""
    name = make()
    _provide(api, wait_until, name, 2)
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            answers.append(workshop.invoke(name, Qualifier="live")["Payload"])
            time.sleep(0.02)

    api.update_function_code(FunctionName=name, ZipFile=package(SLOW_START.format(init=INIT_SECONDS)), Publish=True)
    with ThreadPoolExecutor(2) as callers:
        running = [callers.submit(ask) for _ in range(2)]
        try:
            moved = api.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
            assert moved["RoutingConfig"] == {"AdditionalVersionWeights": {"1": 1.0}}
            assert _status(api, name) == "IN_PROGRESS"
            wait_until(lambda: _status(api, name) == "READY")
            time.sleep(1)
        finally:
            stop.set()
    assert [call.exception() for call in running] == [None, None]
    versions = [answer["version"] for answer in answers]
    assert versions[0] == "1"
    assert versions[-1] == "2"
    second = [answer for answer in answers if answer["version"] == "2"]
    assert {answer["kind"] for answer in second} == {"provisioned-concurrency"}
    assert all(answer["ready"] < answer["began"] for answer in second)
    assert api.get_alias(FunctionName=name, Name="live").get("RoutingConfig") is None
    assert _numbers(_config(api, name)) == (2, 2, 2)


def test_a_version_that_does_not_start_gets_no_traffic(api, workshop, make, wait_until):
    name = make()
    _provide(api, wait_until, name, 1)
    api.update_function_code(FunctionName=name, ZipFile=package("import no_such_module"), Publish=True)
    api.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    wait_until(lambda: _status(api, name) == "FAILED")
    assert _config(api, name)["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert workshop.invoke(name, Qualifier="live")["ExecutedVersion"] == "1"
    back = api.update_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert (back.get("RoutingConfig"), _status(api, name)) == (None, "READY")


def test_an_alias_that_is_moved_on_ends_where_it_was_moved_last(api, workshop, make, wait_until):
    name = make()
    _provide(api, wait_until, name, 1)
    for init in (INIT_SECONDS, INIT_SECONDS + 0.1):
        source = SLOW_START.format(init=init)
        version = api.update_function_code(FunctionName=name, ZipFile=package(source), Publish=True)["Version"]
        moved = api.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        assert moved["RoutingConfig"] == {"AdditionalVersionWeights": {"1": 1.0}}
    wait_until(lambda: _status(api, name) == "READY")
    answer = workshop.invoke(name, Qualifier="live")["Payload"]
    assert (answer["version"], answer["kind"]) == ("3", "provisioned-concurrency")


def test_without_provisioned_concurrency_a_moving_alias_arrives_at_once(api, workshop, make, wait_until):
    name = make()
    _provide(api, wait_until, name, 1)
    source = SLOW_START.format(init=INIT_SECONDS)
    api.update_function_code(FunctionName=name, ZipFile=package(source), Publish=True)
    api.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    api.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    assert workshop.invoke(name, Qualifier="live")["ExecutedVersion"] == "2"
    weights = {"AdditionalVersionWeights": {"1": 0.5}}
    api.update_alias(FunctionName=name, Name="live", RoutingConfig=weights)
    api.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    assert api.get_alias(FunctionName=name, Name="live")["RoutingConfig"] == weights


def test_what_cannot_be_provisioned_is_refused(api, workshop, make, wait_until):
    name = make()
    with pytest.raises(ClientError, match="unpublished function versions"):
        _provide(api, wait_until, name, 1, "$LATEST")
    with pytest.raises(ClientError, match="Function not found"):
        _provide(api, wait_until, name, 1, "other")
    api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    with pytest.raises(ClientError, match="should not be greater than the reservedConcurrentExecution"):
        _provide(api, wait_until, name, 3)
    _provide(api, wait_until, name, 2)
    with pytest.raises(ClientError, match="should not be lower than function's total provisioned"):
        api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    with pytest.raises(ClientError, match="already Provisioned version"):
        _provide(api, wait_until, name, 1, "1")
    weights = {"AdditionalVersionWeights": {"1": 0.5}}
    with pytest.raises(ClientError, match="Invalid alias configuration for Provisioned Concurrency"):
        api.update_alias(FunctionName=name, Name="live", RoutingConfig=weights)


def test_what_is_reserved_but_provisioned_elsewhere_is_not_to_be_had_on_demand(cloud, api, workshop, make, wait_until):
    name = make()
    api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    _provide(api, wait_until, name, 1)
    client = _without_retries(cloud)
    with pytest.raises(ClientError, match="TooManyRequests"):
        client.invoke(FunctionName=name)
    assert workshop.invoke(name, Qualifier="live")["Payload"]["kind"] == "provisioned-concurrency"


def _without_retries(cloud):
    import boto3
    from botocore.config import Config

    session = boto3.Session("localadmin", "x", region_name=cloud.region)
    config = Config(retries={"total_max_attempts": 1})
    return session.client("lambda", endpoint_url=cloud.endpoint_url, config=config)


def test_a_deleted_function_leaves_no_provisioned_process(cloud, api, make, wait_until):
    name = make()
    _provide(api, wait_until, name, 2)
    pids = cloud.functions.workers()[name]
    api.delete_function(FunctionName=name)
    wait_until(lambda: not any(_runs(pid) for pid in pids))


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_role_provisions_what_its_policy_names(cloud, api, workshop, make):
    name = make()
    action = ["lambda:PutProvisionedConcurrencyConfig", "lambda:GetProvisionedConcurrencyConfig"]
    arn = f"{workshop.function_arn(name)}:live"
    client = cloud.role_client("lambda", workshop.role({"Effect": "Allow", "Action": action, "Resource": arn}))
    which = {"FunctionName": name, "ProvisionedConcurrentExecutions": 1}
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_provisioned_concurrency_config(**which, Qualifier="1")
    client.put_provisioned_concurrency_config(**which, Qualifier="live")
    api.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")


def _target(name):
    return {
        "ServiceNamespace": "lambda",
        "ResourceId": f"function:{name}:live",
        "ScalableDimension": "lambda:function:ProvisionedConcurrency",
    }


def test_scaling_keeps_the_minimum_and_acts_at_a_scheduled_time(cloud, api, make, wait_until):
    name, scaling = make(), cloud.client("application-autoscaling")
    scaling.register_scalable_target(**_target(name), MinCapacity=1, MaxCapacity=4)
    wait_until(lambda: _requested(api, name) == 1)
    soon = datetime.now(UTC) + timedelta(hours=2, seconds=3)
    scaling.put_scheduled_action(
        **_target(name),
        ScheduledActionName="morning",
        Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        Timezone="Etc/GMT-2",
        ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 3},
    )
    wait_until(lambda: _requested(api, name) == 2)
    (target,) = scaling.describe_scalable_targets(**_described(name))["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 3)
    assert target["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency")
    assert scaling.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"] == []
    scaling.deregister_scalable_target(**_target(name))
    api.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")


def _requested(api, name):
    try:
        return _config(api, name)["RequestedProvisionedConcurrentExecutions"]
    except ClientError:
        return None


def _described(name):
    return {"ServiceNamespace": "lambda", "ResourceIds": [_target(name)["ResourceId"]]}


def test_what_is_not_there_cannot_be_scaled(cloud, make):
    scaling = cloud.client("application-autoscaling")
    with pytest.raises(ClientError, match="No function version or alias found"):
        scaling.register_scalable_target(**_target("no-such-function"), MinCapacity=1, MaxCapacity=4)
