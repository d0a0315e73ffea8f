"""Asynchronous endpoints of real processes: answers and failures in S3, notifications, limits, kills, permissions."""

import time

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from localcloud.physics.settings import PhysicsSettings
from tests.localcloud.async_endpoints import PUBLISHING, AsyncEndpoints
from tests.localcloud.jobs import STORAGE

SETTINGS = PhysicsSettings(
    create_seconds=0.1, update_seconds=0.1, capacity_seconds=0.1, ping_seconds=0.05, restart_first_seconds=0.2
)


@pytest.fixture(scope="module")
def cloud():
    with LocalCloud(settings=SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def endpoints(cloud, workshop, wait_until, tmp_path_factory):
    made = AsyncEndpoints(cloud, workshop, wait_until)
    made.prepare(tmp_path_factory.mktemp("image"))
    return made


@pytest.fixture(scope="module")
def live(endpoints):
    """An endpoint with one instance that takes two requests at a time."""
    return endpoints.endpoint(endpoints.config(endpoints.model(), concurrency=2))


def test_an_answer_is_written_and_told_of(cloud, endpoints, live):
    asked = endpoints.ask(live, "hello", InferenceId="greeting-1", Accept="text/shout", CustomAttributes="a=b")
    assert asked["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert asked["InferenceId"] == "greeting-1"
    assert asked["OutputLocation"].startswith(f"s3://{endpoints.bucket}/answers/")
    assert asked["FailureLocation"].startswith(f"s3://{endpoints.bucket}/failures/")
    assert endpoints.answered(asked) == b"HELLO"
    told = endpoints.told("SuccessTopic", "greeting-1")
    assert told["receivedTime"] <= told["eventTime"]
    assert told["eventTime"].endswith("Z")
    assert told["requestParameters"].pop("inputLocation").startswith(f"s3://{endpoints.bucket}/inputs/")
    assert {key: value for key, value in told.items() if key not in ("receivedTime", "eventTime")} == {
        "awsRegion": cloud.region,
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": "text/shout",
            "contentType": "text/plain",
            "customAttributes": "a=b",
            "endpointName": live,
        },
        "responseParameters": {"contentType": "text/shout", "outputLocation": asked["OutputLocation"]},
        "inferenceId": "greeting-1",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    bucket, _, key = asked["OutputLocation"].removeprefix("s3://").partition("/")
    assert cloud.client("s3").head_object(Bucket=bucket, Key=key)["ContentType"] == "text/shout"
    assert endpoints.read(asked["FailureLocation"]) is None


def test_answers_are_written_under_the_key_that_is_given(cloud, workshop, endpoints):
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    output = {
        "S3OutputPath": f"s3://{endpoints.bucket}/keyed",
        "KmsKeyId": key,
        "NotificationConfig": endpoints.topics,
    }

    def ask(*more):
        role = workshop.role(STORAGE, PUBLISHING, *more, service="sagemaker.amazonaws.com")
        config = endpoints.config(endpoints.model(role), AsyncInferenceConfig={"OutputConfig": output})
        return endpoints.ask(endpoints.endpoint(config), "hello")

    told = endpoints.told("ErrorTopic", ask()["InferenceId"])
    assert "kms:GenerateDataKey" in told["failureReason"]
    assert "failureLocation" not in told
    asked = ask({"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key})
    assert "FailureLocation" not in asked  # where no S3FailurePath is given
    assert endpoints.answered(asked) == b"HELLO"
    bucket, _, name = asked["OutputLocation"].removeprefix("s3://").partition("/")
    found = cloud.client("s3").head_object(Bucket=bucket, Key=name)
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key)


def test_only_a_few_headers_reach_the_container(endpoints, live):
    asked = endpoints.ask(live, "headers", Accept="text/x", CustomAttributes="c=d", InferenceId="hidden")
    assert endpoints.answered(asked) == b"text/plain text/x c=d"


@pytest.mark.parametrize(("status", "kind"), [(422, "client"), (503, "server")])
def test_an_error_of_the_model_is_written_and_told_of_at_once(endpoints, live, status, kind):
    asked = endpoints.ask(live, f"status {status}")
    told = endpoints.told("ErrorTopic", asked["InferenceId"])
    assert (told["invocationStatus"], told["failureLocation"]) == ("Failed", asked["FailureLocation"])
    assert told["failureReason"].startswith(f"ClientError: Received {kind} error ({status}) from model.")
    assert "responseParameters" not in told
    assert endpoints.read(asked["FailureLocation"]) == f"because {status}".encode()
    assert endpoints.read(asked["OutputLocation"]) is None


def test_a_model_that_takes_too_long_fails_the_request(endpoints, live):
    asked = endpoints.ask(live, "sleep 3", InvocationTimeoutSeconds=1)
    told = endpoints.told("ErrorTopic", asked["InferenceId"])
    assert "timed out" in told["failureReason"]
    assert b"InvocationTimeoutSeconds (1 s)" in endpoints.read(asked["FailureLocation"])


def test_an_input_that_is_not_there_fails_the_request_later(endpoints, live):
    asked = endpoints.ask(live, "unused", InputLocation=f"s3://{endpoints.bucket}/nowhere")
    told = endpoints.told("ErrorTopic", asked["InferenceId"])
    assert "could not be downloaded: NoSuchKey" in told["failureReason"]
    assert endpoints.metric(live, "RequestDownloadFailures") == 1


def test_an_instance_gets_no_more_than_its_share_at_a_time(endpoints):
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model(), concurrency=2))
    for asked in [endpoints.ask(endpoint, "sleep 0.3") for _ in range(6)]:
        assert endpoints.answered(asked) == b"SLEEP 0.3"
    assert endpoints.answered(endpoints.ask(endpoint, "most")) == b"2"


def test_requests_are_answered_in_order_where_one_is_taken_at_a_time(endpoints, wait_until):
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model()))
    ids = [endpoints.ask(endpoint, "sleep 0.1")["InferenceId"] for _ in range(4)]
    told = sorted(endpoints.all_told("SuccessTopic", ids), key=lambda each: each["eventTime"])
    assert [each["inferenceId"] for each in told] == ids
    wait_until(lambda: endpoints.metric(endpoint, "InvocationsProcessed") == 4)
    assert endpoints.metric(endpoint, "TimeInBacklog") > 0.3e6
    assert endpoints.metric(endpoint, "InvocationFailures") == 0


