"""What is signed, and that nothing is deployed that is not what was signed."""

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.validate import validate_parameters
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from lambdas import contract, signing
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.trust import MOST_BYTES, KmsTrust
from lambdas.rollout.errors import (
    MissingError,
    PermanentError,
    RetryableError,
    TamperedError,
    TidegateError,
    TimedOutError,
    TooLargeError,
)
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.items import read_state, state_item
from lambdas.rollout.settings import Settings, SettingsError
from lambdas.rollout.state import Phase
from lambdas.rollout.trust import check_artefact
from lambdas.signing import Statement

NAME = "rain-local"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1"
OTHER_KEY = "arn:aws:kms:us-east-1:111122223333:key/2"
URI = "s3://artefacts/1.1.0/model.tar.gz"
MODEL = b"weights"
DIGEST = hashlib.sha256(MODEL).hexdigest()


def signed(world: Any, version: str = "1.1.0", *, key: str = KEY, **changes: str) -> dict[str, str]:
    """Put an artefact into the bucket and return the metadata of its package."""
    uri = f"s3://artefacts/{version}/model.tar.gz"
    world.trust.objects[uri] = MODEL
    statement = Statement(uri, DIGEST, version, NAME)
    found = signing.metadata(statement, world.trust.sign(key, statement.message), key)
    return {contract.PACKAGE_VERSION_KEY: version, **found, **changes}


@pytest.fixture
def trusting(world: Any) -> Any:
    """Return an endpoint whose settings name a key."""
    world.settings.signing_key = KEY
    return world


def refused(world: Any) -> str:
    """Let time pass and return why the version was not rolled out."""
    world.pass_time(5)
    assert world.store.state.queued is None
    assert world.outcomes == []
    (text,) = world.store.texts("refused")
    assert any("refused" in subject for subject in world.notifier.subjects)
    return str(text)


def test_statement_is_canonical() -> None:
    message = Statement("s3://b/ü.tar.gz", DIGEST, "1.1.0", NAME).message
    assert message == (
        b'{"artefact":"s3://b/\\u00fc.tar.gz","endpoint":"rain-local","sha256":"' + DIGEST.encode() + b'",'
        b'"version":"1.1.0"}'
    )


TEXTS = st.text(max_size=20)


@given(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), st.tuples(TEXTS, TEXTS, TEXTS, TEXTS))
def test_no_two_statements_are_signed_alike(one: Any, other: Any) -> None:
    assert (Statement(*one).message == Statement(*other).message) == (one == other)


def test_signed_version_is_rolled_out(trusting: Any) -> None:
    trusting.approve(metadata=signed(trusting))
    trusting.until_over()
    assert trusting.outcomes == [("1.1.0", "PROMOTED")]
    # When it is admitted, and again when its model is made.
    assert trusting.trust.asked == [KEY, URI, URI]


@pytest.mark.parametrize("signatures", ["checked", "required"])
def test_unsigned_version_is_rolled_out_unless_signatures_are_required(trusting: Any, signatures: str) -> None:
    trusting.settings.signatures = signatures
    trusting.approve()
    trusting.pass_time(5)
    assert (trusting.store.state.rollout is not None) == (signatures == "checked")
    if signatures == "required":
        text = refused(trusting)
        assert "is not signed; to sign it, run `python -m tidegate register`" in text
        assert "then reject it and approve it again" in text


def test_artefact_that_was_replaced_is_refused(trusting: Any) -> None:
    metadata = signed(trusting)
    trusting.trust.objects[URI] = b"other weights"
    trusting.approve(metadata=metadata)
    text = refused(trusting)
    assert f"but {DIGEST} was signed: it was changed" in text


def test_replaced_artefact_whose_digest_was_replaced_too_is_refused(trusting: Any) -> None:
    digest = hashlib.sha256(b"other weights").hexdigest()
    metadata = signed(trusting, **{contract.PACKAGE_DIGEST_KEY: digest})
    trusting.trust.objects[URI] = b"other weights"
    trusting.approve(metadata=metadata)
    assert "its signature is not valid" in refused(trusting)


def test_signature_of_another_version_is_refused(trusting: Any) -> None:
    metadata = signed(trusting, "1.0.0")
    trusting.approve("1.1.0", metadata={**metadata, contract.PACKAGE_VERSION_KEY: "1.1.0"})
    assert "its signature is not valid" in refused(trusting)


