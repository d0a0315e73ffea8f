"""What CloudWatch Logs sends to see whether an audit's delivery stream takes anything: it is about nobody.

It is no prediction and can become no row. AWS does not say whether Firehose drops such a message before it converts
records; where it does not, the message ends up among the records that could not be filed.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib

from tidegate.aws import Aws
from tidegate.bucket_versions import Version

_LARGEST = 64 * 1024
"""Files of checks are small; what is larger has predictions, and need not be read."""


def only_checks(aws: Aws, bucket: str, file: Version) -> bool:
    """Return whether a file of records that could not be filed has nothing but checks."""
    if file.size > _LARGEST:
        return False
    body = aws.s3.get_object(Bucket=bucket, Key=file.key, VersionId=file.id)["Body"].read()
    lines = [line for line in body.splitlines() if line.strip()]
    return bool(lines) and all(map(_is_check, lines))


def _is_check(line: bytes) -> bool:
    """Return whether a line is such a message; what cannot be read might be anything."""
    try:
        message = json.loads(gzip.decompress(base64.b64decode(json.loads(line)["rawData"])))
        return bool(message["messageType"] == "CONTROL_MESSAGE")
    except (EOFError, KeyError, OSError, TypeError, ValueError, zlib.error):
        return False