def test_a_request_whose_container_is_killed_is_tried_again(endpoints, tmp_path):
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model()))
    mark = tmp_path / "died"
    asked = endpoints.ask(endpoint, f"die {mark}")
    assert endpoints.answered(asked) == f"die {mark}".upper().encode()
    assert mark.exists()
    endpoints.told("SuccessTopic", asked["InferenceId"])


def test_a_request_that_always_kills_its_container_fails_in_the_end(endpoints):
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model()))
    asked = endpoints.ask(endpoint, "die-always")
    told = endpoints.told("ErrorTopic", asked["InferenceId"])
    assert "the connection to container primary broke" in told["failureReason"]
    assert endpoints.answered(endpoints.ask(endpoint, "back")) == b"BACK"


def test_requests_wait_for_an_endpoint_without_instances(endpoints):
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model()))
    endpoints.scale(endpoint, 0)
    described = endpoints.describe(endpoint)
    assert described["EndpointStatus"] == "InService"
    assert described["ProductionVariants"][0]["DesiredInstanceCount"] == 0
    assert described["AsyncInferenceConfig"]["OutputConfig"]["NotificationConfig"] == endpoints.topics
    asked = endpoints.ask(endpoint, "waiting")
    time.sleep(0.5)
    assert endpoints.read(asked["OutputLocation"]) is None
    endpoints.scale(endpoint, 1)
    assert endpoints.answered(asked) == b"WAITING"


def test_the_queue_outlives_an_update(cloud, endpoints):
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model()))
    endpoints.scale(endpoint, 0)
    asked = endpoints.ask(endpoint, "moved")
    other = endpoints.config(endpoints.model(PREFIX="new: "))
    cloud.client("sagemaker").update_endpoint(EndpointName=endpoint, EndpointConfigName=other)
    assert endpoints.answered(asked) == b"new: MOVED"


def test_an_update_that_retains_no_instances_starts_none(cloud, endpoints):
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model()))
    endpoints.scale(endpoint, 0)
    other = endpoints.config(endpoints.model(PREFIX="kept: "))
    cloud.client("sagemaker").update_endpoint(
        EndpointName=endpoint, EndpointConfigName=other, RetainAllVariantProperties=True
    )
    endpoints.settled(endpoint)
    assert (endpoints.describe(endpoint)["EndpointConfigName"], endpoints.instances(endpoint)) == (other, 0)
    endpoints.scale(endpoint, 1)
    assert endpoints.answered(endpoints.ask(endpoint, "hi")) == b"kept: HI"


def test_an_endpoint_stays_of_its_kind(cloud, endpoints, live):
    real_time = endpoints.config(endpoints.model(), AsyncInferenceConfig=None)
    with pytest.raises(ClientError, match="AsyncInferenceConfig parameter cannot be removed from this endpoint"):
        cloud.client("sagemaker").update_endpoint(EndpointName=live, EndpointConfigName=real_time)
    other = endpoints.endpoint(real_time)
    asynchronous = endpoints.describe(live)["EndpointConfigName"]
    with pytest.raises(ClientError, match="AsyncInferenceConfig parameter cannot be added to this endpoint"):
        cloud.client("sagemaker").update_endpoint(EndpointName=other, EndpointConfigName=asynchronous)
    with pytest.raises(ClientError, match="DesiredInstanceCount must be at least 1"):
        endpoints.scale(other, 0)
    with pytest.raises(ClientError, match=r"ValidationError.*takes real-time requests only"):
        endpoints.ask(other, "hello")
    with pytest.raises(ClientError, match=r"ValidationError.*takes asynchronous requests only"):
        cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=live, Body=b"hello")
    with pytest.raises(ClientError, match=r"ValidationError.*not found"):
        endpoints.ask("nowhere", "hello")


