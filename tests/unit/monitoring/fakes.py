"""A world for the monitor: fakes of what it talks to, in virtual time, which can break at any call."""

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lambdas.monitoring.errors import ConflictError, MissingError
from lambdas.monitoring.monitor import Monitor
from lambdas.monitoring.ports import Cursor, Datum, JobOrder, JobView, Ports, StoredFile
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.build import build
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.settings import Job, Outputs, Settings
from lambdas.monitoring.times import epoch, hour_folder, stamp
from lambdas.monitoring.versions import Baselines, Timeline, Version

ENDPOINT, BUCKET = "rain-test", "artefacts"
START = int(epoch("2026-11-22T03:00:00Z"))
MINUTE = 60
SCHEMA = Schema((Column("pressure", "number"), Column("wind", "category")))
BASELINE_URI = f"s3://{BUCKET}/bootstrap/baseline.json"
MOST_CALLS = 2000


class Crash(Exception):
    """The process is killed here."""


class Fuse:
    """Counts calls and effects, and kills the process at the one that it is set to."""

    def __init__(self) -> None:
        self.passed = 0
        self.blows_at: int | None = None

    def step(self) -> None:
        self.passed += 1
        if self.passed == self.blows_at:
            raise Crash(f"at step {self.passed}")


class Risky:
    """Passes calls on, past the fuse before and after each."""

    def __init__(self, target: Any, fuse: Fuse) -> None:
        self._target = target
        self._fuse = fuse

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._target, name)

        def call(*given: Any, **named: Any) -> Any:
            self._fuse.step()
            result = method(*given, **named)
            self._fuse.step()
            return result

        return call


class FakeFiles:
    def __init__(self) -> None:
        self.held: dict[str, tuple[bytes, float]] = {}

    def add(self, key: str, body: bytes, at: float) -> None:
        self.held[key] = (body, at)

    def folders(self, bucket: str, prefix: str) -> list[str]:
        assert bucket == BUCKET
        rest = {key.removeprefix(prefix) for key in self.held if key.startswith(prefix)}
        return sorted({f"{prefix}{each.partition('/')[0]}/" for each in rest if "/" in each})

    def below(self, bucket: str, prefix: str) -> Iterator[StoredFile]:
        found = sorted(key for key in self.held if key.startswith(prefix))
        return iter([StoredFile(key, len(self.held[key][0]), self.held[key][1]) for key in found])

    def pieces(self, bucket: str, key: str) -> Iterator[bytes]:
        if key not in self.held:
            raise MissingError(f"{key} is gone")
        body = self.held[key][0]
        return iter([body[at : at + 1000] for at in range(0, len(body), 1000)])

    def read(self, uri: str) -> bytes | None:
        found = self.held.get(uri.removeprefix(f"s3://{BUCKET}/"))
        return found[0] if found else None

    def write(self, bucket: str, key: str, body: bytes, content_type: str) -> str:
        self.held[key] = (body, 0.0)
        return f"s3://{bucket}/{key}"


class FakeRecords:
    def __init__(self) -> None:
        self.cursors: dict[str, Cursor] = {}
        self.windows: dict[str, dict[str, Any]] = {}

    def cursor(self, endpoint: str) -> Cursor | None:
        return self.cursors.get(endpoint)

    def move(self, endpoint: str, cursor: Cursor) -> Cursor:
        known = self.cursors.get(endpoint)
        if (known.revision if known else 0) != cursor.revision:
            raise ConflictError("moved")
        self.cursors[endpoint] = Cursor(cursor.next, cursor.next_labels, cursor.revision + 1)
        return self.cursors[endpoint]

    def window(self, endpoint: str, key: str) -> dict[str, Any] | None:
        return self.windows.get(key)

    def put_window(self, endpoint: str, key: str, item: Mapping[str, Any]) -> None:
        assert len(json.dumps(item, allow_nan=False, ensure_ascii=False).encode()) < 400 * 1024
        self.windows[key] = dict(item)

    def before(self, endpoint: str, key: str, most: int) -> list[dict[str, Any]]:
        return [self.windows[each] for each in sorted(self.windows) if each < key][-most:]


