"""Retraining jobs as SageMaker runs them: a folder like /opt/ml, and the container's program as a process."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from model_containers.training import dataset, replay
from model_containers.training.build import BOOTSTRAP_FOLDER

ROOT = Path(__file__).parents[3]
CHAMPION = BOOTSTRAP_FOLDER / "rain-recent"
START = datetime(2026, 11, 1, tzinfo=UTC)
SECONDS_A_ROW = 10
Edit = Callable[[int, dict[str, Any]], str | None]


def at(row: int, first: int) -> datetime:
    """When a row's request was answered."""
    return START + timedelta(seconds=SECONDS_A_ROW * (row - first))


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def capture(row: int, first: int, body: str) -> dict[str, Any]:
    """Return a request as SageMaker captures it."""
    part = {"observedContentType": "text/csv", "mode": "INPUT", "data": body, "encoding": "CSV"}
    metadata = {"eventId": f"event-{row}", "inferenceId": f"row-{row}", "inferenceTime": iso(at(row, first))}
    return {"captureData": {"endpointInput": part}, "eventMetadata": metadata, "eventVersion": "0"}


def label(row: int, value: object) -> str:
    truth = {"data": str(value), "encoding": "CSV"}
    return json.dumps({"groundTruthData": truth, "eventMetadata": {"eventId": f"row-{row}"}, "eventVersion": "0"})


def same(_: int, captured: dict[str, Any]) -> str:
    """Leave a captured request as it is."""
    return json.dumps(captured)


@dataclass
class Retraining:
    """One run of the pipeline, step by step.

    Parameters
    ----------
    folder
        Stands for the bucket: what a step writes lies below it until the next takes it.
    rows
        Of the weather, that were asked.
    since
        The row at which the drift began.
    """

    folder: Path
    rows: range
    since: int | None = None
    edit: Edit = same
    labels: Iterable[str] | None = None
    champion: Path = CHAMPION
    told: list[str] = field(default_factory=list)

    def put_data(self) -> None:
        """Write captures and labels, an hour a file, and the baseline."""
        lines = zip(self.rows, replay.rows(self.rows.start, self.rows.stop), strict=True)
        edited = [self.edit(row, capture(row, self.rows.start, body)) for row, body in lines]
        captures = [line for line in edited if line is not None]
        wet = zip(self.rows, replay.labels(self.rows.start, self.rows.stop), strict=True)
        labels = [label(row, value) for row, value in wet] if self.labels is None else list(self.labels)
        inputs = self.folder / "Prepare" / "processing" / "input"
        _hourly(inputs / "captures" / "rain-local" / "blue", captures)
        _hourly(inputs / "labels", labels)
        (inputs / "baseline").mkdir(parents=True)
        shutil.copy(self.champion / "baseline.json", inputs / "baseline")

    def prepare(self, *arguments: str) -> int:
        since = [] if self.since is None else ["--since", iso(at(self.since, self.rows.start))]
        return self.run("Prepare", "prepare", "--endpoint", "rain-local", *since, *arguments)

    def put_training(self, run_id: str = "run-1") -> Path:
        """Lay out the training job's inputs; return its root."""
        root = self.folder / "Train"
        self._copy("Prepare/processing/output/train", root / "input" / "data" / "train")
        self._champion(root / "input" / "data" / "champion")
        (root / "input" / "config").mkdir(parents=True)
        given = {
            "endpoint": "rain-local",
            "run_id": run_id,
            "reason": "drift",
            "champion_version": "2.0.0",
            "commit": "",
        }
        (root / "input" / "config" / "hyperparameters.json").write_text(json.dumps(given))
        return root

    def train(self) -> int:
        return self.run("Train", "challenger")

    def evaluate(self, *arguments: str) -> int:
        self._put_models("Evaluate")
        return self.run("Evaluate", "evaluate", "--least-gain", "0.01", *arguments)

    def check(self, *arguments: str) -> int:
        self._put_models("Checks")
        return self.run("Checks", "checks", *arguments)

    def run(self, step: str, command: str, *arguments: str) -> int:
        """Run a step's program; return its exit status."""
        done = subprocess.run(
            self.command(command, *arguments),
            cwd=ROOT,
            env=self.environment(step),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.told.append(done.stderr)
        return done.returncode

    def command(self, command: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "model_containers.training", command, *arguments]

    def environment(self, step: str) -> dict[str, str]:
        return os.environ | {"SM_ROOT": str(self.folder / step), "OMP_NUM_THREADS": "1"}

    def message(self, step: str, name: str = "message") -> str:
        return (self.folder / step / "output" / name).read_text()

    def report(self) -> dict[str, Any]:
        return self.json("Prepare/processing/output/report/report.json")

    def findings(self, severity: str = "severe") -> list[str]:
        return sorted({each["kind"] for each in self.report()["findings"] if each["severity"] == severity})

    def json(self, path: str) -> dict[str, Any]:
        return json.loads((self.folder / path).read_text())

    def _put_models(self, step: str) -> None:
        inputs = self.folder / step / "processing" / "input"
        self._copy("Prepare/processing/output/heldout", inputs / "heldout")
        self._champion(inputs / "champion")
        (inputs / "challenger").mkdir()
        pack(self.folder / "Train" / "model", inputs / "challenger" / "model.tar.gz")

    def _champion(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        shutil.copy(self.champion / "model.tar.gz", folder)

    def _copy(self, path: str, target: Path) -> None:
        shutil.copytree(self.folder / path, target)


def pack(folder: Path, archive: Path) -> None:
    """Pack a model's folder as SageMaker does."""
    with tarfile.open(archive, "w:gz") as packed:
        for path in sorted(folder.iterdir()):
            packed.add(path, path.name)


def weather(rows: range) -> tuple[np.ndarray, np.ndarray]:
    days = dataset.load().between(rows)
    return days.measurements, days.rain


def _hourly(folder: Path, lines: Sequence[str], size: int = 360) -> None:
    for hour, first in enumerate(range(0, len(lines), size)):
        path = folder / f"2026/11/01/{hour:02}" / "part.jsonl"
        path.parent.mkdir(parents=True)
        path.write_text("".join(line + "\n" for line in lines[first : first + size]))
    folder.mkdir(parents=True, exist_ok=True)
