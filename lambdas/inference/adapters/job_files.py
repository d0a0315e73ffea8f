"""Rows and answers of jobs in the artefact bucket.

Needs s3:GetObject and s3:PutObject on ``inference/<endpoint>/jobs/*`` of the artefact bucket
(`TIDEGATE_ARTEFACT_BUCKET`), s3:ListBucket on the bucket (without it, S3 says that what is gone may not be read), and
kms:Decrypt and kms:GenerateDataKey on its key.
"""

import os
from collections.abc import Callable
from typing import Any

from lambdas.contract import ENV_ARTEFACT_BUCKET
from lambdas.inference.adapters.clients import Lazy
from lambdas.rollout.adapters import objects
from lambdas.rollout.adapters.failures import translated

_CONNECT, _READ = 1.0, 5.0
_JSON = "application/json"


class S3JobFiles:
    """Implements `lambdas.inference.jobs.ports.Files`.

    Parameters
    ----------
    client
        Returns S3's client.
    """

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._client = client or Lazy("s3", connect=_CONNECT, read=_READ)

    def read(self, key: str, most_bytes: int | None = None) -> bytes:
        """Return an object; raise `MissingError` where it is gone, `TooLargeError` where it has more bytes."""
        return objects.read(self._client, _bucket(), key, most_bytes)

    def write(self, key: str, content: bytes) -> None:
        """Write an object of JSON."""
        with translated():
            self._client().put_object(Bucket=_bucket(), Key=key, Body=content, ContentType=_JSON)


def uri(key: str) -> str:
    """Return the URI of a key in the artefact bucket."""
    return f"s3://{_bucket()}/{key}"


def key_of(place: str) -> str:
    """Return the key of a URI in the artefact bucket."""
    return place.removeprefix(uri(""))


def _bucket() -> str:
    return os.environ[ENV_ARTEFACT_BUCKET]
