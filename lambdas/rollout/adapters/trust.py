"""Signatures by AWS KMS, and digests of artefacts as S3 has them."""

import base64
import hashlib
from typing import Any

from lambdas import signing
from lambdas.rollout.adapters.clients import Lazy, time_limit
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import MissingError, PermanentError, TooLargeError

MOST_BYTES = 128 * 1024 * 1024
"""Of an object that is read through: what a function of 512 MB reads and hashes within a few seconds."""

_CHUNK = 1024 * 1024
_INVALID = "KMSInvalidSignatureException"
_FORBIDDEN = frozenset({"403", "AccessDenied"})
"""S3 says no more to a HEAD than its status."""

_NO_OBJECT = frozenset({"404", "NoSuchKey", "NoSuchBucket"})


class KmsTrust:
    """Implements `lambdas.rollout.ports.Trust`."""

    def __init__(self, kms: Lazy | None = None, s3: Lazy | None = None) -> None:
        self._kms, self._s3 = kms or Lazy("kms"), s3 or Lazy("s3")

    def is_valid(self, key: str, message: bytes, signature: bytes) -> bool:
        """Return whether a signature was made over the message with a key; KMS says so by an error."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                answer = self._kms().verify(
                    KeyId=key,
                    Message=message,
                    MessageType=signing.MESSAGE_TYPE,
                    Signature=signature,
                    SigningAlgorithm=signing.ALGORITHM,
                )
            except ClientError as error:
                if code_of(error) == _INVALID:
                    return False
                raise
        return bool(answer["SignatureValid"])

    def sha256(self, uri: str) -> str:
        """Return an object's SHA-256: what S3 computed when it took it whole, else by reading it through."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        head = self._asked("head_object", uri, Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        whole = head.get("ChecksumSHA256", "")
        # Of an object that was taken in parts, S3 has a checksum of the parts' checksums, which ends in their number.
        if whole and "-" not in whole and head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT":
            return base64.b64decode(whole).hex()
        if head["ContentLength"] > MOST_BYTES:
            raise TooLargeError(
                f"S3 has no SHA-256 of {uri}, and it has {head['ContentLength']:,} bytes, of which "
                f"{MOST_BYTES:,} can be read through"
            )
        return self._read_through(uri, bucket, key)

    def _read_through(self, uri: str, bucket: str, key: str) -> str:
        digest = hashlib.sha256()
        body = self._asked("get_object", uri, Bucket=bucket, Key=key)["Body"]
        with translated():
            for chunk in body.iter_chunks(_CHUNK):
                time_limit.check()
                digest.update(chunk)
        return digest.hexdigest()

    def _asked(self, method: str, uri: str, **request: Any) -> Any:
        from botocore.exceptions import ClientError

        if not uri.startswith("s3://"):
            raise PermanentError(f"{uri} is not in S3")
        with translated():
            try:
                return getattr(self._s3(), method)(**request)
            except ClientError as error:
                if code_of(error) in _NO_OBJECT:
                    raise MissingError(f"{uri} is not there") from error
                if code_of(error) in _FORBIDDEN:
                    how = "allow s3:GetObject, and its key"
                    raise PermanentError(f"{uri} must not be read: {how} ({error})") from error
                raise
