"""The model registry as an operator uses it: register a version, approve it, reject it, list what is there."""

from __future__ import annotations

import hashlib
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from lambdas import contract, signing
from tidegate import packed_baseline, packed_signature
from tidegate.aws import Aws
from tidegate.errors import OperatorError, UsageError
from tidegate.settings import EndpointSettings

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeModelPackageOutputTypeDef

Approval = Literal["Approved", "Rejected", "PendingManualApproval"]
ARTEFACT_NAME = "model.tar.gz"
CARD_NAME = "card.json"
MODEL_FILES = ("model.onnx", "signature.json")
"""What the serving container looks for at the archive's root."""

_PACK = f"make one with: tar -czf {ARTEFACT_NAME} -C <model folder> {' '.join(MODEL_FILES)}"
INPUT_TYPES = ["text/csv", "application/json", "application/x-npy"]
OUTPUT_TYPES = ["application/json"]
_WHOLE = TransferConfig(multipart_threshold=1024**3)
"""Of an object that S3 takes in parts it has no checksum of the whole, which is what signatures are checked by."""

_CHECKSUM = {"ChecksumAlgorithm": "SHA256"}
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,63}")


@dataclass(frozen=True)
class Package:
    """One registered version of a model."""

    arn: str
    number: int
    version: str
    approval: str
    status: str
    image: str
    model_data: str
    created_at: datetime
    description: str = ""
    signed: bool = False


@dataclass(frozen=True)
class Registration:
    """What registering did: the package, and whether it had to be created."""

    package: Package
    created: bool


def packages(aws: Aws, group: str) -> list[Package]:
    """Return every registered version of the group, oldest first."""
    found = [describe(aws, arn) for arn in arns(aws, group)]
    return sorted(found, key=lambda package: package.number)


def find(aws: Aws, group: str, version: str, hint: str = "") -> Package:
    """Return the newest package of the group that carries `version`; `hint` says what to do when there is none."""
    known = packages(aws, group)
    matching = [package for package in known if package.version == version]
    if matching:
        return matching[-1]
    versions = ", ".join(package.version for package in known) or "none"
    raise UsageError(f"{group} has no version {version!r}; registered: {versions}", hint)


def describe(aws: Aws, arn: str) -> Package:
    """Return the package of that ARN."""
    return read_package(aws.sagemaker.describe_model_package(ModelPackageName=arn))


def register(
    aws: Aws, endpoint: EndpointSettings, *, model: Path, version: str, card: Path | None = None, note: str = ""
) -> Registration:
    """Upload a model and register it as `version`, waiting for approval.

    The signature in its archive is put beside it, where the front door looks for it, and a baseline, where the drift
    monitor does.
    Registering the same file under the same version again changes nothing, but that it signs a version that was not
    signed while the environment names a key; a version never changes what it holds.
    """
    check_version(version)
    check_artefact(model)
    baseline, digest = packed_baseline.read(model), sha256(model)
    uri = f"s3://{endpoint.artefact_bucket}/{endpoint.name}/{version}/{digest}/{ARTEFACT_NAME}"
    for known in packages(aws, endpoint.name):
        if known.version == version:
            found = _registered_already(known, uri)
            return found if known.signed else _sign_late(aws, endpoint, found, digest)
    _upload(aws, uri, model)
    folder = uri.removesuffix(ARTEFACT_NAME)
    _put(aws, f"{folder}{packed_signature.NAME}", packed_signature.read(model))
    if baseline is not None:
        _put(aws, f"{folder}{packed_baseline.NAME}", baseline)
    request = _request(endpoint, uri, version, note, _signature(aws, endpoint, uri, version, digest))
    if card is not None:
        request |= _card_metrics(aws, uri, card)
    arn = aws.sagemaker.create_model_package(**request)["ModelPackageArn"]
    return Registration(describe(aws, arn), created=True)


def decide(aws: Aws, package: Package, approval: Approval, reason: str = "") -> bool:
    """Set the package's approval; return whether that changed anything."""
    if package.approval == approval:
        return False
    request: dict[str, Any] = {"ModelPackageArn": package.arn, "ModelApprovalStatus": approval}
    if reason:
        request["ApprovalDescription"] = reason
    aws.sagemaker.update_model_package(**request)
    return True


def check_version(version: str) -> None:
    """Refuse a version that could not be part of an S3 key and a tag."""
    if _VERSION.fullmatch(version) is None:
        raise UsageError(
            f"version {version!r} is not allowed",
            "use up to 64 letters, digits, '.', '_', '+' or '-', such as --version 1.2.0",
        )


