"""Requests as AWS's API takes them, and AWS's answers and errors in the engine's terms."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError, ReadTimeoutError
from botocore.validate import validate_parameters

from lambdas.rollout import configs
from lambdas.rollout.actions import CreateFinalConfig, CreateMixedConfig, CreateModel
from lambdas.rollout.adapters.autoscaling import ApplicationAutoscaling
from lambdas.rollout.adapters.clients import Lazy, TimeLimit, client
from lambdas.rollout.adapters.cloudwatch import CloudWatchAlarms
from lambdas.rollout.adapters.metrics import CloudWatchMetrics
from lambdas.rollout.adapters.registry import SageMakerRegistry
from lambdas.rollout.adapters.runtime import SageMakerRuntime
from lambdas.rollout.adapters.sagemaker import SageMakerEndpoints
from lambdas.rollout.adapters.sns import SnsNotifier
from lambdas.rollout.adapters.sqs import SqsTimers
from lambdas.rollout.adapters.ssm import SsmSettings
from lambdas.rollout.adapters.transactions import PAUSES, put, transact
from lambdas.rollout.errors import (
    ConflictError,
    EndpointBusyError,
    ModelAnswerError,
    PermanentError,
    RetryableError,
    TidegateError,
    TimedOutError,
)
from lambdas.rollout.evidence import Evidence, Period
from lambdas.rollout.fleet import Fleet, Scaling
from lambdas.rollout.observation import Variant
from lambdas.rollout.policy import SmokeTest
from lambdas.rollout.settings import SettingsError

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LIVE_CONFIG: dict[str, Any] = {
    "EndpointConfigName": "rain-local-bootstrap-1",
    "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/rain-local-bootstrap-1",
    "CreationTime": NOW,
    "ProductionVariants": [
        {
            "VariantName": "blue",
            "ModelName": "rain-local-bootstrap-1",
            "InitialInstanceCount": 1,
            "InstanceType": "ml.g5.xlarge",
            "InitialVariantWeight": 100.0,
            "InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-2",
            "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
        }
    ],
    "MetricsConfig": {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 60},
}
LIVE_MODEL: dict[str, Any] = {
    "ModelName": "rain-local-bootstrap-1",
    "PrimaryContainer": {
        "Image": "repository/serving:1",
        "ModelDataUrl": "s3://artefacts/1.0.0/model.tar.gz",
        "ModelDataSource": {"S3DataSource": {"S3Uri": "s3://artefacts/1.0.0/model.tar.gz"}},
        "Environment": {"THREADS": "2"},
    },
    "ExecutionRoleArn": "arn:aws:iam::111122223333:role/old",
    "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
}


class FakeClient:
    """A client that checks requests against the API's model, and answers what the test wants."""

    def __init__(self, service: str, **answers: Any) -> None:
        self._model = botocore.session.get_session().get_service_model(service)
        self._answers = answers
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(word.capitalize() for word in method.split("_"))
        shape: Any = self._model.operation_model(operation).input_shape

        def call(**request: Any) -> Any:
            validate_parameters(request, shape)
            self.requests.append((operation, request))
            answer = self._answers.get(method, {})
            answer = answer.pop(0) if isinstance(answer, list) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    @property
    def lazy(self) -> Lazy:
        return Lazy("fake", lambda service: self)


def refusal(code: str, message: str = "", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Operation",
    )


def mixed(fleet: Fleet) -> CreateMixedConfig:
    return CreateMixedConfig(
        "rain-local-1-mixed", "rain-local-bootstrap-1", "green", "rain-local-1", 3, fleet, {"a": "b"}
    )


def model(**changes: Any) -> CreateModel:
    fields: dict[str, Any] = {
        "name": "rain-local-1",
        "source_config": "rain-local-bootstrap-1",
        "source_slot": "blue",
        "container": None,
        "image": "repository/serving:2",
        "network_isolation": True,
        "execution_role_arn": "arn:aws:iam::111122223333:role/run",
        "tags": {"tidegate:rollout": "1"},
    }
    return CreateModel(**{**fields, **changes})