def test_signature_for_another_endpoint_is_refused(trusting: Any) -> None:
    metadata = signed(trusting)
    statement = Statement(URI, DIGEST, "1.1.0", "snow-local")
    forged = signing.metadata(statement, trusting.trust.sign(KEY, statement.message), KEY)
    trusting.approve(metadata={**metadata, **forged})
    assert "its signature is not valid" in refused(trusting)


def test_signature_with_another_key_is_refused_whatever_key_the_package_names(trusting: Any) -> None:
    trusting.approve(metadata=signed(trusting, key=OTHER_KEY))
    assert f"it was signed with {OTHER_KEY}, and this endpoint trusts {KEY} alone" in refused(trusting)


def test_package_that_claims_the_trusted_key_is_no_better(trusting: Any) -> None:
    trusting.approve(metadata=signed(trusting, key=OTHER_KEY) | {contract.PACKAGE_SIGNING_KEY_KEY: KEY})
    assert "its signature is not valid" in refused(trusting)


@pytest.mark.parametrize("gone", [contract.PACKAGE_SIGNATURE_KEY, contract.PACKAGE_DIGEST_KEY])
def test_half_a_signature_is_none_and_no_unsigned_package_either(trusting: Any, gone: str) -> None:
    trusting.approve(metadata={key: value for key, value in signed(trusting).items() if key != gone})
    assert f"has no {gone}" in refused(trusting)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        (contract.PACKAGE_SIGNATURE_KEY, "no base64!", "is not base64"),
        (contract.PACKAGE_SIGNATURE_KEY, base64.b64encode(bytes(600)).decode(), "has 600 bytes"),
        (contract.PACKAGE_DIGEST_KEY, "abc", "not 64 hexadecimal digits"),
    ],
)
def test_garbage_in_the_metadata_is_refused(trusting: Any, key: str, value: str, why: str) -> None:
    trusting.approve(metadata=signed(trusting, **{key: value}))
    assert why in refused(trusting)


def test_artefact_that_is_gone_is_refused(trusting: Any) -> None:
    metadata = signed(trusting)
    trusting.trust.objects[URI] = None
    trusting.approve(metadata=metadata)
    assert f"its artefact {URI} is not there" in refused(trusting)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"AdditionalModelDataSources": [{"ChannelName": "more", "S3DataSource": {"S3Uri": URI}}]}, "additional"),
        ({"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://artefacts/", "S3DataType": "S3Prefix"}}}, "S3Prefix"),
        (
            {"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://artefacts/other", "S3DataType": "S3Object"}}},
            "2 artefacts",
        ),
    ],
)
def test_signature_must_speak_for_all_that_is_loaded(trusting: Any, more: dict[str, Any], why: str) -> None:
    metadata = signed(trusting)
    container = {"Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/serving:0", "ModelDataUrl": URI, **more}
    trusting.approve(metadata=metadata, containers=[container])
    assert why in refused(trusting)


def test_signed_version_where_no_key_is_trusted_is_refused(world: Any) -> None:
    world.approve(metadata=signed(world))
    assert "name no signing_key to check it with" in refused(world)


@pytest.mark.parametrize("error", [RetryableError("ThrottlingException"), TimedOutError("no answer")])
def test_kms_that_cannot_be_asked_refuses_nothing(trusting: Any, error: TidegateError) -> None:
    trusting.trust.errors = [error]
    trusting.approve(metadata=signed(trusting))
    assert trusting.store.state.queued is None
    assert trusting.store.texts("refused") == []
    trusting.until_over()
    assert trusting.outcomes == []  # the message has not come again, nor has the sweep
    trusting.pass_time(65)
    trusting.until_over()
    assert trusting.outcomes == [("1.1.0", "PROMOTED")]


def test_kms_that_is_forbidden_refuses_nothing_and_is_a_fault(trusting: Any) -> None:
    trusting.trust.errors = [PermanentError("AccessDeniedException: kms:Verify")] * 3
    trusting.approve(metadata=signed(trusting))
    trusting.pass_time(100)
    assert trusting.store.texts("refused") == []
    assert any("could not be taken in" in line for line, _ in trusting.log.lines)
    trusting.pass_time(300)
    assert trusting.outcomes == [("1.1.0", "PROMOTED")]