def check_artefact(model: Path) -> None:
    """Refuse a file that SageMaker would not unpack, or in which the serving container would find no model."""
    if not model.is_file():
        raise UsageError(f"there is no file {model}", f"give --model the path of a {ARTEFACT_NAME}")
    try:
        with tarfile.open(model, "r:gz") as archive:
            files = [PurePosixPath(member.name) for member in archive if member.isfile()]
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{model} is not a gzip-compressed tar archive ({error})", _PACK) from error
    missing = [name for name in MODEL_FILES if PurePosixPath(name) not in files]
    if missing:
        raise UsageError(f"{model} has no {' and no '.join(missing)} at its root", _where(files, missing))


def _where(files: Sequence[PurePosixPath], missing: Sequence[str]) -> str:
    deeper = [str(file) for file in files if file.name in missing]
    return f"it has {', '.join(deeper)}: {_PACK}" if deeper else _PACK


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def arns(aws: Aws, group: str) -> Iterator[str]:
    """Yield the ARN of every registered version of the group."""
    for page in aws.sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group):
        for summary in page["ModelPackageSummaryList"]:
            yield summary["ModelPackageArn"]


def read_package(answer: DescribeModelPackageOutputTypeDef) -> Package:
    """Return what DescribeModelPackage answered as a package."""
    container = answer["InferenceSpecification"]["Containers"][0]
    metadata = answer.get("CustomerMetadataProperties", {})
    number = answer["ModelPackageVersion"]
    return Package(
        arn=answer["ModelPackageArn"],
        number=number,
        version=metadata.get(contract.PACKAGE_VERSION_KEY, str(number)),
        approval=answer["ModelApprovalStatus"],
        status=answer["ModelPackageStatus"],
        image=container.get("Image", ""),
        model_data=container.get("ModelDataUrl", ""),
        created_at=answer["CreationTime"],
        description=answer.get("ModelPackageDescription", ""),
        signed=bool(metadata.get(contract.PACKAGE_SIGNATURE_KEY)),
    )


def _registered_already(known: Package, uri: str) -> Registration:
    if known.model_data == uri:
        return Registration(known, created=False)
    raise UsageError(
        f"version {known.version!r} is registered with another file ({known.arn})",
        "a version never changes what it holds: register this file under a new --version",
    )


def _sign_late(aws: Aws, endpoint: EndpointSettings, found: Registration, digest: str) -> Registration:
    """Sign a version that was registered before its environment named a key."""
    package = found.package
    signature = _signature(aws, endpoint, package.model_data, package.version, digest)
    if signature:
        aws.sagemaker.update_model_package(ModelPackageArn=package.arn, CustomerMetadataProperties=signature)
    return Registration(describe(aws, package.arn), created=False)


def _signature(aws: Aws, endpoint: EndpointSettings, uri: str, version: str, digest: str) -> dict[str, str]:
    """Return what a package's metadata say of its signature; nothing where versions are not signed."""
    key = endpoint.signing_key
    if not key:
        return {}
    statement = signing.Statement(uri, digest, version, endpoint.name)
    try:
        answer = aws.kms.sign(
            KeyId=key, Message=statement.message, MessageType=signing.MESSAGE_TYPE, SigningAlgorithm=signing.ALGORITHM
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code", "") not in _DENIED:
            raise
        raise OperatorError(
            f"{endpoint.name} {version} could not be signed, so that it is not registered: {error}",
            f"your identity needs kms:Sign on {key}; ask whoever administers the key, or register it from a pipeline "
            "whose role has that",
        ) from error
    return signing.metadata(statement, answer["Signature"], key)


def _request(
    endpoint: EndpointSettings, uri: str, version: str, note: str, signature: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "ModelPackageGroupName": endpoint.name,
        "ModelPackageDescription": note or f"{endpoint.name} {version}",
        "ModelApprovalStatus": contract.PACKAGE_PENDING,
        "InferenceSpecification": {
            "Containers": [{"Image": endpoint.image, "ModelDataUrl": uri}],
            "SupportedContentTypes": INPUT_TYPES,
            "SupportedResponseMIMETypes": OUTPUT_TYPES,
        },
        "CustomerMetadataProperties": {contract.PACKAGE_VERSION_KEY: version, **signature},
    }


def _card_metrics(aws: Aws, model_uri: str, card: Path) -> dict[str, Any]:
    if not card.is_file():
        raise UsageError(f"there is no file {card}", "give --card the path of the model's card, or leave it out")
    uri = f"{model_uri.removesuffix(ARTEFACT_NAME)}{CARD_NAME}"
    _upload(aws, uri, card)
    return {"ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": uri}}}}


def _put(aws: Aws, uri: str, content: bytes) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    aws.s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="application/json")


def _upload(aws: Aws, uri: str, path: Path) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        aws.s3.upload_file(str(path), bucket, key, ExtraArgs=_CHECKSUM, Config=_WHOLE)
    except S3UploadFailedError as error:
        raise OperatorError(
            f"{path} could not be uploaded to {uri}: {error}",
            "your identity needs s3:PutObject on the artefact bucket and kms:GenerateDataKey on its key",
        ) from error