def test_the_caller_and_the_models_role_need_their_permissions(cloud, workshop, endpoints, live):
    arn = endpoints.describe(live)["EndpointArn"]
    place = {"EndpointName": live, "InputLocation": f"s3://{endpoints.bucket}/nowhere"}
    allowed = workshop.role({"Effect": "Allow", "Action": "sagemaker:InvokeEndpointAsync", "Resource": arn})
    assert cloud.role_client("sagemaker-runtime", allowed).invoke_endpoint_async(**place)["InferenceId"]
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:InvokeEndpointAsync"):
        cloud.role_client("sagemaker-runtime", workshop.role()).invoke_endpoint_async(**place)


def test_a_role_that_may_not_read_the_input_fails_the_request(workshop, endpoints):
    writing = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
    role = workshop.role(writing, PUBLISHING, service="sagemaker.amazonaws.com")
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model(role)))
    asked = endpoints.ask(endpoint, "secret")
    assert "AccessDenied" in endpoints.told("ErrorTopic", asked["InferenceId"])["failureReason"]


def test_a_role_that_may_not_write_the_answer_fails_the_request(workshop, endpoints):
    reading = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    role = workshop.role(reading, PUBLISHING, service="sagemaker.amazonaws.com")
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model(role)))
    asked = endpoints.ask(endpoint, "lost")
    told = endpoints.told("ErrorTopic", asked["InferenceId"])
    assert "could not be uploaded: AccessDenied" in told["failureReason"]
    assert endpoints.metric(endpoint, "ResponseUploadFailures") == 2  # the answer, and the failure


def test_a_role_that_may_not_publish_still_writes_the_answer(workshop, endpoints, wait_until):
    role = workshop.role(STORAGE, service="sagemaker.amazonaws.com")
    endpoint = endpoints.endpoint(endpoints.config(endpoints.model(role)))
    assert endpoints.answered(endpoints.ask(endpoint, "unheard")) == b"UNHEARD"
    wait_until(lambda: endpoints.metric(endpoint, "NotificationFailures") == 1)


def test_a_deleted_endpoint_loses_its_queue(cloud, endpoints, wait_until):
    config = endpoints.config(endpoints.model())
    endpoint = endpoints.endpoint(config)
    endpoints.scale(endpoint, 0)
    asked = endpoints.ask(endpoint, "lost")
    sagemaker = cloud.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=endpoint)
    wait_until(lambda: endpoint not in [each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"]])
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    endpoints.settled(endpoint)
    assert endpoints.answered(endpoints.ask(endpoint, "new")) == b"NEW"
    assert endpoints.read(asked["OutputLocation"]) is None


def test_what_is_not_simulated_is_refused_by_name(endpoints, live):
    variant = {"VariantName": "green", "ModelName": endpoints.model(), "InstanceType": "ml.m5.large"}
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    with pytest.raises(ClientError, match="DataCaptureConfig beside AsyncInferenceConfig"):
        endpoints.config(endpoints.model(), DataCaptureConfig=capture)
    with pytest.raises(ClientError, match="ShadowProductionVariants beside AsyncInferenceConfig"):
        endpoints.config(endpoints.model(), ShadowProductionVariants=[{**variant, "InitialInstanceCount": 1}])
    for output, told in (
        ({"S3FailurePath": "s3://failures"}, "without OutputConfig.S3OutputPath"),
        (
            {
                "S3OutputPath": "s3://answers",
                "NotificationConfig": {"IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]},
            },
            "IncludeInferenceResponseIn",
        ),
    ):
        with pytest.raises(ClientError, match=told):
            endpoints.config(endpoints.model(), AsyncInferenceConfig={"OutputConfig": output})
    with pytest.raises(ClientError, match="InvokeEndpointAsync Filename"):
        endpoints.ask(live, "hello", Filename="mine")
    with pytest.raises(ClientError, match="only s3://"):
        endpoints.ask(live, "hello", InputLocation="https://example.com/key")
    with pytest.raises(ClientError, match=r"[rR]equestTTLSeconds"):
        endpoints.ask(live, "hello", RequestTTLSeconds=21_601)
    with pytest.raises(ClientError, match=r"[iI]nvocationTimeoutSeconds"):
        endpoints.ask(live, "hello", InvocationTimeoutSeconds=3601)
