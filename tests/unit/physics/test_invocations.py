import base64
import json
import random
from typing import Any

import pytest

from localcloud.errors import AwsError
from localcloud.physics.ports import ContainerTimeoutError, ContainerUnreachableError

CSV = {"CsvContentTypes": ["text/csv"]}


def _invoke(world: Any, **more: Any) -> dict[str, Any]:
    request = {"EndpointName": "rain", "Body": b"1,2", "ContentType": "text/csv", **more}
    answer: dict[str, Any] = world.call("InvokeEndpoint", **request)
    return answer


def _stat(world: Any, variant: str, metric: str, stat: str = "Sum") -> float | None:
    answer = world.call(
        "GetMetricStatistics",
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": "rain"}, {"Name": "VariantName", "Value": variant}],
        StartTime=world.clock.now() - 600,
        EndTime=world.clock.now() + 60,
        Period=1200,
        Statistics=[stat],
    )
    return answer["Datapoints"][0][stat] if answer["Datapoints"] else None


def _behave(world: Any, behaviour: Any) -> None:
    for container in world.containers.running():
        container.behaviour = behaviour


def test_answer_names_the_variant_and_reaches_the_caller_unchanged(world: Any) -> None:
    world.live()
    assert _invoke(world) == {"Body": b"1,2", "InvokedProductionVariant": "blue", "ContentType": "text/csv"}


def test_traffic_is_shared_by_weight_and_none_goes_to_weight_zero(world: Any, make_variant: Any) -> None:
    world.live(make_variant("blue", weight=75), make_variant("green", weight=25), make_variant("idle", weight=0))
    answers = [_invoke(world)["InvokedProductionVariant"] for _ in range(2000)]
    assert 0.72 < answers.count("blue") / 2000 < 0.78
    assert answers.count("idle") == 0


def test_without_any_weight_only_targeted_requests_are_answered(world: Any, make_variant: Any) -> None:
    world.live(make_variant("blue", weight=0))
    assert _invoke(world, TargetVariant="blue")["InvokedProductionVariant"] == "blue"
    with pytest.raises(AwsError, match="No variant of endpoint rain has a weight above 0"):
        _invoke(world)


def test_target_variant_overrides_weights_and_counts_in_that_variants_metrics(world: Any, make_variant: Any) -> None:
    world.live(make_variant("blue"), make_variant("green", weight=0))
    assert _invoke(world, TargetVariant="green")["InvokedProductionVariant"] == "green"
    assert (_stat(world, "green", "Invocations"), _stat(world, "blue", "Invocations")) == (1.0, None)
    with pytest.raises(AwsError, match="Variant red not found"):
        _invoke(world, TargetVariant="red")


def test_an_endpoint_that_is_not_in_service_is_not_found(world: Any, make_variant: Any) -> None:
    world.model("model-1")
    world.config("first", make_variant("blue"))
    world.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="first")
    with pytest.raises(AwsError, match="Endpoint rain of account 123456789012 not found") as refusal:
        _invoke(world)
    assert refusal.value.code == "ValidationError"


def test_only_custom_attributes_of_the_container_come_back(world: Any) -> None:
    world.live()
    seen = []

    def behaviour(body: bytes, headers: dict[str, str]) -> Any:
        seen.append(headers)
        return 200, {"x-amzn-sagemaker-custom-attributes": "trace=9"} if len(seen) == 2 else {}, b""

    _behave(world, behaviour)
    assert "CustomAttributes" not in _invoke(world, CustomAttributes="trace=1", InferenceId="id-1")
    assert _invoke(world, CustomAttributes="trace=1")["CustomAttributes"] == "trace=9"
    assert seen[0] == {
        "Content-Type": "text/csv",
        "Accept": "*/*",
        "X-Amzn-SageMaker-Custom-Attributes": "trace=1",
    }


