"""Log lines of functions on their way to CloudWatch Logs, and the metrics that they embed."""

import json
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.logs.models import logs_backends

from localcloud.credentials import Principal
from localcloud.front.moto_store import MotoStore
from localcloud.front.permissions import Need, Scope

_log = logging.getLogger(__name__)
_INTERVAL_SECONDS = 0.1

MetricSink = Callable[[str, str, Mapping[str, str], float, str, float], None]
"""Takes namespace, name, dimensions, value, unit and epoch seconds."""


@dataclass(frozen=True)
class Line:
    """One log line, and who writes it; without a principal the platform itself does.

    One with `needs_group` is lost if there is no such log group, which others make.
    """

    group: str
    stream: str
    at_ms: int
    text: str
    principal: Principal | None = None
    needs_group: bool = False


class LogShipper:
    """Writes lines to the log groups in batches, as far as the writer's role allows it.

    Parameters
    ----------
    store
        moto, which keeps the logs.
    scope
        Account and region.
    refusal
        Returns why a principal may not do something; None if it may.
    metrics
        Takes what lines in the embedded metric format carry.
    """

    def __init__(
        self,
        store: MotoStore,
        scope: Scope,
        refusal: Callable[[Principal, Need], str | None],
        metrics: MetricSink,
    ) -> None:
        self._store = store
        self._scope = scope
        self._refusal = refusal
        self._metrics = metrics
        self._lines: deque[Line] = deque()
        self._refused: set[tuple[str, str]] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="localcloud-logs", daemon=True)
        self._thread.start()

    def ship(self, line: Line) -> None:
        """Queue a line."""
        self._lines.append(line)

    def write(self, group: str, stream: str, lines: list[tuple[int, str]]) -> None:
        """Queue lines that a service of AWS writes, such as SageMaker for its containers."""
        self._lines.extend(Line(group, stream, at, text) for at, text in lines)

    def has_group(self, group: str) -> bool:
        """Return whether there is a log group."""
        return group in self._backend().groups

    def stop(self) -> None:
        """Write what is queued and stop."""
        self._stopping.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        batches: dict[tuple[str, str, Principal | None], list[Line]] = defaultdict(list)
        while self._lines:
            line = self._lines.popleft()
            if line.needs_group and not self.has_group(line.group):
                continue
            batches[line.group, line.stream, line.principal].append(line)
        for (group, stream, principal), lines in batches.items():
            try:
                if self._allowed(group, stream, principal):
                    self._write(group, stream, lines)
            except Exception:  # logs that cannot be written must not end the writing of others
                _log.exception("log lines of %s were lost", group)

    def _allowed(self, group: str, stream: str, principal: Principal | None) -> bool:
        if principal is None:
            return True
        arn = self._scope.arn("logs", f"log-group:{group}:log-stream:{stream}")
        actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
        if group not in self._backend().groups:
            actions.append("logs:CreateLogGroup")
        refusals = [r for action in actions if (r := self._refusal(principal, Need(action, arn))) is not None]
        if refusals and (group, stream) not in self._refused:
            self._refused.add((group, stream))
            _log.warning("log lines are lost, as they would be on AWS: %s", refusals[0])
        return not refusals

    def _backend(self) -> Any:
        return logs_backends[self._scope.account][self._scope.region]

    def _write(self, group: str, stream: str, lines: list[Line]) -> None:
        ordered = sorted(lines, key=lambda line: line.at_ms)
        with self._store.lock:
            backend = self._backend()
            if group not in backend.groups:
                backend.create_log_group(group, {})
            if stream not in backend.groups[group].streams:
                backend.create_log_stream(group, stream)
            events = [{"timestamp": line.at_ms, "message": line.text} for line in ordered]
            backend.put_log_events(group, stream, events)
        for line in ordered:
            for metric in embedded_metrics(line.text):
                self._metrics(*metric)


def embedded_metrics(text: str) -> Iterator[tuple[str, str, Mapping[str, str], float, str, float]]:
    """Yield the metrics of a line in the embedded metric format; nothing for any other line."""
    if '"_aws"' not in text:
        return
    try:
        record = json.loads(text)
        header = record["_aws"]
        directives = header["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    at = float(header.get("Timestamp", time.time() * 1000)) / 1000
    for directive in directives:
        yield from _directive_metrics(record, directive, at)


def _directive_metrics(
    record: Mapping[str, Any], directive: Mapping[str, Any], at: float
) -> Iterator[tuple[str, str, Mapping[str, str], float, str, float]]:
    for names in directive.get("Dimensions") or [[]]:
        dimensions = {name: str(record[name]) for name in names if name in record}
        for metric in directive.get("Metrics", []):
            values = record.get(metric["Name"], [])
            for value in values if isinstance(values, list) else [values]:
                yield directive["Namespace"], metric["Name"], dimensions, float(value), metric.get("Unit", "None"), at