def test_mixed_config_is_the_live_one_with_the_new_variant_at_weight_zero(fleet: Fleet) -> None:
    request = configs.mixed_config(LIVE_CONFIG, mixed(replace(fleet, instance_type="ml.g6.xlarge")))
    stable, new = request["ProductionVariants"]
    assert stable == LIVE_CONFIG["ProductionVariants"][0]
    assert (new["VariantName"], new["ModelName"], new["InitialVariantWeight"]) == ("green", "rain-local-1", 0.0)
    assert (new["InstanceType"], new["InitialInstanceCount"]) == ("ml.g6.xlarge", 3)
    assert new["InferenceAmiVersion"] == fleet.inference_ami_version
    assert new["RoutingConfig"] == {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
    assert request["MetricsConfig"]["MetricPublishFrequencyInSeconds"] == 10
    assert request["DataCaptureConfig"]["DestinationS3Uri"] == "s3://artefacts/capture"
    assert "EndpointConfigArn" not in request


@pytest.mark.parametrize(("said", "kept"), [({"EnableDetailedObservability": True}, True), ({}, False)])
def test_detailed_observability_is_as_on_the_live_config_and_off_where_that_is_silent(
    fleet: Fleet, said: dict[str, bool], kept: bool
) -> None:
    """SageMaker switches it on, at a charge, in every new config that does not mention it."""
    live = {**LIVE_CONFIG, "MetricsConfig": {**LIVE_CONFIG["MetricsConfig"], **said}}
    request = configs.mixed_config(live, mixed(fleet))
    final = configs.final_config(
        request, CreateFinalConfig("rain-local-1-final", request["EndpointConfigName"], "green", {})
    )
    assert [each["MetricsConfig"]["EnableDetailedObservability"] for each in (request, final)] == [kept, kept]


def test_ami_of_the_old_fleet_is_not_kept_on_one_without(fleet: Fleet) -> None:
    request = configs.mixed_config(LIVE_CONFIG, mixed(replace(fleet, inference_ami_version=None)))
    assert "InferenceAmiVersion" not in request["ProductionVariants"][1]
    assert "InferenceAmiVersion" in request["ProductionVariants"][0]


def test_final_config_keeps_the_new_variant_alone_at_full_weight(fleet: Fleet) -> None:
    both = configs.mixed_config(LIVE_CONFIG, mixed(fleet))
    request = configs.final_config(both, CreateFinalConfig("rain-local-1-final", "x", "green", {}))
    [only] = request["ProductionVariants"]
    assert (only["VariantName"], only["InitialVariantWeight"], only["InitialInstanceCount"]) == ("green", 100.0, 3)
    assert request["DataCaptureConfig"] == both["DataCaptureConfig"]


def test_model_of_a_fleet_change_is_the_live_one_in_the_new_container() -> None:
    request = configs.model_request(LIVE_MODEL, model())
    container = request["PrimaryContainer"]
    assert container["Image"] == "repository/serving:2"
    assert container["ModelDataUrl"] == "s3://artefacts/1.0.0/model.tar.gz"
    assert "ModelDataSource" not in container
    assert container["Environment"] == {"THREADS": "2"}
    assert request["VpcConfig"] == LIVE_MODEL["VpcConfig"]
    assert request["ExecutionRoleArn"].endswith("role/run")


def test_model_of_a_package_takes_nothing_of_the_live_container() -> None:
    container = {"Image": "repository/serving:0", "ModelDataUrl": "s3://artefacts/1.1.0/model.tar.gz"}
    request = configs.model_request(LIVE_MODEL, model(container=container))
    assert request["PrimaryContainer"] == {**container, "Image": "repository/serving:2"}


def test_container_is_known_before_its_model_is_made() -> None:
    sagemaker = FakeClient("sagemaker", describe_endpoint_config=LIVE_CONFIG, describe_model=LIVE_MODEL)
    for action in (model(), model(container={"Image": "repository/serving:0", "ModelDataUrl": "s3://artefacts/1"})):
        expected = configs.model_request(LIVE_MODEL, action)["PrimaryContainer"]
        assert SageMakerEndpoints(sagemaker.lazy).container_of(action) == expected
    assert {operation for operation, _ in sagemaker.requests} == {"DescribeEndpointConfig", "DescribeModel"}


def test_creations_are_valid_requests(fleet: Fleet) -> None:
    sagemaker = FakeClient("sagemaker", describe_endpoint_config=LIVE_CONFIG, describe_model=LIVE_MODEL)
    endpoints = SageMakerEndpoints(sagemaker.lazy)
    endpoints.create_model(model())
    endpoints.create_mixed_config(mixed(fleet))
    created = [operation for operation, _ in sagemaker.requests if operation.startswith("Create")]
    assert created == ["CreateModel", "CreateEndpointConfig"]


def test_config_that_exists_already_is_success_only_if_it_is_the_same(fleet: Fleet) -> None:
    exists = refusal("ValidationException", "Cannot create already existing endpoint configuration")
    made = {**configs.mixed_config(LIVE_CONFIG, mixed(fleet)), "EndpointConfigArn": "arn", "CreationTime": NOW}
    same = FakeClient("sagemaker", describe_endpoint_config=[LIVE_CONFIG, made], create_endpoint_config=exists)
    SageMakerEndpoints(same.lazy).create_mixed_config(mixed(fleet))
    other = {**made, "ProductionVariants": made["ProductionVariants"][:1]}
    odd = FakeClient("sagemaker", describe_endpoint_config=[LIVE_CONFIG, other], create_endpoint_config=exists)
    with pytest.raises(PermanentError, match="rain-local-1-mixed"):
        SageMakerEndpoints(odd.lazy).create_mixed_config(mixed(fleet))


def test_update_retains_live_counts_but_neither_weights_nor_capture() -> None:
    sagemaker = FakeClient("sagemaker")
    SageMakerEndpoints(sagemaker.lazy).update("rain-local", "config")
    [(operation, request)] = sagemaker.requests
    assert operation == "UpdateEndpoint"
    assert request["RetainAllVariantProperties"] is True
    excluded = [each["VariantPropertyType"] for each in request["ExcludeRetainedVariantProperties"]]
    assert excluded == ["DesiredWeight", "DataCaptureConfig"]


def test_weights_are_set_without_touching_counts_and_counts_without_weights() -> None:
    sagemaker = FakeClient("sagemaker")
    SageMakerEndpoints(sagemaker.lazy).set_weights("rain-local", {"green": 10.0, "blue": 90.0})
    SageMakerEndpoints(sagemaker.lazy).set_capacity("rain-local", "blue", 2)
    wanted = [request["DesiredWeightsAndCapacities"] for _, request in sagemaker.requests]
    assert wanted == [
        [{"VariantName": "blue", "DesiredWeight": 90.0}, {"VariantName": "green", "DesiredWeight": 10.0}],
        [{"VariantName": "blue", "DesiredInstanceCount": 2}],
    ]


def test_endpoint_is_seen_with_variants_whose_values_are_not_there_yet() -> None:
    shown = {
        "EndpointStatus": "Updating",
        "EndpointConfigName": "c",
        "LastModifiedTime": NOW,
        "ProductionVariants": [
            {"VariantName": "blue", "CurrentWeight": 90.0, "DesiredWeight": 100.0, "CurrentInstanceCount": 2},
            {"VariantName": "green"},
        ],
    }
    view = SageMakerEndpoints(FakeClient("sagemaker", describe_endpoint=shown).lazy).describe("rain-local")
    assert view.variants == {"blue": Variant(90.0, 100.0, 2, 0), "green": Variant(0.0, 0.0, 0, 0)}
    assert view.modified_at == NOW.timestamp()


def test_endpoint_that_is_not_there_is_missing_and_an_unreadable_one_an_error() -> None:
    gone = FakeClient("sagemaker", describe_endpoint=refusal("ValidationException", 'Could not find endpoint "x"'))
    assert SageMakerEndpoints(gone.lazy).describe("x").status == "Missing"
    denied = FakeClient("sagemaker", describe_endpoint=refusal("AccessDeniedException", "not authorized"))
    with pytest.raises(PermanentError):
        SageMakerEndpoints(denied.lazy).describe("x")


def test_deleting_what_is_gone_succeeds() -> None:
    gone = refusal("ValidationException", "Could not find model")
    SageMakerEndpoints(FakeClient("sagemaker", delete_model=gone).lazy).delete("model", "m")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("ValidationException", "Cannot update in-progress endpoint"), EndpointBusyError),
        (refusal("ThrottlingException", "Rate exceeded"), RetryableError),
        (refusal("InternalFailure", "", 500), TimedOutError),
        (ReadTimeoutError(endpoint_url="u"), TimedOutError),
        (ConnectTimeoutError(endpoint_url="u"), TimedOutError),
        (refusal("AccessDeniedException", "no identity-based policy allows sagemaker:UpdateEndpoint"), PermanentError),
        (refusal("ResourceLimitExceeded", "ml.g5.xlarge for endpoint usage"), PermanentError),
        (NoCredentialsError(), PermanentError),
    ],
)
def test_errors_are_told_apart_by_what_is_to_be_done(error: Exception, expected: type[TidegateError]) -> None:
    with pytest.raises(expected) as raised:
        SageMakerEndpoints(FakeClient("sagemaker", update_endpoint=error).lazy).update("rain-local", "c")
    assert type(raised.value) is expected