class FakeJobs:
    def __init__(self) -> None:
        self.orders: dict[str, JobOrder] = {}
        self.views: dict[str, JobView] = {}

    def look(self, name: str) -> JobView | None:
        return self.views.get(name)

    def start(self, order: JobOrder, settings: Settings) -> None:
        if order.name not in self.views:
            self.orders[order.name] = order
            self.views[order.name] = JobView("InProgress")


class FakeExecutions:
    def __init__(self) -> None:
        self.given: dict[str, dict[str, Any]] = {}
        self.views: dict[str, JobView] = {}

    def look(self, machine: str, name: str) -> JobView | None:
        return self.views.get(name)

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> None:
        if name not in self.views:
            self.given[name] = json.loads(json.dumps(given))
            self.views[name] = JobView("RUNNING")


class FakeVersions:
    def __init__(self) -> None:
        self.found: Timeline | None = Timeline((Version("bootstrap", None, "blue"),))
        self.places: dict[str, Baselines] = {}

    def timeline(self, endpoint: str) -> Timeline | None:
        return self.found

    def baselines(self, package_arn: str) -> Baselines:
        return self.places[package_arn]


class FakeMetrics:
    def __init__(self) -> None:
        self.sent: list[tuple[float, Datum]] = []

    def put(self, endpoint: str, at: float, data: Sequence[Datum]) -> None:
        self.sent += [(at, each) for each in data]

    def values(self, name: str) -> list[float]:
        return [datum.value for _, datum in self.sent if datum.name == name]


class FakeEvents:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def put(self, detail_type: str, detail: Mapping[str, Any], at: float) -> None:
        assert len(json.dumps(detail, allow_nan=False)) < 256 * 1024
        self.sent.append(dict(detail))


class FakeSettings:
    def __init__(self) -> None:
        self.held = Settings(
            endpoint=ENDPOINT,
            bucket=BUCKET,
            window_seconds=MINUTE,
            delay_seconds=MINUTE,
            label_delay_windows=1,
            slices=("wind",),
            outputs=Outputs("probability", "rain", 0.5),
            baseline_max_age_days=365,
            small_window_bytes=10_000_000,
            floors={"moderate": 0.02, "severe": 0.1},
            bootstrap_baseline=BASELINE_URI,
            bootstrap_version="1.0.0",
            job=None,
        )

    def load(self, endpoint: str) -> Settings:
        return self.held


class FakeClock:
    def __init__(self) -> None:
        self.time = float(START)
        self.lasts = 280.0

    def now(self) -> float:
        return self.time

    def left(self) -> float:
        return self.lasts


class FakeLog:
    def __init__(self) -> None:
        self.bound: dict[str, object] = {}
        self.lines: list[tuple[dict[str, object], str]] = []

    def bind(self, **fields: object) -> None:
        self.bound |= fields

    def info(self, message: str) -> None:
        self.lines.append((dict(self.bound), message))

    def warning(self, message: str) -> None:
        self.info(message)


