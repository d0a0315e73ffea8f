"""The Processing job: its inputs, its output, and what it says when it cannot."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lambdas.monitoring.capture import counting as careful
from lambdas.monitoring.capture.lines import lines_of
from lambdas.monitoring.profile.window import WindowCounts
from model_containers.monitoring import job

sys.path.insert(0, str(Path(__file__).parent))
import captures

REQUEST: dict[str, Any] = {
    "endpoint": "rain",
    "start": int(captures.START),
    "end": int(captures.START) + captures.SECONDS,
    "slices": ["colour"],
    "versions": {"AllTraffic": "1.0.0"},
    "roles": {"probability": "probability", "prediction": "rain", "threshold": 0.5},
    "fresh": {captures.WHERE: captures.START + captures.SECONDS},
    "fresh_labels": {"2026/11/18/10/b.jsonl": 2.0, "2026/11/18/11/a.jsonl": 1.0},
}


@dataclass
class Root:
    path: Path

    @property
    def inputs(self) -> Path:
        return self.path / "processing" / "input"

    def write(self, name: str, content: bytes) -> None:
        path = self.inputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def counts(self) -> WindowCounts:
        return WindowCounts.of_text((self.path / "processing" / "output" / "counts.json").read_bytes())

    def message(self) -> str:
        return (self.path / "output" / "message").read_text()


@pytest.fixture
def root(tmp_path: Path) -> Root:
    random = Random(9)
    lines = [captures.line(number, random) for number in range(80)]
    root = Root(tmp_path)
    root.write("request/request.json", json.dumps(REQUEST).encode())
    root.write("baseline/baseline.json", captures.baseline().text().encode())
    root.write(f"captures/{captures.WHERE}", b"\n".join([*lines, lines[0][:100]]))
    return root


def label(identity: str, value: str) -> bytes:
    truth = {"groundTruthData": {"data": value, "encoding": "CSV"}, "eventMetadata": {"eventId": identity}}
    return json.dumps(truth | {"eventVersion": "0"}).encode() + b"\n"


def test_a_window_is_counted_by_the_program(root: Root) -> None:
    environment = {**os.environ, "SM_ROOT": str(root.path), "PYTHONPATH": str(Path(job.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-m", "model_containers.monitoring", "job"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    reading = captures.reading(slices=("colour",), versions={"AllTraffic": "1.0.0"}, fresh=REQUEST["fresh"])
    window = captures.window(reading)
    careful.count_file(
        lines_of([(root.inputs / "captures" / captures.WHERE).read_bytes()]), captures.WHERE, window, reading
    )
    counts = root.counts()
    assert counts.rows == window.rows == 80
    assert dict(counts.malformed) == {"truncated": 1}
    assert counts.columns["age"].to_json()["counts"] == window.columns["age"].to_json()["counts"]
    assert counts.sample == window.sample
    assert not (root.path / "output" / "message").exists()


def test_labels_are_joined_and_the_latest_file_counts(root: Root) -> None:
    root.write("labels/2026/11/18/11/a.jsonl", label("id-1", "0") + label("id-2", "1"))
    root.write("labels/2026/11/18/10/b.jsonl", label("id-1", "1") + b"{\n")
    assert job.run(root.path) == 0
    counts = root.counts()
    assert counts.performance.labelled == 2
    assert counts.performance.tp + counts.performance.fn == 2
    assert dict(counts.malformed) == {"truncated": 1, "label_truncated": 1, "label_conflicting": 1}


def test_one_part_of_several_tells_what_is_wrong_with_labels(root: Root) -> None:
    root.write("labels/2026/11/18/10/b.jsonl", label("id-1", "1") + b"{\n")
    root.write("request/request.json", json.dumps(REQUEST | {"tells_of_labels": False}).encode())
    assert job.run(root.path) == 0
    assert root.counts().performance.labelled == 1
    assert "label_truncated" not in dict(root.counts().malformed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"endpoint": None}, "request.endpoint is 'None'; it must be a JSON str"),
        ({"start": "now"}, "request.start is 'now'; it must be a JSON int or float"),
        ({"end": 0}, "request.end is 0.0, which is not after request.start"),
        ({"slices": "colour"}, "request.slices is 'colour'; it must be a JSON list"),
    ],
)
def test_a_wrong_request_is_named(root: Root, change: dict[str, Any], said: str) -> None:
    root.write("request/request.json", json.dumps(REQUEST | change).encode())
    assert job.run(root.path) == 1
    assert said in root.message()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("request/request.json", b"{", "is not JSON"),
        ("request/request.json", b"[]", "is no JSON object"),
        ("baseline/baseline.json", b"{}", "baseline.schema_version"),
        ("baseline/baseline.json", b"\x00" * 5000, "baseline is"),
    ],
)
def test_a_broken_input_is_named(root: Root, name: str, content: bytes, said: str) -> None:
    root.write(name, content)
    assert job.run(root.path) == 1
    assert said in root.message()
    assert len(root.message().encode()) <= 1024
    assert not (root.path / "processing" / "output" / "counts.json").exists()


def test_missing_inputs_are_named(tmp_path: Path) -> None:
    assert job.run(tmp_path) == 1
    assert "request.json cannot be read" in Root(tmp_path).message()


def test_an_error_that_nobody_expected_is_told_too(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("é" * 2000)

    monkeypatch.setattr(job, "WindowCounter", fail)
    assert job.run(root.path) == 1
    assert root.message().startswith("ZeroDivisionError: éé")
    assert len(root.message().encode()) <= 1024
