"""Files that lie beside a version's artefact, read as far as they are there and may be read."""

from __future__ import annotations

import json
import tarfile
import zlib
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.errors import ProfileError
from tidegate.aws import Aws
from tidegate.models.record import Record

LARGEST_FILE = 16 * 1024**2
LARGEST_ARCHIVE = 256 * 1024**2
"""Of what is larger, the signature is not looked for: an archive can only be read from its beginning."""

SIGNATURE_NAME, BASELINE_NAME = "signature.json", "baseline.json"
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})


class Files:
    """Reads files; what could not be read is remembered, for a person to know that something may be left out.

    Parameters
    ----------
    aws
        The account.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.problems: list[str] = []

    def text(self, uri: str) -> str | None:
        """Return a file's text; None where there is none, or it cannot be read."""
        content = self._read(uri, LARGEST_FILE)
        return None if content is None else content.decode("utf-8", "replace")

    def json(self, uri: str) -> dict[str, Any]:
        """Return the JSON object in a file; empty where there is none, or it cannot be read."""
        text = self.text(uri)
        try:
            found = json.loads(text or "{}")
        except ValueError as error:
            self._lose(uri, f"it is no JSON ({error})")
            return {}
        return found if isinstance(found, dict) else {}

    def baseline(self, record: Record) -> Baseline | None:
        """Return the counts of a version's training data."""
        uri = record.baseline_uri or record.beside(BASELINE_NAME)
        text = self.text(uri)
        try:
            return None if text is None else Baseline.of_text(text)
        except ProfileError as error:
            self._lose(uri, str(error))
            return None

    def signature(self, record: Record) -> dict[str, Any]:
        """Return the signature in a version's archive: its inputs and outputs, and their bounds."""
        uri = record.package.model_data
        found = self._open(uri)
        if found is None:
            return {}
        if found.get("ContentLength", 0) > LARGEST_ARCHIVE:
            self._lose(uri, f"{SIGNATURE_NAME} is not looked for in more than {LARGEST_ARCHIVE >> 20} MiB")
            return {}
        try:
            return _member(found["Body"], SIGNATURE_NAME)
        except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, BotoCoreError) as error:
            self._lose(uri, f"{SIGNATURE_NAME} could not be read from it ({error})")
            return {}

    def _read(self, uri: str, most: int) -> bytes | None:
        found = self._open(uri)
        if found is None:
            return None
        try:
            content: bytes = found["Body"].read(most + 1)
        except (OSError, BotoCoreError) as error:
            self._lose(uri, str(error))
            return None
        if len(content) > most:
            self._lose(uri, f"it is larger than {most >> 20} MiB")
            return None
        return content

    def _open(self, uri: str) -> Any:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not key:
            return None
        try:
            return self._aws.s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code", "") not in _MISSING:
                self._lose(uri, str(error))
            return None

    def _lose(self, uri: str, why: str) -> None:
        self.problems.append(f"{uri}: {why}")


def _member(body: Any, name: str) -> dict[str, Any]:
    """Return the JSON object in a member of a compressed archive, which is read no further than that."""
    with tarfile.open(fileobj=body, mode="r|gz") as archive:
        for member in archive:
            if member.isfile() and member.name.removeprefix("./") == name and member.size <= LARGEST_FILE:
                file = archive.extractfile(member)
                found = json.loads(file.read()) if file else {}
                return found if isinstance(found, dict) else {}
    return {}
