"""What a front door's adapters ask of AWS, and how they take what comes back."""

import io
import json
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from lambdas import contract
from lambdas.inference.adapters.flags import POLL_SECONDS, AppConfigFlags
from lambdas.inference.adapters.runtime import SageMakerRuntime
from lambdas.inference.adapters.signatures import UNKNOWN_SECONDS, UNREAD_SECONDS, RecordedSignatures
from lambdas.inference.adapters.table import InferenceTable, RecordedRoute
from lambdas.inference.ports import InvocationError, Invoked
from lambdas.inference.settings import Flags
from lambdas.inference.view import Served

TIMEOUT = 5.0
URL = "https://runtime.sagemaker.example"


def client(service: str) -> Any:
    return botocore.session.get_session().create_client(
        service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def body(content: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(content), len(content))


def error(code: str, status: int = 400, **more: Any) -> ClientError:
    response = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, "InvokeEndpoint")  # type: ignore[arg-type]


class Sagemaker:
    """SageMaker runtime's client, which says what it is told to, one after the other."""

    def __init__(self, *says: Any) -> None:
        self.says = list(says)
        self.requests: list[dict[str, Any]] = []

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return {"Body": body(said), "InvokedProductionVariant": "blue"}


def invoke(sagemaker: Any, variant: str | None = None, seconds: float = 28.0) -> Invoked:
    runtime = SageMakerRuntime("rain-local", sagemaker, TIMEOUT, sleep=lambda pause: None)
    return runtime.invoke(b"{}", variant, "id-1", seconds)


def failure(*says: Any, variant: str | None = None) -> InvocationError:
    with pytest.raises(InvocationError) as found:
        invoke(Sagemaker(*says), variant)
    return found.value


def test_an_endpoint_is_asked_with_the_predictions_id() -> None:
    real = client("sagemaker-runtime")
    request = {"EndpointName": "rain-local", "Body": b"{}", "ContentType": "application/json"}
    request |= {"Accept": "application/json", "InferenceId": "id-1", "TargetVariant": "blue"}
    answer = {"Body": body(b'{"predictions": []}'), "InvokedProductionVariant": "blue"}
    with Stubber(real) as stub:
        stub.add_response("invoke_endpoint", answer, request)
        assert invoke(real, "blue") == Invoked('{"predictions": []}', "blue")


def test_without_a_target_sagemaker_chooses() -> None:
    sagemaker = Sagemaker(b"{}")
    invoke(sagemaker)
    assert "TargetVariant" not in sagemaker.requests[0]


TURNED_AWAY = [
    error("ThrottlingException"),
    error("ServiceUnavailable", 503),
    error("ModelNotReadyException", 429),
    EndpointConnectionError(endpoint_url=URL),
    ConnectionClosedError(endpoint_url=URL),
]


@pytest.mark.parametrize("first", TURNED_AWAY, ids=str)
def test_who_is_turned_away_asks_once_more(first: Exception) -> None:
    assert invoke(Sagemaker(first, b"{}")).variant == "blue"
    sagemaker = Sagemaker(first, first, b"{}")
    with pytest.raises(InvocationError):
        invoke(sagemaker)
    assert len(sagemaker.requests) == 2


def test_nobody_asks_again_who_would_be_too_late() -> None:
    sagemaker = Sagemaker(error("ThrottlingException"), b"{}")
    with pytest.raises(InvocationError):
        invoke(sagemaker, seconds=TIMEOUT + 1.5)
    assert len(sagemaker.requests) == 1


def test_the_model_is_not_asked_when_its_answer_could_come_too_late() -> None:
    sagemaker = Sagemaker(b"{}")
    with pytest.raises(InvocationError, match=r"6\.4 s were left") as found:
        invoke(sagemaker, seconds=TIMEOUT + 1.4)
    assert sagemaker.requests == []
    assert found.value.at_fault
    assert found.value.problem.slug == "unavailable"


