"""Metrics in the log, once a minute, in CloudWatch's embedded metric format (EMF).

Under network isolation nothing can scrape ``/metrics``, but SageMaker still ships the container's standard output to
CloudWatch Logs, which takes metrics out of lines of this form wherever they come from. ("Specification: Embedded
metric format" in the CloudWatch user guide: one JSON object a line, below 256 KB, at most 100 metrics, each a number or
an array of at most 100 numbers. "Using the PutLogEvents API ...": the sender needs no special header.)
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from . import logs, process
from .histogram import Tally
from .metrics import Metrics, Snapshot

NAMESPACE = "Tidegate/Serving"
INTERVAL_SECONDS = 60.0
MAX_VALUES = 100
"""The specification's limit of an array."""

_MILLISECONDS = 1000.0
_BYTES = {"tidegate_queue_bytes"}

Metric = tuple[str, str, float | list[float]]
"""Name, CloudWatch unit, and a number or numbers."""


class Reporter:
    """Writes what was counted since the last time, in a thread of its own.

    Parameters
    ----------
    metrics
        What is reported.
    dimensions
        Dimensions of the metrics. SageMaker tells a container neither its endpoint nor its variant, so they come from
        variables that whoever makes the model sets; with none, all endpoints of an account and region are one.
    properties
        Further fields of each line, such as the model's digest, to be searched by and not billed as metrics.
    interval_seconds
        How often.
    write
        Takes a line.
    now
        The time of day, in seconds.
    pause
        Waits for so many seconds; returns True when it is time to end.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        dimensions: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        interval_seconds: float = INTERVAL_SECONDS,
        write: Callable[[str], None] = logs.write_line,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self._metrics = metrics
        self._dimensions = dict(dimensions or {})
        self._properties = dict(properties or {})
        self._interval_seconds = interval_seconds
        self._write = write
        self._now = now
        self._ending = threading.Event()
        self._pause = pause or self._ending.wait
        self._last = metrics.snapshot()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def close(self) -> None:
        """Report a last time, and end."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)
        self.flush()

    def flush(self) -> None:
        """Write what was counted since the last time."""
        now = self._metrics.snapshot()
        found = [*_counts(now, self._last, self._metrics.latency_threshold_seconds), *_distributions(now, self._last)]
        self._last = now
        self._write(document([*found, *_levels(self._metrics)], self._dimensions, self._properties, self._now()))

    def _run(self) -> None:
        while not self._pause(self._interval_seconds):
            try:
                self.flush()
            except Exception:  # a minute without metrics is a pity, and no reason to have none ever after
                logs.LOGGER.exception("metrics could not be reported")


def document(
    metrics: list[Metric], dimensions: Mapping[str, str], properties: Mapping[str, str], now_seconds: float
) -> str:
    """Return one line in the embedded metric format."""
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit, _ in metrics],
    }
    header = {"Timestamp": int(now_seconds * 1000), "CloudWatchMetrics": [directive]}
    root: dict[str, Any] = {"_aws": header, **properties, **dimensions, **{name: value for name, _, value in metrics}}
    return json.dumps(root, separators=(",", ":"))


def _counts(now: Snapshot, before: Snapshot, threshold: float | None) -> list[Metric]:
    answers = _since(now.answers, before.answers)
    counts: dict[str, int] = {
        "Requests": sum(each.count for each in answers.values()),
        "Errors4xx": sum(each.count for status, each in answers.items() if status // 100 == 4),
        "Errors5xx": sum(each.count for status, each in answers.items() if status // 100 == 5),
        "Shed": sum(now.shed.values()) - sum(before.shed.values()),
        "RefusedCells": sum(now.refused.values()) - sum(before.refused.values()),
        "Batches": now.rows.count - before.rows.count,
        "Rows": round(now.rows.total - before.rows.total),
        "PaddedRows": now.padded - before.padded,
    }
    if threshold is not None:
        counts["SlowRequests"] = sum(each.count - each.up_to(threshold) for each in answers.values())
    if now.captured or now.uncaptured:  # each is billed, so only where requests are captured
        counts["CapturesWritten"] = now.captured - before.captured
        counts["CapturesDropped"] = sum(now.uncaptured.values()) - sum(before.uncaptured.values())
    return [(name, "Count", count) for name, count in counts.items()]


def _distributions(now: Snapshot, before: Snapshot) -> list[Metric]:
    answers = list(_since(now.answers, before.answers).values())
    latency = sum(answers[1:], answers[0]) if answers else None
    found: list[Metric] = []
    if latency is not None and latency.count:
        found += [
            ("RequestLatencyP50", "Milliseconds", _rounded(latency.quantile(0.5) * _MILLISECONDS)),
            ("RequestLatencyP99", "Milliseconds", _rounded(latency.quantile(0.99) * _MILLISECONDS)),
            *_values("RequestLatency", "Milliseconds", latency, _MILLISECONDS),
        ]
    found += _values("QueueWait", "Milliseconds", now.waits - before.waits, _MILLISECONDS)
    found += _values("BatchRows", "Count", now.rows - before.rows, 1, spread=False)
    found += _values("BatchCompute", "Milliseconds", now.compute - before.compute, _MILLISECONDS)
    return found


def _values(name: str, unit: str, since: Tally, scale: float, spread: bool = True) -> list[Metric]:
    """Return a distribution as CloudWatch takes percentiles of it.

    Up to 100 observations there is a value for each; of more there are 100 at even ranks, so percentiles and averages
    hold, and SampleCount and Sum do not: `Requests`, `Batches` and `Rows` have those.
    """
    values = [_rounded(value * scale) for value in since.representatives(MAX_VALUES, spread)]
    return [(name, unit, values)] if values else []


def _levels(metrics: Metrics) -> list[Metric]:
    found: list[Metric] = [("ResidentMemory", "Bytes", process.resident_bytes())]
    for name, value in metrics.gauges().items():
        short = "".join(word.capitalize() for word in name.removeprefix("tidegate_").split("_"))
        found.append((short, "Bytes" if name in _BYTES else "Count", value))
    gpus = metrics.gpu_memory()
    return [*found, ("GpuMemoryUsed", "Bytes", [each.used for each in gpus[:MAX_VALUES]])] if gpus else found


def _since(now: Mapping[int, Tally], before: Mapping[int, Tally]) -> dict[int, Tally]:
    return {status: each - before[status] if status in before else each for status, each in now.items()}


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
