"""The lines that Lambda itself writes around a function's own."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud.services.functions.function import Function
from localcloud.services.functions.invocation import Invocation, Outcome


class PlatformLog:
    """Writes START, END and REPORT, as text or JSON as the function is configured.

    Parameters
    ----------
    function
        Whose log it is.
    take
        Takes the lines.
    """

    def __init__(self, function: Function, take: Callable[[str], None]) -> None:
        self._function = function
        self._take = take

    def initialising(self) -> None:
        """Write that a worker starts."""
        runtime = self._function.settings["Runtime"]
        self._write("initStart", f"INIT_START Runtime Version: {runtime}", {"runtimeVersion": runtime})

    def start(self, invocation: Invocation) -> None:
        """Write that an invocation begins."""
        version = self._function.version
        text = f"START RequestId: {invocation.request_id} Version: {version}"
        self._write("start", text, {"requestId": invocation.request_id, "version": version})

    def end(self, invocation: Invocation, outcome: Outcome, initialised: float | None, memory: int | None) -> None:
        """Write that an invocation has ended, and what it took."""
        duration = max(invocation.ended_at - invocation.started_at, 0.0) * 1000 if invocation.started_at else 0.0
        metrics: dict[str, Any] = {
            "durationMs": round(duration, 2),
            "billedDurationMs": math.ceil(duration),
            "memorySizeMB": self._function.memory,
            "maxMemoryUsedMB": memory or 0,
        }
        if initialised is not None:
            metrics["initDurationMs"] = round(max(initialised, 0.0) * 1000, 2)
        if not self._function.json_logs:
            self._take(f"END RequestId: {invocation.request_id}")
        status = "error" if outcome.error else "success"
        record = {"requestId": invocation.request_id, "status": status, "metrics": metrics}
        self._write("report", _report_text(invocation.request_id, metrics), record)

    def _write(self, kind: str, text: str, record: dict[str, Any]) -> None:
        if not self._function.json_logs:
            self._take(text)
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._take(json.dumps({"time": now, "type": f"platform.{kind}", "record": record}))


def _report_text(request_id: str, metrics: dict[str, Any]) -> str:
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {metrics['durationMs']} ms",
        f"Billed Duration: {metrics['billedDurationMs']} ms",
        f"Memory Size: {metrics['memorySizeMB']} MB",
        f"Max Memory Used: {metrics['maxMemoryUsedMB']} MB",
    ]
    if "initDurationMs" in metrics:
        parts.append(f"Init Duration: {metrics['initDurationMs']} ms")
    return "\t".join(parts)