def test_alarm_that_does_not_exist_is_missing() -> None:
    shown = {
        "CompositeAlarms": [{"AlarmName": "rain-local-green-unhealthy", "StateValue": "OK"}],
        "MetricAlarms": [
            {
                "AlarmName": "rain-local-green-5xx-rate",
                "AlarmDescription": "More than 5 % of the answers are 5xx.",
                "StateValue": "ALARM",
                "StateReason": "Threshold Crossed: 1 out of the last 2 datapoints [29.166666666666668 (22/11/26 "
                "03:00:50)] was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).",
            }
        ],
    }
    cloudwatch = FakeClient("cloudwatch", describe_alarms=shown)
    health = CloudWatchAlarms(cloudwatch.lazy).health("rain-local", "green")
    assert (health.unhealthy.state, health.error_rate.state, health.latency.state) == ("OK", "ALARM", "MISSING")
    assert health.cause == (
        "more than 5 % of the answers are 5xx (alarm rain-local-green-5xx-rate: 1 out of the last 2 datapoints [29.16 "
        "(22/11/26 03:00:50)] was greater than the threshold (5.0))"
    )
    assert cloudwatch.requests[0][1]["AlarmTypes"] == ["CompositeAlarm", "MetricAlarm"]


def shown(name: str, state: str = "OK") -> dict[str, Any]:
    alarms = [{"AlarmName": f"{name}-green-{part}", "StateValue": state} for part in ("5xx-rate", "p99-latency")]
    return {
        "CompositeAlarms": [{"AlarmName": f"{name}-green-unhealthy", "StateValue": state}],
        "MetricAlarms": alarms,
    }