@pytest.mark.parametrize(
    ("said", "slug", "at_fault"),
    [
        (ReadTimeoutError(endpoint_url=URL), "timeout", True),
        (error("ModelError", 424, OriginalStatusCode=400), "invalid-input", False),
        (error("ModelError", 424, OriginalStatusCode=415), "invalid-input", False),
        (error("ModelError", 424, OriginalStatusCode=413), "too-large", False),
        (error("ModelError", 424, OriginalStatusCode=429), "busy", True),
        (error("ModelError", 424, OriginalStatusCode=503), "busy", True),
        (error("ModelError", 424, OriginalStatusCode=500), "model-failed", True),
        (error("ModelError", 424, OriginalStatusCode=504), "timeout", True),
        (error("ModelError", 424), "timeout", True),
        (error("InternalFailure", 500), "unavailable", True),
        (error("ValidationError"), "unavailable", True),
        (error("AccessDeniedException", 403), "unavailable", True),
    ],
    ids=str,
)
def test_what_is_no_answer_is_told_in_the_front_doors_terms(said: Exception, slug: str, at_fault: bool) -> None:
    found = failure(said)
    assert (found.problem.slug, found.at_fault, found.no_variant) == (slug, at_fault, False)
    assert found.of_input == (slug == "model-failed")
    if slug in ("busy", "unavailable"):
        assert found.problem.headers["Retry-After"]


def test_a_failure_of_the_model_says_which_variant_it_was_and_what_it_answered() -> None:
    stream = "arn:aws:logs:us-east-1:1:log-group:/aws/sagemaker/Endpoints/rain-dev:log-stream:green/i-0abc"
    found = failure(error("ModelError", 424, OriginalStatusCode=500, LogStreamArn=stream))
    assert found.problem.headers == {"Tidegate-Variant": "green", "Tidegate-Model-Status": "500"}
    silent = failure(error("ModelError", 424))
    assert silent.problem.headers == {"Tidegate-Model-Status": "0"}


def test_a_variant_that_is_not_there_is_told_apart() -> None:
    assert failure(error("ValidationError"), variant="green").no_variant


def test_rows_and_columns_that_the_container_names_are_taken_over() -> None:
    cells = [{"row": 2, "column": "dew_point", "reason": "999 is above the greatest value allowed, 285"}]
    document = {"title": "input refused", "status": 400, "detail": "row 2, column 'dew_point': 999", "errors": cells}
    found = failure(error("ModelError", 424, OriginalStatusCode=400, OriginalMessage=json.dumps(document)))
    assert found.problem.detail == document["detail"]
    assert found.problem.errors == ({"row": 2, "column": "dew_point", "detail": cells[0]["reason"]},)


@pytest.mark.parametrize(
    "message", ['{"detail": "cut o', "[1]", "plain words", '{"errors": [1, "x"]}', '{"errors": 3}']
)
def test_what_a_container_says_in_another_form_is_no_trouble(message: str) -> None:
    found = failure(error("ModelError", 424, OriginalStatusCode=400, OriginalMessage=message))
    assert found.problem.slug == "invalid-input"
    assert found.problem.detail


def test_no_caller_learns_names_of_the_account() -> None:
    secret = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": "arn:aws:iam::1:role/x"}}, "InvokeEndpoint"
    )
    found = failure(secret)
    assert "arn:" not in found.problem.detail
    assert "arn:aws:iam::1:role/x" in str(found)


# The tables.


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(contract.ENV_TABLE, "rollouts")
    monkeypatch.setenv(contract.ENV_INFERENCE_TABLE, "inference")
    return client("dynamodb")


def test_items_are_written_and_read_as_they_are(dynamodb: Any) -> None:
    item = {"pk": "a", "sk": "b", "body": "{}", "at": 1.5, "expires": 7}
    typed = {"pk": {"S": "a"}, "sk": {"S": "b"}, "body": {"S": "{}"}, "at": {"N": "1.5"}, "expires": {"N": "7"}}
    table = InferenceTable(lambda: dynamodb)
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    with Stubber(dynamodb) as stub:
        stub.add_response("put_item", {}, {"TableName": "inference", "Item": typed})
        stub.add_response("get_item", {"Item": typed}, {"TableName": "inference", "Key": key})
        stub.add_response("get_item", {}, {"TableName": "inference", "Key": key})
        table.put(item)
        assert table.get("a", "b") == item
        assert table.get("a", "b") is None


