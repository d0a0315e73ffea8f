"""Whether a version's signature holds, as far as whoever asks may find out."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from lambdas import contract, signing
from tidegate.aws import Aws
from tidegate.models.record import Record
from tidegate.settings import EndpointSettings

NONE, VALID, INVALID, UNCHECKED = "none", "valid", "invalid", "not checked"
_INVALID_CODE = "KMSInvalidSignatureException"
_DIGESTS = "-"
"""In a checksum: S3 took the object in parts, and this is a checksum of theirs."""


@dataclass(frozen=True)
class Signature:
    """What became of checking: ``none``, ``valid``, ``invalid`` or ``not checked``, why, and with which key."""

    status: str
    text: str
    key: str = ""
    sha256: str = ""


def check(aws: Aws, endpoint: EndpointSettings, record: Record) -> Signature:
    """Check a signature with the key that the endpoint trusts, whatever key the package names."""
    key, named = endpoint.signing_key, record.metadata.get(contract.PACKAGE_SIGNING_KEY_KEY, "")
    if not signing.is_signed(record.metadata):
        return Signature(NONE, "it is not signed")
    if not key:
        return Signature(UNCHECKED, "the endpoint's settings name no key to check it with", named)
    try:
        signed = signing.read(record.metadata, record.container, endpoint.name)
    except signing.SignatureError as error:
        return Signature(INVALID, str(error), named)
    digest = signed.statement.sha256
    try:
        status, text = _verify(aws, key, signed)
    except (BotoCoreError, ClientError) as error:
        status, text = UNCHECKED, f"it could not be asked of KMS: {error}"
    return Signature(status, text, signed.key, digest)


def _verify(aws: Aws, key: str, signed: signing.Signed) -> tuple[str, str]:
    try:
        answer = aws.kms.verify(
            KeyId=key,
            Message=signed.statement.message,
            MessageType=signing.MESSAGE_TYPE,
            Signature=signed.signature,
            SigningAlgorithm=signing.ALGORITHM,
        )
        valid = bool(answer["SignatureValid"])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code", "") != _INVALID_CODE:
            raise
        valid = False
    if valid:
        return _artefact(aws, signed.statement)
    if signed.key != key:
        return INVALID, f"it was signed with {signed.key}, and the endpoint trusts {key} alone"
    return INVALID, "artefact, digest, version or endpoint are others than when it was signed"


def _artefact(aws: Aws, said: signing.Statement) -> tuple[str, str]:
    """Compare the artefact with what was signed, by the checksum that S3 keeps of it."""
    bucket, _, key = said.artefact.removeprefix("s3://").partition("/")
    try:
        checksum = aws.s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED").get("ChecksumSHA256", "")
    except (BotoCoreError, ClientError) as error:
        return UNCHECKED, f"KMS says that it is valid, but the artefact could not be looked at: {error}"
    if not checksum or _DIGESTS in checksum:
        return UNCHECKED, "KMS says that it is valid, but S3 keeps no checksum of the whole artefact to compare"
    found = base64.b64decode(checksum).hex()
    if found == said.sha256:
        return VALID, "KMS says that it is valid, and the artefact is the one that was signed"
    return INVALID, f"the artefact has the sha256 {found}, but another was signed: it was changed"
