"""The function's log: one JSON object a line, in the form that all other functions' lines have.

Those are written by a library whose import takes longer than all that is imported here for a prediction.
"""

import json
import sys
import time
import traceback
from datetime import UTC, datetime

from lambdas.contract import METRIC_ENDPOINT_DIMENSION, METRIC_NAMESPACE


class JsonLog:
    """Implements `lambdas.inference.ports.Log`.

    Parameters
    ----------
    service
        Who writes.
    fields
        What every line has.
    """

    def __init__(self, service: str, **fields: object) -> None:
        self._fields: dict[str, object] = {"service": service, **fields}

    def bind(self, **fields: object) -> None:
        """Add fields to every line from here on."""
        self._fields |= fields

    def info(self, message: str, **fields: object) -> None:
        """Write a line."""
        self._write("INFO", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        """Write a line that somebody may want to look at."""
        self._write("WARNING", message, fields)

    def exception(self, message: str, **fields: object) -> None:
        """Write a line about the error that is being handled, with its traceback."""
        kind = sys.exc_info()[0]
        name = kind.__name__ if kind is not None else None
        self._write("ERROR", message, {**fields, "exception": traceback.format_exc(), "exception_name": name})

    def record(self, line: str) -> None:
        """Write one line as it is."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def count(self, metric: str) -> None:
        """Count one more of something: CloudWatch makes a metric of the endpoint's of such a line."""
        made = {
            "Namespace": METRIC_NAMESPACE,
            "Dimensions": [[METRIC_ENDPOINT_DIMENSION]],
            "Metrics": [{"Name": metric, "Unit": "Count"}],
        }
        at = int(time.time() * 1000)
        self.record(json.dumps({"_aws": {"Timestamp": at, "CloudWatchMetrics": [made]}, **self._fields, metric: 1}))

    def _write(self, level: str, message: str, fields: dict[str, object]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = {"level": level, "message": message, "timestamp": at, **self._fields, **fields}
        self.record(json.dumps(entry, default=str))