def test_only_the_route_is_read_of_an_endpoints_state(dynamodb: Any) -> None:
    live = {"M": {"slot": {"S": "blue"}, "version": {"S": "1"}, "key": {"S": "k"}}}
    item = {"route": {"M": {"live": live, "candidate": {"NULL": True}, "percent": {"N": "12"}}}}
    request = {
        "TableName": "rollouts",
        "Key": {"pk": {"S": "ENDPOINT#rain-local"}, "sk": {"S": "STATE"}},
        "ConsistentRead": True,
        "ProjectionExpression": "#route",
        "ExpressionAttributeNames": {"#route": "route"},
    }
    with Stubber(dynamodb) as stub:
        stub.add_response("get_item", {"Item": item}, request)
        stub.add_response("get_item", {"Item": {}}, request)
        read = RecordedRoute("rain-local", lambda: dynamodb)
        found = {"live": {"slot": "blue", "version": "1", "key": "k"}, "candidate": None, "percent": 12}
        assert read() == found
        assert read() is None


# Feature flags.


@pytest.fixture
def flags(door: Any) -> Any:
    appconfig = client("appconfigdata")
    return appconfig, AppConfigFlags(Flags("app", "env", "flags"), lambda: appconfig, door.fresh, door.log), door


def _latest(content: bytes, seconds: int = 60) -> dict[str, Any]:
    return {
        "NextPollConfigurationToken": "next",
        "NextPollIntervalInSeconds": seconds,
        "Configuration": body(content),
    }


def _start(stub: Stubber) -> None:
    ids = {f"{name}Identifier": value for name, value in (("Application", "app"), ("Environment", "env"))}
    request = {**ids, "ConfigurationProfileIdentifier": "flags", "RequiredMinimumPollIntervalInSeconds": POLL_SECONDS}
    stub.add_response("start_configuration_session", {"InitialConfigurationToken": "first"}, request)


def test_flags_are_asked_for_no_more_often_than_the_service_says(flags: Any) -> None:
    appconfig, adapter, door = flags
    with Stubber(appconfig) as stub:
        _start(stub)
        off = b'{"cache": {"enabled": false}, "other": {"enabled": true}}'
        stub.add_response("get_latest_configuration", _latest(off), {"ConfigurationToken": "first"})
        assert not adapter.latest().cache
        door.clock.time += 59
        assert adapter.latest().jobs
        # An empty answer means that nothing has changed.
        stub.add_response("get_latest_configuration", _latest(b""), {"ConfigurationToken": "next"})
        door.clock.time += 1
        assert not adapter.latest().cache
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"cache": true}', b'{"cache": {"enabled": "no"}}'])
def test_flags_that_cannot_be_read_leave_the_last_ones(flags: Any, content: bytes) -> None:
    appconfig, adapter, door = flags
    with Stubber(appconfig) as stub:
        _start(stub)
        stub.add_response("get_latest_configuration", _latest(b'{"front-door": {"enabled": false}}'))
        assert not adapter.latest().front_door
        door.clock.time += 60
        stub.add_response("get_latest_configuration", _latest(content))
        assert not adapter.latest().front_door
    assert "the last ones hold" in door.log.warnings[0]


def test_a_service_that_is_away_is_not_asked_by_every_request(flags: Any) -> None:
    appconfig, adapter, door = flags
    with Stubber(appconfig) as stub:
        stub.add_client_error("start_configuration_session", "InternalServerException")
        assert all(adapter.latest().front_door for _ in range(3))
        assert len(door.log.warnings) == 1
        door.clock.time += POLL_SECONDS
        _start(stub)
        stub.add_response("get_latest_configuration", _latest(b'{"front-door": {"enabled": false}}'))
        assert not adapter.latest().front_door


# Signatures.

ARN = "arn:aws:sagemaker:us-east-1:111122223333:model-package/rain-local/3"
BOOTSTRAP = Served("blue", "bootstrap", "bootstrap@rain-config", "bootstrap@rain-config")
DOCUMENT = json.dumps({"schema": 1, "tensor": "x", "columns": [{"name": "dew", "dtype": "float32"}]})