def test_alarms_of_sixteen_endpoints_that_are_expected_are_read_in_one_call() -> None:
    names = [f"rain-{number}" for number in range(33)]
    cloudwatch = FakeClient("cloudwatch", describe_alarms=[shown("rain-1", "ALARM"), shown("rain-20")])
    alarms = CloudWatchAlarms(cloudwatch.lazy)
    alarms.expect(names)
    assert cloudwatch.requests == []
    assert alarms.health("rain-1", "green").failing
    assert alarms.health("rain-2", "green").missing
    assert not alarms.health("rain-20", "green").failing
    asked = [request["AlarmNames"] for _, request in cloudwatch.requests]
    assert [len(each) for each in asked] == [16 * 6, 16 * 6]
    assert "rain-31-blue-unhealthy" in asked[1]


def test_every_invocation_reads_the_alarms_afresh() -> None:
    cloudwatch = FakeClient("cloudwatch", describe_alarms=[shown("rain-1"), shown("rain-1", "ALARM")])
    assert not CloudWatchAlarms(cloudwatch.lazy).health("rain-1", "green").failing
    assert CloudWatchAlarms(cloudwatch.lazy).health("rain-1", "green").failing


@pytest.mark.parametrize("expected", [["rain-1"], ["rain-2"]])
def test_alarms_that_were_read_are_read_again_after_a_few_seconds(expected: list[str]) -> None:
    now = [100.0]
    cloudwatch = FakeClient("cloudwatch", describe_alarms=[shown("rain-1"), shown("rain-1", "ALARM")])
    alarms = CloudWatchAlarms(cloudwatch.lazy, lambda: now[0])
    alarms.expect(expected)
    assert not alarms.health("rain-1", "green").failing
    now[0] += 2.9
    assert not alarms.health("rain-1", "green").failing
    now[0] += 0.2
    assert alarms.health("rain-1", "green").failing