class World:
    """An endpoint whose traffic is captured, and the monitor that looks at it."""

    def __init__(self, baseline: Baseline | None = None) -> None:
        self.baseline = baseline or make_baseline()
        self.files, self.records, self.jobs, self.versions = FakeFiles(), FakeRecords(), FakeJobs(), FakeVersions()
        self.executions = FakeExecutions()
        self.metrics, self.events, self.settings = FakeMetrics(), FakeEvents(), FakeSettings()
        self.clock, self.log, self.fuse = FakeClock(), FakeLog(), Fuse()
        self.files.add("bootstrap/baseline.json", self.baseline.text().encode(), START)
        self._captured = 0

    @property
    def ports(self) -> Ports:
        risky = {
            name: Risky(getattr(self, name), self.fuse)
            for name in ("files", "records", "jobs", "executions", "versions", "metrics", "events", "settings")
        }
        return Ports(clock=self.clock, log=self.log, **risky)

    def run(self, at: float | None = None) -> None:
        """Run the monitor, at a time counted from the start."""
        if at is not None:
            self.clock.time = START + at
        Monitor(self.ports, lambda assessment, *_: f"<html>{assessment.window}</html>").run(ENDPOINT)

    def capture(self, at: float, lines: Sequence[bytes], written: float | None = None, variant: str = "blue") -> str:
        """Write a capture file; times are counted from the start."""
        self._captured += 1
        key = f"capture/{ENDPOINT}/{ENDPOINT}/{variant}/{hour_folder(START + at)}{self._captured:04d}.jsonl"
        modified = START + (at + 5 if written is None else written)
        self.files.add(key, b"".join(each + b"\n" for each in lines), modified)
        return key

    def traffic(self, at: float, rows: int, shift: float = 0.0, prefix: str = "r") -> None:
        """Capture requests in the second `at`."""
        chance = random.Random(at)
        self.capture(at, [record(f"{prefix}{at:g}-{n}", START + at, *row(chance, shift)) for n in range(rows)])

    def label(self, at: float, labels: Mapping[str, str], folder: float | None = None) -> None:
        """Put labels by inference id."""
        self._captured += 1
        key = f"labels/{ENDPOINT}/{hour_folder(START + at)}{self._captured:04d}.jsonl"
        self.files.add(key, b"".join(label_line(i, v) + b"\n" for i, v in labels.items()), START + at)

    def windows(self) -> list[tuple[str, str]]:
        """Return window and look of each event."""
        return [(event["window"], event["look"]) for event in self.events.sent]


def row(chance: random.Random, shift: float = 0.0) -> tuple[str, dict[str, float]]:
    """Return a request's body and its answer."""
    p = chance.random()
    wind = chance.choice(["north", "north", "south"])
    return f"{chance.gauss(1013 + shift, 8):.1f},{wind}", {"probability": p, "rain": float(p >= 0.5)}


def record(identity: str, at: float, body: str, answer: Mapping[str, float], **metadata: str) -> bytes:
    """Return a captured line, in base64 as SageMaker writes what it is not told to be text."""
    predictions = json.dumps({"predictions": [answer]})
    captured = {
        "endpointInput": part(body.encode(), "text/csv"),
        "endpointOutput": part(predictions.encode(), "application/json"),
    }
    told = {"eventId": f"event-{identity}", "inferenceId": identity, "inferenceTime": stamp(at), **metadata}
    return json.dumps({"captureData": captured, "eventMetadata": told, "eventVersion": "0"}).encode()


def part(body: bytes, kind: str) -> dict[str, str]:
    data = base64.b64encode(body).decode()
    return {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": "BASE64"}


def label_line(identity: str, value: str) -> bytes:
    """Return a line of labels."""
    truth = {"data": value, "encoding": "CSV"}
    line = {"groundTruthData": truth, "eventMetadata": {"eventId": identity}, "eventVersion": "0"}
    return json.dumps(line).encode()


def make_baseline(version: str = "1.0.0", rows: int = 4000, seed: int = 1) -> Baseline:
    """Return a baseline of weather."""
    chance = random.Random(seed)
    made = [row(chance) for _ in range(rows)]
    cells = [body.split(",") for body, _ in made]
    columns: dict[str, Any] = {"pressure": [float(a) for a, _ in cells], "wind": [b for _, b in cells]}
    outputs: dict[str, Any] = {name: [answer[name] for _, answer in made] for name in ("probability", "rain")}
    truth = [chance.random() < answer["probability"] for _, answer in made]
    roles = OutputRoles("probability", "rain", 0.5)
    return build(SCHEMA, columns, outputs, truth, roles, version, "2026-11-01T00:00:00Z", seed)


JOB = Job("image", "arn:aws:iam::111122223333:role/count", "ml.m5.large", 30)
