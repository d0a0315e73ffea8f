"""The rows that the steps hand on: CSV with a header of columns, label, time and request; beside it, what they are."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .job import StepError
from .joining import Row

AT, INFERENCE_ID = "at", "inference_id"
DATASET = "dataset.json"


@dataclass(frozen=True)
class Dataset:
    """What the rows of a CSV file are.

    Parameters
    ----------
    columns, label
        Names of the model's input columns, in order, and of the label's.
    probability, prediction, threshold
        Names of the model's outputs with the probability of label 1 and with the class, and from which probability on
        the class is 1.
    since
        Epoch seconds at which the drift began; None where the run has no such moment.
    usual_positive
        Share of label 1 where the champion was trained; None where its baseline does not tell.
    """

    columns: tuple[str, ...]
    label: str
    probability: str
    prediction: str | None
    threshold: float
    since: float | None
    usual_positive: float | None = None


@dataclass(frozen=True)
class Rows:
    """Labelled rows in order of time: measurements by row and column, labels 0 or 1, and epoch seconds."""

    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    at: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: NDArray[np.bool_]) -> "Rows":
        """Return the chosen rows."""
        return Rows(self.values[chosen], self.labels[chosen], self.at[chosen])

    def between(self, first: int, last: int) -> "Rows":
        """Return rows from position `first` up to `last`."""
        return Rows(self.values[first:last], self.labels[first:last], self.at[first:last])


def written(moment: float) -> str:
    """Return epoch seconds as ISO 8601 in UTC, to the second where that says all."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def moment(text: str, name: str) -> float | None:
    """Return ISO 8601 text as epoch seconds, None for empty text.

    Raises
    ------
    StepError
        If it is neither.
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise StepError(f"{name} is {text!r}; needed is ISO 8601 such as 2026-01-31T06:00:00Z, or nothing") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def write(folder: Path, name: str, rows: Iterable[Row], dataset: Dataset) -> None:
    """Write rows to ``<name>.csv`` and what they are to ``dataset.json``."""
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*dataset.columns, dataset.label, AT, INFERENCE_ID])
        writer.writerows([*row.cells, row.label, written(row.at), row.inference_id] for row in rows)
    (folder / DATASET).write_text(json.dumps(asdict(dataset), indent=2) + "\n", encoding="utf-8")


def load(folder: Path, name: str) -> tuple[Rows, Dataset]:
    """Read what `write` wrote.

    Raises
    ------
    StepError
        If it is not there or not so.
    """
    try:
        told = json.loads((folder / DATASET).read_text(encoding="utf-8"))
        dataset = Dataset(**told | {"columns": tuple(told["columns"])})
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = csv.reader(file)
        rows = _rows(header, lines, dataset)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StepError(f"{folder} does not hold what Prepare writes: {error}; run the pipeline anew") from error
    return rows, dataset


def _rows(header: Sequence[str], lines: Sequence[Sequence[str]], dataset: Dataset) -> Rows:
    wanted = [*dataset.columns, dataset.label, AT, INFERENCE_ID]
    if list(header) != wanted:
        raise ValueError(f"its columns are {header}; needed are {wanted}")
    width = len(dataset.columns)
    values = np.array([line[:width] for line in lines], dtype=np.float64).reshape(len(lines), width)
    labels = np.array([line[width] for line in lines], dtype=np.int64)
    at = np.array([moment(line[width + 1], AT) for line in lines], dtype=np.float64)
    return Rows(values, labels, at)