def test_approval_that_starts_nothing_asks_nobody(trusting: Any) -> None:
    arn = trusting.approve(metadata=signed(trusting))
    trusting.until_over()
    trusting.trust.asked.clear()
    trusting.pass_time(300)
    trusting.decide(arn, "Rejected")
    trusting.decide(arn, "Approved")
    trusting.pass_time(10)
    assert trusting.trust.asked == []


def test_rollback_to_a_version_of_the_registry_is_verified_too(trusting: Any) -> None:
    metadata = signed(trusting)
    trusting.command("freeze", "c0")
    arn = trusting.approve(metadata=metadata)
    trusting.trust.objects[URI] = b"other weights"
    entry = trusting.command("rollback", "c1", to=arn)
    assert "1.1.0 is refused: its artefact" in entry["text"]
    assert trusting.outcomes == []


def test_settings_name_key_and_mode(world: Any) -> None:
    found = {
        **{name: getattr(world.settings.load(NAME), name) for name in ("environment", "endpoint", "artefact_bucket")},
        "schema": 1,
        "execution_role_arn": "arn",
        "image_repositories": [],
        "policy": world.settings.policy.to_dict(),
        "evidence": vars(world.settings.load(NAME).evidence),
        "fleet": world.settings.fleet.to_dict(),
    }
    plain = Settings.from_json(json.dumps(found))
    assert (plain.signing_key, plain.signatures) == (None, "checked")
    strict = Settings.from_json(json.dumps({**found, "signing_key": KEY, "signatures": "required"}))
    assert (strict.signing_key, strict.signatures) == (KEY, "required")
    with pytest.raises(SettingsError, match="signatures 'maybe' is neither checked nor required"):
        Settings.from_json(json.dumps({**found, "signatures": "maybe"}))


class Asked:
    """A client that checks requests against the API's model, and answers what the test wants."""

    def __init__(self, service: str, **answers: Any) -> None:
        self._model = botocore.session.get_session().get_service_model(service)
        self._answers = answers

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(word.capitalize() for word in method.split("_"))
        shape: Any = self._model.operation_model(operation).input_shape

        def call(**request: Any) -> Any:
            validate_parameters(request, shape)
            answer = self._answers[method]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    @property
    def lazy(self) -> Lazy:
        return Lazy("fake", lambda service: self)


def error(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


def test_invalid_signature_is_an_error_of_kms_and_an_answer_here() -> None:
    trust = KmsTrust(Asked("kms", verify=error("KMSInvalidSignatureException")).lazy)
    assert not trust.is_valid(KEY, b"message", b"signature")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("DependencyTimeoutException", 503, RetryableError),
        ("KMSInternalException", 500, RetryableError),
        ("ThrottlingException", 400, RetryableError),
        ("AccessDeniedException", 400, PermanentError),
        ("DisabledException", 409, PermanentError),
    ],
)
def test_kms_that_gives_no_verdict_is_an_error(code: str, status: int, kind: type[Exception]) -> None:
    trust = KmsTrust(Asked("kms", verify=error(code, status)).lazy)
    with pytest.raises(kind):
        trust.is_valid(KEY, b"message", b"signature")


def body(content: bytes) -> dict[str, Any]:
    return {"Body": StreamingBody(io.BytesIO(content), len(content))}


def whole(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ({"ChecksumSHA256": whole(b"as S3 has it"), "ChecksumType": "FULL_OBJECT"}, b"as S3 has it"),
        ({"ChecksumSHA256": whole(b"as S3 has it")}, b"as S3 has it"),
        ({"ChecksumSHA256": whole(b"of parts") + "-2", "ChecksumType": "COMPOSITE"}, b"as it is read"),
        ({"ChecksumSHA256": whole(b"of parts"), "ChecksumType": "COMPOSITE"}, b"as it is read"),
        ({"ChecksumCRC64NVME": "AAAA"}, b"as it is read"),
    ],
)
def test_digest_is_of_the_whole_object(head: dict[str, Any], found: bytes) -> None:
    s3 = Asked("s3", head_object={"ContentLength": 9, **head}, get_object=body(b"as it is read"))
    assert KmsTrust(s3=s3.lazy).sha256(URI) == hashlib.sha256(found).hexdigest()