def test_alarms_that_cannot_be_read_together_are_read_one_endpoint_at_a_time() -> None:
    cloudwatch = FakeClient(
        "cloudwatch",
        describe_alarms=[refusal("InternalFailure", status=500), shown("rain-1"), shown("rain-2", "ALARM")],
    )
    alarms = CloudWatchAlarms(cloudwatch.lazy)
    alarms.expect(["rain-1", "rain-2"])
    assert not alarms.health("rain-1", "green").failing
    assert alarms.health("rain-2", "green").failing
    assert [len(request["AlarmNames"]) for _, request in cloudwatch.requests] == [12, 3, 3]


def test_alarms_that_may_not_be_read_just_now_are_asked_for_again_but_not_one_by_one() -> None:
    slept: list[float] = []
    cloudwatch = FakeClient("cloudwatch", describe_alarms=refusal("Throttling"))
    alarms = CloudWatchAlarms(cloudwatch.lazy, sleep=slept.append)
    alarms.expect(["rain-1", "rain-2"])
    for name in ("rain-1", "rain-2"):
        with pytest.raises(RetryableError):
            alarms.health(name, "green")
    assert len(cloudwatch.requests) == 4
    assert [0.5 * pause <= took <= 1.5 * pause for pause, took in zip((0.4, 0.8, 1.6), slept, strict=True)] == [
        True
    ] * 3


def test_alarms_that_are_refused_once_are_had_a_moment_later() -> None:
    cloudwatch = FakeClient("cloudwatch", describe_alarms=[refusal("Throttling"), shown("rain-1", "ALARM")])
    alarms = CloudWatchAlarms(cloudwatch.lazy, sleep=lambda _: None)
    assert alarms.health("rain-1", "green").failing


def test_alarm_that_cannot_be_read_just_now_is_as_its_event_has_said() -> None:
    cloudwatch = FakeClient("cloudwatch", describe_alarms=[*[refusal("Throttling")] * 3, shown("rain-1")])
    alarms = CloudWatchAlarms(cloudwatch.lazy, sleep=lambda _: pytest.fail("news must not wait"))
    alarms.hear("rain-1-green-unhealthy", "one of two alarms")
    assert "one of two alarms" in alarms.health("rain-1", "green").cause


def test_news_counts_for_its_own_slot_alone_and_no_longer_once_the_alarm_can_be_read() -> None:
    cloudwatch = FakeClient("cloudwatch", describe_alarms=[*[refusal("Throttling")] * 8, shown("rain-1")])
    alarms = CloudWatchAlarms(cloudwatch.lazy, sleep=lambda _: None)
    alarms.hear("rain-1-green-unhealthy", "one of two alarms")
    for name, slot in (("rain-1", "blue"), ("rain-2", "green")):
        with pytest.raises(RetryableError):
            alarms.health(name, slot)
    assert not alarms.health("rain-1", "green").failing