@pytest.mark.parametrize(("status", "kind", "metric"), [(400, "client", "4XX"), (503, "server", "5XX")])
def test_a_containers_error_is_a_model_error_with_the_original_status(
    world: Any, status: int, kind: str, metric: str
) -> None:
    world.live()
    _behave(world, lambda body, headers: (status, {}, b"no column wind"))
    with pytest.raises(AwsError, match=f"Received {kind} error \\({status}\\) from primary with message") as failure:
        _invoke(world)
    error = failure.value
    assert (error.code, error.status) == ("ModelError", 424)
    assert error.extra["OriginalStatusCode"] == status
    assert error.extra["OriginalMessage"] == "no column wind"
    instance = world.containers.running()[0].name.split("/")[2]
    assert error.extra["LogStreamArn"] == (
        f"arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/rain:log-stream:blue/{instance}"
    )
    other = {"4XX": "5XX", "5XX": "4XX"}[metric]
    assert _stat(world, "blue", f"Invocation{metric}Errors") == 1.0
    assert _stat(world, "blue", f"Invocation{other}Errors") == 0.0
    assert _stat(world, "blue", "InvocationModelErrors") == 1.0


@pytest.mark.parametrize("trouble", [ContainerTimeoutError("late"), ContainerUnreachableError("reset")])
def test_a_container_that_does_not_answer_is_a_model_error_of_status_zero(world: Any, trouble: Exception) -> None:
    world.live()

    def behaviour(body: bytes, headers: Any) -> Any:
        raise trouble

    _behave(world, behaviour)
    with pytest.raises(AwsError) as failure:
        _invoke(world)
    assert failure.value.extra["OriginalStatusCode"] == 0
    assert _stat(world, "blue", "Invocation5XXErrors") == 1.0
    # What took too long has a latency; what never arrived has none.
    assert _stat(world, "blue", "ModelLatency", "SampleCount") == (1.0 if str(trouble) == "late" else None)


def test_no_healthy_container_is_service_unavailable_and_others_are_not_asked(world: Any, make_variant: Any) -> None:
    world.live(make_variant("blue", count=2), make_variant("green", weight=0))
    first, second = [c for c in world.containers.running() if "/blue/" in c.name]
    first.healthy = False
    assert all(_invoke(world)["InvokedProductionVariant"] == "blue" for _ in range(10))
    second.alive = False
    with pytest.raises(AwsError) as failure:
        _invoke(world)
    assert (failure.value.code, failure.value.status) == ("ServiceUnavailable", 503)
    assert _stat(world, "blue", "Invocation5XXErrors") == 1.0


def test_latency_is_published_in_microseconds(world: Any) -> None:
    world.live()

    def behaviour(body: bytes, headers: Any) -> Any:
        world.clock.advance(0.25)
        return 200, {}, b""

    _behave(world, behaviour)
    _invoke(world)
    assert _stat(world, "blue", "ModelLatency", "Maximum") == pytest.approx(250_000, abs=1)
    assert _stat(world, "blue", "OverheadLatency", "Maximum") == pytest.approx(0, abs=1)