def test_large_object_without_a_checksum_is_not_read() -> None:
    s3 = Asked("s3", head_object={"ContentLength": MOST_BYTES + 1})
    with pytest.raises(TooLargeError, match="134,217,729 bytes"):
        KmsTrust(s3=s3.lazy).sha256(URI)


@pytest.mark.parametrize(
    ("code", "kind"), [("404", MissingError), ("NoSuchKey", MissingError), ("AccessDenied", PermanentError)]
)
def test_object_that_cannot_be_had(code: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised:
        KmsTrust(s3=Asked("s3", head_object=error(code, 404)).lazy).sha256(URI)
    assert type(raised.value) is kind


def test_object_that_must_not_be_read_is_named() -> None:
    with pytest.raises(PermanentError, match=f"{URI} must not be read") as raised:
        KmsTrust(s3=Asked("s3", head_object=error("403", 403)).lazy).sha256(URI)
    assert "(403)" in str(raised.value)


def test_reason_that_aws_gives_for_an_object_that_must_not_be_read_is_told() -> None:
    why = "User is not authorized to perform kms:Decrypt"
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": why}}, "GetObject")
    s3 = Asked("s3", head_object={"ContentLength": 9}, get_object=refused)
    with pytest.raises(PermanentError, match=f"{URI} must not be read: .*{why}"):
        KmsTrust(s3=s3.lazy).sha256(URI)


def test_real_signature_is_valid_and_another_message_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        kms: Any = boto3.client("kms", region_name="us-east-1")
        key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        message = Statement(URI, DIGEST, "1.1.0", NAME).message
        signature = kms.sign(
            KeyId=key, Message=message, MessageType=signing.MESSAGE_TYPE, SigningAlgorithm=signing.ALGORITHM
        )["Signature"]
        trust = KmsTrust(Lazy("kms", lambda service: kms))
        assert len(base64.b64encode(signature)) <= 256, "the longest value of a package's metadata"
        assert trust.is_valid(key, message, signature)
        assert not trust.is_valid(key, message + b" ", signature)


def test_artefact_that_is_replaced_after_it_was_admitted_is_not_deployed(trusting: Any) -> None:
    trusting.approve(metadata=signed(trusting))
    assert trusting.trust.asked == [KEY, URI]
    trusting.trust.objects[URI] = b"other weights"
    trusting.until_over()
    assert trusting.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert trusting.sagemaker.models == {}
    assert "CreateModel failed: its artefact" in trusting.store.texts("abort")[0]


def test_artefact_that_cannot_be_read_when_its_model_is_made_is_read_again(trusting: Any) -> None:
    trusting.approve(metadata=signed(trusting))
    trusting.trust.unread = [RetryableError("S3 is busy")]
    trusting.until_over()
    assert trusting.trust.unread == []
    assert trusting.outcomes == [("1.1.0", "PROMOTED")]


# What was signed is known for as long as the version is.


@pytest.fixture
def bigger(fleet: Fleet) -> Fleet:
    """Return another fleet than the endpoint's."""
    return replace(fleet, instance_type="ml.g6.xlarge")


def promoted(world: Any, *versions: str) -> Any:
    """Return the state after signed versions went live, one after the other."""
    for version in versions:
        world.approve(version, metadata=signed(world, version))
        world.until_over()
        world.clock.time += 2
    return world.store.state


def test_version_that_is_live_keeps_what_it_was_signed_with(trusting: Any, bigger: Fleet) -> None:
    assert trusting.store.state.live.sha256 == ""
    assert promoted(trusting, "1.1.0").live.sha256 == DIGEST
    trusting.declare(bigger)
    state = trusting.until_over()
    assert (state.live.fleet.instance_type, state.live.sha256) == ("ml.g6.xlarge", DIGEST)
    trusting.approve("1.2.0")
    trusting.until_phase(Phase.BAKE)
    trusting.command("abort")
    state = trusting.until_over()
    assert (trusting.outcomes[-1], state.live.sha256) == (("1.2.0", "ROLLED_BACK"), DIGEST)


def test_version_that_is_gone_back_to_is_signed_as_it_was(trusting: Any) -> None:
    promoted(trusting, "1.1.0")
    trusting.approve("1.2.0")
    state = trusting.until_over()
    assert (state.live.sha256, state.past[-1].sha256) == ("", DIGEST)
    trusting.command("rollback", to="1.1.0")
    state = trusting.until_over()
    assert (state.live.version, state.live.sha256) == ("1.1.0", DIGEST)


def test_version_that_somebody_else_has_put_live_is_unsigned(trusting: Any) -> None:
    promoted(trusting, "1.1.0")
    trusting.sagemaker.configs["theirs"] = {"green": 1}
    trusting.endpoint.config = "theirs"
    assert trusting.pass_time(130).live.sha256 == ""


def test_item_of_before_there_was_a_digest_reads_as_unsigned(trusting: Any) -> None:
    promoted(trusting, "1.1.0")
    item = state_item(promoted(trusting, "1.2.0"))
    for part in (item["live"], *item["past"]):
        assert part.pop("sha256") == (DIGEST if part["version"] != "bootstrap" else "")
    read = read_state(item)
    assert {read.live.sha256, *(past.sha256 for past in read.past)} == {""}


def test_live_model_whose_artefact_was_replaced_is_not_cloned_for_another_fleet(trusting: Any, bigger: Fleet) -> None:
    state = promoted(trusting, "1.1.0")
    trusting.trust.objects[URI] = b"other weights"
    trusting.declare(bigger)
    after = trusting.until_over()
    assert trusting.outcomes[-1] == ("1.1.0", "ROLLED_BACK")
    assert after.live == state.live
    assert f"CreateModel failed: its artefact {URI} has the sha256" in trusting.store.texts("abort")[0]


def test_version_whose_artefact_was_replaced_is_not_gone_back_to(trusting: Any) -> None:
    promoted(trusting, "1.1.0", "1.2.0")
    trusting.trust.objects[URI] = b"other weights"
    trusting.command("rollback", to="1.1.0")
    trusting.until_over()
    assert trusting.outcomes[-1] == ("1.1.0", "ROLLED_BACK")
    assert trusting.store.state.live.version == "1.2.0"


@pytest.mark.parametrize(
    "error", [RetryableError("S3 is busy"), TimedOutError("no answer"), PermanentError("S3 must not be read")]
)
def test_way_back_does_not_depend_on_s3(trusting: Any, error: TidegateError) -> None:
    promoted(trusting, "1.1.0", "1.2.0")
    trusting.trust.unread = [error] * 100
    trusting.command("rollback", to="1.1.0")
    trusting.until_over()
    assert (trusting.outcomes[-1], len(trusting.trust.unread)) == (("1.1.0", "PROMOTED"), 99)
    assert trusting.store.state.live.sha256 == DIGEST, "it is checked when it is cloned again"
    (told,) = [line for line, _ in trusting.log.lines if "not compared" in line]
    assert URI in told
    assert str(error) in told


def test_way_back_is_refused_where_the_artefact_is_gone(trusting: Any) -> None:
    promoted(trusting, "1.1.0", "1.2.0")
    trusting.trust.objects[URI] = None
    trusting.command("rollback", to="1.1.0")
    trusting.until_over()
    assert trusting.outcomes[-1] == ("1.1.0", "ROLLED_BACK")
    assert f"its artefact {URI} is not there" in trusting.store.texts("abort")[-1]


def test_live_model_is_cloned_for_another_fleet_only_once_its_artefact_could_be_read(
    trusting: Any, bigger: Fleet
) -> None:
    promoted(trusting, "1.1.0")
    trusting.trust.unread = [PermanentError("S3 must not be read")] * 3
    trusting.declare(bigger)
    trusting.until_over()
    assert (trusting.outcomes[-1], trusting.trust.unread) == (("1.1.0", "ROLLED_BACK"), [])
    assert "failed 3 times" in trusting.store.texts("abort")[-1]


def test_container_that_loads_more_than_was_signed_is_no_longer_what_was_signed(trusting: Any) -> None:
    container = {"ModelDataUrl": URI, "AdditionalModelDataSources": [{"ChannelName": "more"}]}
    with pytest.raises(TamperedError, match="additional model data"):
        check_artefact(container, DIGEST, trusting.trust)