def test_endpoints_in_alarm_are_found_in_one_call_whatever_else_is_in_alarm() -> None:
    pages = [
        {"CompositeAlarms": [{"AlarmName": "rain-green-unhealthy"}, {"AlarmName": "billing"}], "NextToken": "more"},
        {"CompositeAlarms": [{"AlarmName": "snow-blue-unhealthy"}]},
    ]
    cloudwatch = FakeClient("cloudwatch", describe_alarms=pages)
    assert CloudWatchAlarms(cloudwatch.lazy).failing() == {"rain", "snow"}
    assert [request["StateValue"] for _, request in cloudwatch.requests] == ["ALARM", "ALARM"]
    assert "NextToken" in cloudwatch.requests[1][1]


def test_answers_are_counted_in_whole_periods_since_the_weight_was_verified() -> None:
    times = [datetime(2026, 11, 22, 12, 0, second, tzinfo=UTC) for second in (30, 20, 40)]
    shown = {
        "MetricDataResults": [
            {"Id": "green_requests", "Timestamps": times, "Values": [40.0, 38.0, 39.0]},
            # Of the third period nothing is known.
            {"Id": "green_errors", "Timestamps": times[:2], "Values": [3.0, 0.0]},
        ]
    }
    cloudwatch = FakeClient("cloudwatch", get_metric_data=shown)
    since = datetime(2026, 11, 22, 12, 0, 11, tzinfo=UTC).timestamp()
    answered = CloudWatchMetrics(cloudwatch.lazy).answered(
        "rain-local", "green", Evidence(2, 10, 10, 5.0), since, since + 32
    )
    assert answered.periods == (Period(times[1].timestamp(), 38, 0), Period(times[0].timestamp(), 40, 3))
    [(_, request)] = cloudwatch.requests
    assert (request["StartTime"].second, request["EndTime"].second) == (20, 40)


def test_no_whole_period_is_no_evidence_and_no_call() -> None:
    cloudwatch = FakeClient("cloudwatch")
    assert (
        CloudWatchMetrics(cloudwatch.lazy)
        .answered("rain-local", "green", Evidence(1, 10, 1, 5.0), 1001.0, 1012.0)
        .periods
        == ()
    )
    assert cloudwatch.requests == []


def test_scaling_is_registered_with_its_policy_and_its_removal_may_find_nothing() -> None:
    gone = refusal("ObjectNotFoundException", "No scalable target registered")
    scaling = FakeClient("application-autoscaling", deregister_scalable_target=gone)
    ApplicationAutoscaling(scaling.lazy).keep("rain-local", "blue", Scaling(1, 4, 600.0))
    ApplicationAutoscaling(scaling.lazy).release("rain-local", "blue")
    target, policy, _ = [request for _, request in scaling.requests]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert target["ResourceId"] == policy["ResourceId"] == "endpoint/rain-local/variant/blue"


def test_smoke_request_goes_to_the_variant_and_takes_an_answer() -> None:
    good = {"Body": io.BytesIO(b"0.3"), "InvokedProductionVariant": "green"}
    runtime = FakeClient("sagemaker-runtime", invoke_endpoint=good)
    SageMakerRuntime(runtime.lazy).invoke("rain-local", "green", SmokeTest("text/csv", "1,2"))
    [(_, request)] = runtime.requests
    assert (request["TargetVariant"], request["ContentType"], request["Body"]) == ("green", "text/csv", b"1,2")


def test_error_answer_of_the_model_is_final_and_that_of_the_platform_is_not() -> None:
    model_error = refusal("ModelError", "Received server error (500)", 424)
    with pytest.raises(ModelAnswerError):
        _invoke(model_error)
    with pytest.raises(TimedOutError):
        _invoke(refusal("ServiceUnavailable2", "no instance", 503))
    with pytest.raises(ModelAnswerError, match="nothing"):
        _invoke({"Body": io.BytesIO(b""), "InvokedProductionVariant": "green"})
    with pytest.raises(RetryableError, match="blue"):
        _invoke({"Body": io.BytesIO(b"1"), "InvokedProductionVariant": "blue"})


def _invoke(answer: Any) -> None:
    runtime = FakeClient("sagemaker-runtime", invoke_endpoint=answer)
    SageMakerRuntime(runtime.lazy).invoke("rain-local", "green", SmokeTest("text/csv", "1,2"))


