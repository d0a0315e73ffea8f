"""What lies in S3 of a window: its page, and what is to be done about each finding."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tidegate.aws import Aws
from tidegate.drift import Window
from tidegate.errors import OperatorError, UsageError

ASSESSMENT_NAME = "assessment.json"


def next_steps(aws: Aws, window: Window) -> Mapping[tuple[str, str], str]:
    """Return what to do about findings, by kind and subject; nothing where the window's file cannot be read."""
    folder, slash, _ = window.report.rpartition("/")
    if not slash:
        return {}
    try:
        found = json.loads(_read(aws, f"{folder}/{ASSESSMENT_NAME}"))
        steps = {(str(each["kind"]), str(each["subject"])): _next_step(each) for each in found["findings"]}
    except (BotoCoreError, ClientError, OSError, ValueError, KeyError, TypeError):
        # What was found is in the table as well; who may not read the file is not kept from that.
        return {}
    return {finding: step for finding, step in steps.items() if step}


def _next_step(finding: Mapping[str, Any]) -> str:
    return str(finding.get("next_step") or "")


def save(aws: Aws, window: Window, path: Path, *, with_folder: bool = False) -> None:
    """Write a window's page to a file, and make its folder if that is asked for."""
    if not window.page:
        raise OperatorError(
            f"the window {window.id} has no report, because nothing could be counted ({window.status})",
            f"what was found of it: python -m tidegate drift --window {window.id}",
        )
    try:
        page = _read(aws, window.page)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code", "") != "NoSuchKey":
            raise
        raise OperatorError(
            f"{window.page} is not there any more",
            "reports are kept for the evidence_retention_days of the environment's file",
        ) from error
    try:
        if with_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", "give --report another file") from error


def _read(aws: Aws, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    content: bytes = aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content
