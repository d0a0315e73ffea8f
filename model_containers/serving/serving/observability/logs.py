"""Structured logs: one JSON object a line on standard output, as CloudWatch Logs Insights reads them.

Bodies are never logged: what comes as bytes is shown by its length only, and long texts are cut.
"""

import json
import logging
import select
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..errors import StartError

LOGGER = logging.getLogger("serving")
MAX_TEXT = 4096
"""Longer texts are cut, stack traces excepted. A caller's custom attributes have at most 1024 characters."""

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_bound: dict[str, object] = {}
_output: "logging.StreamHandler[Any]" = logging.StreamHandler(sys.stdout)


class JsonFormatter(logging.Formatter):
    """Render a record, the bound fields, and whatever was passed as ``extra``, as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": _shown(record.getMessage()),
        }
        line |= _bound
        line.update((key, _shown(value)) for key, value in vars(record).items() if key not in _STANDARD)
        if record.exc_info and not isinstance(record.exc_info[1], StartError):
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str) -> None:
    """Send this program's log, and its libraries' warnings, to standard output."""
    global _output  # noqa: PLW0603 - one program has one standard output
    _output = logging.StreamHandler(sys.stdout)
    _output.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[_output], force=True)
    LOGGER.setLevel(level)


def bind(**fields: object) -> None:
    """Add fields, such as the model's digest and version, to every line from now on; None takes one away."""
    global _bound  # noqa: PLW0603 - replaced as a whole, so that a line being written has either the old or the new
    _bound = {key: value for key, value in (_bound | fields).items() if value is not None}


def request_fields(given: Mapping[str, str]) -> dict[str, object]:
    """Return what identifies a request, as ``extra`` of a log line.

    Parameters
    ----------
    given
        The request's headers by lower-case name.
    """
    named = {
        "inference_id": given.get("x-amzn-sagemaker-inference-id"),
        "custom_attributes": given.get("x-amzn-sagemaker-custom-attributes"),
    }
    return {key: value for key, value in named.items() if value}


def write_line(line: str) -> None:
    """Write a line to standard output as it is, never in the middle of another one."""
    _output.acquire()
    try:
        _output.stream.write(line + "\n")
        _output.flush()
    finally:
        _output.release()


def write_lines(lines: bytes) -> None:
    """Write whole lines to standard output as they are, never in the middle of another one.

    It waits until there is room first: while nobody reads, the log's own lines need not wait behind these.
    """
    stream = _output.stream.buffer
    room = select.poll()
    room.register(stream.fileno(), select.POLLOUT)
    room.poll()
    _output.acquire()
    try:
        stream.write(lines)
        stream.flush()
    finally:
        _output.release()


def _shown(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{value[:MAX_TEXT]}... ({len(value)} characters)"
    return value
