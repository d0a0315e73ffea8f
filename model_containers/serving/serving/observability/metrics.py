"""All that is counted, for ``GET /metrics`` and for the metrics in the log."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from . import exposition, predictions, process
from .counter import LabelledCounter
from .exposition import Exposition
from .gpu_memory import GpuMemory, Usage
from .histogram import Histogram, Tally, new_cells, tally

SECONDS_EDGES = (
    *(0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5),
    *(0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 20.0, 30.0, 60.0),
)
"""Up to the 60 s after which SageMaker gives a request up."""
WAIT_EDGES = (0.0001, 0.00025, *SECONDS_EDGES)
ROWS_EDGES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 10_000)
MAX_COLUMNS = 256
MAX_REASONS = 32

Gauge = Callable[[], float]


@dataclass(frozen=True)
class Snapshot:
    """What was counted up to one moment."""

    answers: Mapping[int, Tally]
    waits: Tally
    rows: Tally
    compute: Tally
    padded: int
    batched: int
    shed: Mapping[str, int]
    refused: Mapping[str, int]
    captured: int
    uncaptured: Mapping[str, int]


class Metrics:
    """Counts what the server does.

    `answered` is called by the event loop only; `batch` and `predictions` by the device thread only: with one writer
    each they need no lock (see `histogram`). `shed` and `refused_input` may be called by any thread, and everything is
    read by any.

    Parameters
    ----------
    latency_threshold_seconds
        Where requests begin to count as slow: always exactly an edge of the request histogram's buckets.
    output_names
        The model's outputs in their order.

    Raises
    ------
    ValueError
        If the threshold is not a positive number.
    """

    CONTENT_TYPE = exposition.CONTENT_TYPE

    def __init__(self, *, latency_threshold_seconds: float | None, output_names: Sequence[str] = ()) -> None:
        self.latency_threshold_seconds = latency_threshold_seconds
        self._edges = _with_threshold(latency_threshold_seconds)
        self._answers: dict[int, list[Any]] = {}
        self._waits = Histogram(WAIT_EDGES)
        self._rows = Histogram(ROWS_EDGES)
        self._compute = Histogram(WAIT_EDGES)
        self._padded = 0
        self._batched = 0
        self._shed = LabelledCounter(MAX_REASONS)
        self._refused = LabelledCounter(MAX_COLUMNS)
        self._captured = 0
        self._uncaptured = LabelledCounter(MAX_REASONS)
        self._predictions = predictions.Predictions(output_names)
        self._gauges: dict[str, tuple[str, Gauge]] = {}
        self._info: dict[str, str] = {}
        self._gpu: GpuMemory | None = None

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer to a request for predictions."""
        cells = self._answers.get(status)
        if cells is None:
            cells = self._answers[status] = new_cells(self._edges)
        cells[bisect_left(self._edges, seconds)] += 1
        cells[-1] += seconds

    def batch(
        self,
        rows: int,
        requests: int,
        padded: int,
        waited_seconds: Sequence[float] | NDArray[Any],
        compute_seconds: float,
    ) -> None:
        """Count a batch that was run.

        Parameters
        ----------
        rows
            Rows of requests in it.
        requests
            Requests in it, whole or in part.
        padded
            Rows added to fill it up to a size that the device takes.
        waited_seconds
            How long each request waited for it.
        compute_seconds
            How long the device took.
        """
        self._rows.observe(rows)
        self._batched += requests
        self._padded += padded
        self._waits.observe_all(waited_seconds)
        self._compute.observe(compute_seconds)

    def refused_input(self, cells: Mapping[str, int]) -> None:
        """Count cells that the signature does not allow, by column."""
        for column, count in cells.items():
            self._refused.add(column, count)

    def shed(self, reason: str) -> None:
        """Count a request that was refused for want of capacity or time."""
        self._shed.add(reason)

    def captured(self, count: int) -> None:
        """Count requests that were captured."""
        self._captured += count

    def capture_dropped(self, reason: str, count: int = 1) -> None:
        """Count requests that the sample fell on, and that were not captured."""
        self._uncaptured.add(reason, count)

    def predictions(self, outputs: Sequence[NDArray[Any]]) -> None:
        """Count the outputs of a batch; they are copied, in part if they are large."""
        self._predictions.add(outputs)

    def watch(self, *, queue_rows: Gauge, queue_bytes: Gauge, requests_in_flight: Gauge) -> None:
        """Read these whenever the metrics are shown; they must be callable from any thread."""
        self._gauges = {
            "tidegate_queue_rows": ("Rows that wait for the device.", queue_rows),
            "tidegate_queue_bytes": ("Bytes of the rows that wait for the device.", queue_bytes),
            "tidegate_requests_in_flight": ("Requests that were accepted and not answered yet.", requests_in_flight),
        }

    def watch_gpu(self, gpu: GpuMemory | None) -> None:
        """Show the memory of the GPUs, where there are any."""
        self._gpu = gpu

    def describe_model(self, *, version: str, digest: str, providers: Sequence[str]) -> None:
        """Show which model is served, and what runs it."""
        self._info = {"version": version, "digest": digest, "providers": ",".join(providers)}

    def gauges(self) -> dict[str, float]:
        """Return what was handed to `watch`, by metric."""
        return {name: read() for name, (_, read) in self._gauges.items()}

    def gpu_memory(self) -> list[Usage]:
        """Return each GPU's memory."""
        return self._gpu.read() if self._gpu else []

    def snapshot(self) -> Snapshot:
        """Return what was counted so far; called by any thread."""
        # list() of a dictionary is one call into C: no entry can be added in the middle of it.
        answers = {status: tally(self._edges, cells) for status, cells in list(self._answers.items())}
        return Snapshot(
            answers=answers,
            waits=self._waits.read(),
            rows=self._rows.read(),
            compute=self._compute.read(),
            padded=self._padded,
            batched=self._batched,
            shed=self._shed.read(),
            refused=self._refused.read(),
            captured=self._captured,
            uncaptured=self._uncaptured.read(),
        )

    def render(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        shown = Exposition()
        now = self.snapshot()
        _show_requests(now, shown)
        _show_batches(now, shown)
        _show_captures(now, shown)
        predictions.show(self._predictions, shown)
        for name, (text, read) in self._gauges.items():
            shown.gauge(name, text, [({}, read())])
        if self._info:
            shown.gauge("tidegate_model_info", "The model that is served.", [(self._info, 1)])
        _show_resources(self.gpu_memory(), shown)
        return shown.body()


def by_class(answers: Mapping[int, Tally]) -> dict[str, Tally]:
    """Return answers by class of status: ``2xx``, ``4xx`` and so on."""
    found: dict[str, Tally] = {}
    for status, each in sorted(answers.items()):
        name = f"{status // 100}xx"
        found[name] = found[name] + each if name in found else each
    return found


def _with_threshold(threshold: float | None) -> tuple[float, ...]:
    if threshold is None:
        return SECONDS_EDGES
    if not (math.isfinite(threshold) and threshold > 0):
        raise ValueError(f"the latency threshold is {threshold!r} s; needed is a number above 0")
    return tuple(sorted({*SECONDS_EDGES, float(threshold)}))


def _show_requests(now: Snapshot, shown: Exposition) -> None:
    shown.counter(
        "tidegate_requests_total",
        "Answers to requests for predictions, by HTTP status.",
        [({"status": str(status)}, each.count) for status, each in sorted(now.answers.items())],
    )
    shown.histogram(
        "tidegate_request_seconds",
        "From a request's arrival to its answer, by class of HTTP status.",
        [({"status_class": name}, each) for name, each in by_class(now.answers).items()],
    )
    shown.counter(
        "tidegate_requests_shed_total",
        "Requests refused with 503, or dropped, by reason.",
        [({"reason": reason}, count) for reason, count in sorted(now.shed.items())],
    )
    shown.counter(
        "tidegate_input_refused_cells_total",
        "Cells that the model's signature does not allow, by column.",
        [({"column": column}, count) for column, count in sorted(Counter(now.refused).items())],
    )


def _show_batches(now: Snapshot, shown: Exposition) -> None:
    shown.histogram("tidegate_queue_wait_seconds", "How long requests waited for the device.", [({}, now.waits)])
    shown.histogram("tidegate_batch_rows", "Rows of requests in a batch, padding left out.", [({}, now.rows)])
    shown.histogram("tidegate_batch_compute_seconds", "How long the device took for a batch.", [({}, now.compute)])
    shown.counter("tidegate_batches_total", "Batches that were run.", [({}, now.rows.count)])
    shown.counter("tidegate_batched_requests_total", "Requests in them, whole or in part.", [({}, now.batched)])
    shown.counter("tidegate_padded_rows_total", "Rows that filled batches up.", [({}, now.padded)])


def _show_captures(now: Snapshot, shown: Exposition) -> None:
    if now.captured or now.uncaptured:
        text = "Requests that this container captured."
        shown.counter("tidegate_captures_written_total", text, [({}, now.captured)])
    shown.counter(
        "tidegate_captures_dropped_total",
        "Requests that the sample fell on and that were not captured, by reason.",
        [({"reason": reason}, count) for reason, count in sorted(now.uncaptured.items())],
    )


def _show_resources(gpus: Sequence[Usage], shown: Exposition) -> None:
    shown.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", [({}, process.resident_bytes())])
    shown.counter("process_cpu_seconds_total", "User and system CPU time in seconds.", [({}, process.cpu_seconds())])
    used = [({"gpu": each.gpu}, each.used) for each in gpus]
    shown.gauge("tidegate_gpu_memory_used_bytes", "Memory in use on a GPU, by whatever process.", used)
    total = [({"gpu": each.gpu}, each.total) for each in gpus]
    shown.gauge("tidegate_gpu_memory_total_bytes", "Memory of a GPU.", total)