class Versions:
    """SageMaker and S3 with one model."""

    def __init__(self, door: Any, url: str = "s3://artefacts/rain/1/sha/model.tar.gz") -> None:
        self.url = url
        self.objects = {("artefacts", "rain/1/sha/signature.json"): DOCUMENT}
        self.calls = 0
        self.door = door
        self.adapter = self.another()

    def another(self) -> RecordedSignatures:
        door = self.door
        return RecordedSignatures("rain-local", door.table, door.log, lambda: self, lambda: self, door.clock)

    def describe_model_package(self, ModelPackageName: str) -> Any:
        assert ModelPackageName == ARN
        self.calls += 1
        return {"InferenceSpecification": {"Containers": [{"ModelDataUrl": self.url}]}}

    def describe_endpoint_config(self, EndpointConfigName: str) -> Any:
        assert EndpointConfigName == "rain-config"
        return {"ProductionVariants": [{"VariantName": "blue", "ModelName": "m"}]}

    def describe_model(self, ModelName: str) -> Any:
        assert ModelName == "m"
        return {"PrimaryContainer": {"ModelDataUrl": self.url}}

    def get_object(self, Bucket: str, Key: str) -> Any:
        if (Bucket, Key) not in self.objects:
            raise error("NoSuchKey", 404)
        return {"Body": body(self.objects[Bucket, Key].encode())}


@pytest.fixture
def versions(door: Any) -> Versions:
    return Versions(door)


def test_a_signature_is_found_beside_its_model_and_kept(versions: Versions) -> None:
    served = Served("blue", "1", ARN, ARN)
    for adapter in (versions.adapter, versions.adapter, versions.another()):
        found = adapter.of(served)
        assert found is not None
        assert found.names == ("dew",)
    assert versions.calls == 1
    assert list(versions.door.table.items) == [(f"SIGNATURE#rain-local#{ARN}", "SIGNATURE")]


def test_a_model_in_no_registry_is_found_by_its_config(versions: Versions) -> None:
    assert versions.adapter.of(BOOTSTRAP) is not None
    assert versions.adapter.of(replace(BOOTSTRAP, slot="green", key="bootstrap2@rain-config")) is None


def test_the_bootstrap_models_signature_is_an_asset(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    versions.url = "s3://assets/abc.tar.gz"
    versions.objects = {("assets", "def.json"): DOCUMENT}
    assert versions.adapter.of(BOOTSTRAP) is None
    monkeypatch.setenv(contract.ENV_BOOTSTRAP_MODEL, versions.url)
    monkeypatch.setenv(contract.ENV_BOOTSTRAP_SIGNATURE, "s3://assets/def.json")
    assert versions.another().of(BOOTSTRAP) is not None


def test_what_is_not_found_is_looked_for_again_after_a_while(versions: Versions) -> None:
    objects, versions.objects = versions.objects, {}
    served = Served("blue", "1", ARN, ARN)
    assert versions.adapter.of(served) is None
    versions.objects = objects
    assert versions.adapter.of(served) is None
    versions.door.clock.time += UNKNOWN_SECONDS
    assert versions.adapter.of(served) is not None


def test_what_could_not_be_looked_for_is_looked_for_again_soon(
    versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served("blue", "1", ARN, ARN)

    def away(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="https://s3")

    with monkeypatch.context() as patched:
        patched.setattr(versions, "get_object", away)
        assert versions.adapter.of(served) is None
    assert versions.adapter.of(served) is None, "not at every request: a look may take long"
    versions.door.clock.time += UNREAD_SECONDS
    assert versions.adapter.of(served) is not None


@pytest.mark.parametrize("document", ["{", "[]", "{}", '{"schema": 2}'])
def test_a_signature_that_cannot_be_read_is_not_known(versions: Versions, document: str) -> None:
    versions.objects = {("artefacts", "rain/1/sha/signature.json"): document}
    assert versions.adapter.of(Served("blue", "1", ARN, ARN)) is None
    assert versions.door.log.warnings


def test_a_table_that_is_away_costs_only_the_looking_up(versions: Versions) -> None:
    versions.door.table.away = True
    assert versions.adapter.of(Served("blue", "1", ARN, ARN)) is not None