def test_a_transaction_that_is_still_under_way_may_have_been_written() -> None:
    under_way = refusal("TransactionInProgressException", "a transaction with this token is in progress")
    with pytest.raises(TimedOutError):
        transact(FakeClient("dynamodb", transact_write_items=under_way).lazy, [put("table", {"pk": "p"})])


def collision(*codes: str) -> ClientError:
    answer = refusal("TransactionCanceledException", "Transaction cancelled").response
    return ClientError({**answer, "CancellationReasons": [{"Code": code} for code in codes]}, "TransactWriteItems")


def test_a_transaction_that_another_one_cancels_is_tried_again() -> None:
    met, pauses = collision("None", "TransactionConflict"), list[float]()
    table = FakeClient("dynamodb", transact_write_items=[met, met, {}])
    transact(table.lazy, [put("table", {"pk": "p"})], sleep=pauses.append)
    assert len(table.requests) == 3
    assert [0 < pause <= longest for pause, longest in zip(pauses, PAUSES, strict=False)] == [True, True]


def test_a_transaction_whose_condition_no_longer_holds_after_another_is_a_conflict() -> None:
    answers = [collision("TransactionConflict"), collision("ConditionalCheckFailed", "TransactionConflict")]
    with pytest.raises(ConflictError):
        transact(FakeClient("dynamodb", transact_write_items=answers).lazy, [put("t", {"pk": "p"})], sleep=at_once)


def test_a_transaction_that_is_always_cancelled_is_given_up_for_now() -> None:
    table = FakeClient("dynamodb", transact_write_items=[collision("TransactionConflict")] * 9)
    with pytest.raises(RetryableError, match="TransactionConflict"):
        transact(table.lazy, [put("table", {"pk": "p"})], sleep=at_once)
    assert len(table.requests) == 1 + len(PAUSES)


def at_once(_: float) -> None:
    """Take no time."""


def test_packages_are_listed_to_the_last_page_and_read_by_their_version() -> None:
    pages = [
        {"ModelPackageSummaryList": [{"ModelPackageArn": "b"}], "NextToken": "t"},
        {"ModelPackageSummaryList": [{"ModelPackageArn": "a"}]},
    ]
    found = {
        "ModelPackageArn": "a",
        "ModelPackageGroupName": "rain-local",
        "ModelPackageVersion": 7,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "CreationTime": NOW,
    }
    named = {**found, "CustomerMetadataProperties": {"tidegate:version": "1.1.0"}}
    missing = refusal("ValidationException", "ModelPackage a does not exist.")
    sagemaker = FakeClient("sagemaker", list_model_packages=pages, describe_model_package=[found, named, missing])
    registry = SageMakerRegistry(sagemaker.lazy)
    assert registry.approved("rain-local") == ["b", "a"]
    plain, labelled = registry.describe("a"), registry.describe("a")
    assert plain is not None
    assert labelled is not None
    assert (plain.version, labelled.version) == ("version 7", "1.1.0")
    assert registry.describe("a") is None


@pytest.mark.parametrize(("delay", "sent"), [(-1, 0), (0.2, 1), (59.5, 60), (5000, 900)])
def test_timer_is_a_delayed_message_of_at_most_a_quarter_of_an_hour(
    monkeypatch: pytest.MonkeyPatch, delay: float, sent: int
) -> None:
    monkeypatch.setenv("TIDEGATE_TIMER_QUEUE_URL", "https://queue")
    sqs = FakeClient("sqs")
    SqsTimers(sqs.lazy).wake("rain-local", delay, due=5.5)
    [(_, request)] = sqs.requests
    assert request["DelaySeconds"] == sent
    assert request["MessageBody"] == '{"endpoint": "rain-local", "due": 5.5}'


