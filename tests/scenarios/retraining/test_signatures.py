"""What has been tampered with after it was signed is approved in vain."""

import base64
from pathlib import Path
from typing import Any

import pytest

from lambdas import contract, signing
from tests.scenarios.environments import STEADY
from tests.scenarios.retraining.watched import Watched
from tidegate import registry


@pytest.fixture
def loop(circle: Watched) -> Watched:
    return circle.at(STEADY)


def register(loop: Watched, models: Path, version: str) -> registry.Package:
    found = registry.register(loop.aws, loop.endpoint, model=models / "1.1.0" / "model.tar.gz", version=version).package
    assert found.signed
    return found


def refused(loop: Watched, package: registry.Package) -> str:
    """Approve a version; return why it is refused."""
    registry.decide(loop.aws, package, "Approved")

    def found() -> str:
        return next((e.text for e in loop.audit() if e.kind == "refused" and package.version in e.text), "")

    return loop.wait_for(found, f"the refusal of {package.version}")


def test_an_artefact_that_is_overwritten_after_signing_is_refused(loop: Watched, models: Path) -> None:
    before, live = len(loop.rollouts()), loop.live_fleet()
    package = register(loop, models, "7.0.0")
    bucket, _, key = package.model_data.removeprefix("s3://").partition("/")
    loop.aws.s3.upload_file(str(models / "1.2.0" / "model.tar.gz"), bucket, key)
    why = refused(loop, package)
    assert "7.0.0 was approved but is refused" in why
    assert "was signed: it was changed" in why
    assert (len(loop.rollouts()), loop.live_fleet()) == (before, live)


def test_a_signature_with_another_key_is_refused_though_it_claims_the_trusted_one(loop: Watched, models: Path) -> None:
    before, live = len(loop.rollouts()), loop.live_fleet()
    package = register(loop, models, "7.1.0")
    forged = forge(loop, package, "7.1.1")
    why = refused(loop, forged)
    assert "7.1.1 was approved but is refused: its signature is not valid" in why
    assert (len(loop.rollouts()), loop.live_fleet()) == (before, live)


def forge(loop: Watched, package: registry.Package, version: str) -> registry.Package:
    """Register a copy of a signed version under another name, signed with a key of one's own."""
    client = loop.aws.sagemaker
    known: dict[str, Any] = dict(client.describe_model_package(ModelPackageName=package.arn))
    metadata = {**known["CustomerMetadataProperties"], contract.PACKAGE_VERSION_KEY: version}
    statement = signing.Statement(package.model_data, metadata[contract.PACKAGE_DIGEST_KEY], version, loop.name)
    kms = loop.cloud.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    signature = kms.sign(
        KeyId=key, Message=statement.message, MessageType=signing.MESSAGE_TYPE, SigningAlgorithm=signing.ALGORITHM
    )["Signature"]
    metadata[contract.PACKAGE_SIGNATURE_KEY] = base64.b64encode(signature).decode()
    made = client.create_model_package(
        ModelPackageGroupName=loop.name,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=known["InferenceSpecification"],
        CustomerMetadataProperties=metadata,
    )
    return registry.describe(loop.aws, made["ModelPackageArn"])