@pytest.mark.parametrize(
    ("metrics_config", "seconds"),
    [
        ({}, 60),
        ({"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10}, 10),
        ({"EnableEnhancedMetrics": False, "MetricPublishFrequencyInSeconds": 10}, 60),
    ],
)
def test_samples_lie_at_the_period_the_endpoint_publishes_at(
    world: Any, metrics_config: dict[str, Any], seconds: int
) -> None:
    world.live(MetricsConfig=metrics_config)
    for _ in range(60):
        _invoke(world)
        world.clock.advance(1)
    (key,) = [k for k in world.metrics.metrics() if k.name == "Invocations"]
    now = int(world.clock.now())
    moments = [at for at in range(now - 200, now) if world.metrics.between(key, at, at + 1)]
    assert {at % seconds for at in moments} == {0}
    assert len(moments) == {10: 6, 60: 2}[seconds]


def _capturing(world: Any, percent: int = 100, **more: Any) -> None:
    world.live(
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": percent,
            "DestinationS3Uri": "s3://data/capture/",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            **more,
        }
    )


def _captured(world: Any) -> list[dict[str, Any]]:
    files = [body for uri, body in world.objects.objects.items() if uri.startswith("s3://data/")]
    return [json.loads(line) for body in files for line in body.decode().splitlines()]


def test_captured_exchanges_are_written_in_batches_at_sagemakers_layout(world: Any) -> None:
    _capturing(world, CaptureContentTypeHeader=CSV)
    _invoke(world, InferenceId="id-1", CustomAttributes="trace=1")
    _invoke(world)
    assert _captured(world) == []
    world.clock.advance(world.settings.capture_flush_seconds)
    (uri,) = [uri for uri in world.objects.objects if uri.startswith("s3://data/")]
    assert uri.startswith("s3://data/capture/rain/blue/2023/11/14/22/14-10-000-")
    assert uri.endswith(".jsonl")
    first, second = _captured(world)
    part = {"observedContentType": "text/csv", "data": "1,2", "encoding": "CSV"}
    assert first["captureData"] == {
        "endpointInput": {**part, "mode": "INPUT"},
        "endpointOutput": {**part, "mode": "OUTPUT"},
    }
    assert first["eventMetadata"]["inferenceId"] == "id-1"
    assert first["eventMetadata"]["customAttributes"] == ["trace=1"]
    assert first["eventMetadata"]["inferenceTime"] == "2023-11-14T22:14:10Z"
    assert first["eventMetadata"]["eventId"] != second["eventMetadata"]["eventId"]


def test_what_was_captured_is_written_before_an_endpoint_is_gone(world: Any) -> None:
    _capturing(world)
    _invoke(world)
    world.sagemaker.delete_endpoint({"EndpointName": "rain"})
    assert world.settings.delete_seconds < world.settings.capture_flush_seconds
    world.clock.advance(world.settings.delete_seconds)
    assert len(_captured(world)) == 1


def test_content_types_that_are_not_named_are_captured_as_base64(world: Any) -> None:
    _capturing(world)
    _invoke(world)
    world.sagemaker.stop()
    (record,) = _captured(world)
    captured = record["captureData"]["endpointInput"]
    assert (captured["encoding"], base64.b64decode(captured["data"])) == ("BASE64", b"1,2")


def test_sampling_and_failures_decide_what_is_captured(world: Any) -> None:
    _capturing(world, percent=20)
    world.sagemaker.capture._chance = random.Random(2)
    for _ in range(500):
        _invoke(world)
    _behave(world, lambda body, headers: (500, {}, b""))
    for _ in range(50):
        with pytest.raises(AwsError):
            _invoke(world)
    world.sagemaker.stop()
    assert 70 < len(_captured(world)) < 130


def test_answers_that_are_asked_to_fail_are_a_model_error_the_model_knows_nothing_of(world: Any) -> None:
    world.live()
    asked: list[bytes] = []

    def behaviour(body: bytes, headers: Any) -> Any:
        asked.append(body)
        return 200, {}, b""

    _behave(world, behaviour)
    world.sagemaker.faults.fail_answers("blue", 2, endpoint="rain", reason="on purpose")
    for _ in range(2):
        with pytest.raises(
            AwsError, match='Received server error \\(500\\) from primary with message "on purpose"'
        ) as failure:
            _invoke(world)
        assert failure.value.extra["OriginalStatusCode"] == 500
        assert not asked
    _invoke(world)
    assert len(asked) == 1
    assert _stat(world, "blue", "Invocation5XXErrors") == 2.0
    assert _stat(world, "blue", "Invocations") == 3.0


def test_answers_fail_only_of_the_variant_and_the_endpoint_that_are_named_and_not_when_it_is_asked_for(
    world: Any, make_variant: Any
) -> None:
    world.live(make_variant("blue"), make_variant("green", weight=0))
    faults = world.sagemaker.faults
    faults.fail_answers("green", endpoint="rain")
    faults.fail_answers("blue", endpoint="hail")
    assert _invoke(world)["InvokedProductionVariant"] == "blue"
    assert _invoke(world, TargetVariant="green")["InvokedProductionVariant"] == "green"
    assert faults.take_answer("rain", "green")
    assert faults.take_answer("rain", "green") is None


def test_answers_that_were_to_fail_are_forgotten_when_all_faults_are(world: Any) -> None:
    world.live()
    world.sagemaker.faults.fail_answers("blue")
    world.sagemaker.faults.clear()
    assert _invoke(world)["Body"] == b"1,2"