def test_many_timers_are_sent_ten_a_call_and_a_refused_one_keeps_none_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_TIMER_QUEUE_URL", "https://queue")
    refused = {"Failed": [{"Id": "3", "Code": "InternalError", "SenderFault": False}]}
    sqs = FakeClient("sqs", send_message_batch=[refused, refusal("ServiceUnavailable"), {}])
    with pytest.raises(RetryableError, match="11 timers could not be sent: InternalError"):
        SqsTimers(sqs.lazy).wake_all([f"rain-{number}" for number in range(21)])
    assert [len(request["Entries"]) for _, request in sqs.requests] == [10, 10, 1]
    assert sqs.requests[2][1]["Entries"][0]["MessageBody"] == '{"endpoint": "rain-20"}'


def test_notification_goes_to_the_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_TOPIC_ARN", "arn:topic")
    sns = FakeClient("sns")
    SnsNotifier(sns.lazy).tell("subject", "text")
    assert sns.requests[0][1] == {"TopicArn": "arn:topic", "Subject": "subject", "Message": "text"}


def test_settings_that_cannot_be_read_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_ENVIRONMENT", "local")
    ssm = FakeClient("ssm", get_parameter={"Parameter": {"Value": '{"schema": 2}'}})
    with pytest.raises(SettingsError, match="schema 2"):
        SsmSettings(ssm.lazy).load("rain-local")
    assert ssm.requests[0][1] == {"Name": "/tidegate/local/endpoints/rain-local"}


def test_no_call_begins_after_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = TimeLimit()
    limit.check()
    limit.start(-1)
    with pytest.raises(RetryableError):
        limit.check()


def test_clients_give_up_well_before_a_function_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for service in ("sagemaker", "sagemaker-runtime", "dynamodb", "cloudwatch", "sqs"):
        config = client(service).meta.config
        attempts = config.retries["total_max_attempts"]
        assert (config.connect_timeout + config.read_timeout) * attempts <= 7


def test_metrics_that_cloudwatch_could_not_give_are_an_error_and_not_zero() -> None:
    times = [datetime(2026, 11, 22, 12, 0, 20, tzinfo=UTC)]
    shown = {
        "MetricDataResults": [
            {"Id": "green_requests", "Timestamps": times, "Values": [40.0], "StatusCode": "Complete"},
            {"Id": "green_errors", "Timestamps": [], "Values": [], "StatusCode": "InternalError"},
        ]
    }
    since = datetime(2026, 11, 22, 12, 0, 11, tzinfo=UTC).timestamp()
    metrics = CloudWatchMetrics(FakeClient("cloudwatch", get_metric_data=shown).lazy)
    with pytest.raises(RetryableError, match=r"green_errors.*InternalError"):
        metrics.answered("rain-local", "green", Evidence(2, 10, 10, 5.0), since, since + 32)


CAPTURING = {"TIDEGATE_CAPTURE_SAMPLING_PERCENT": "10", "TIDEGATE_CAPTURE_VARIANT": "green"}


def environment_of(live: dict[str, str] | None, variables: dict[str, str]) -> dict[str, str] | None:
    container = {**LIVE_MODEL["PrimaryContainer"]}
    container.pop("Environment", None)
    container |= {"Environment": live} if live is not None else {}
    request = configs.model_request({**LIVE_MODEL, "PrimaryContainer": container}, model(variables=variables))
    found: dict[str, str] | None = request["PrimaryContainer"].get("Environment")
    return found


def test_whether_a_container_captures_is_the_fleets_to_say() -> None:
    was = {"TIDEGATE_CAPTURE_SAMPLING_PERCENT": "100", "TIDEGATE_CAPTURE_REDACTED_COLUMNS": "age", "THREADS": "2"}
    assert environment_of(was, CAPTURING) == {"THREADS": "2", **CAPTURING}
    assert environment_of(was, {}) == {"THREADS": "2"}
    assert environment_of(None, CAPTURING) == CAPTURING
    assert environment_of({"TIDEGATE_CAPTURE_VARIANT": "blue"}, {}) is None


def test_a_package_cannot_have_its_container_capture() -> None:
    package = {"Image": "repository/serving:0", "Environment": {"TIDEGATE_CAPTURE_SAMPLING_PERCENT": "100"}}
    request = configs.model_request(LIVE_MODEL, model(container=package))
    assert "Environment" not in request["PrimaryContainer"]
