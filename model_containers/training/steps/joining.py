"""Captured requests and what turned out to be true of them, joined into labelled rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lambdas.monitoring.capture import reasons
from lambdas.monitoring.capture.bodies import read_input
from lambdas.monitoring.capture.labels import Labels
from lambdas.monitoring.capture.layout import Cell, Layout
from lambdas.monitoring.capture.lines import lines_of
from lambdas.monitoring.capture.reasons import UnreadableError
from lambdas.monitoring.capture.records import Exchange, read
from lambdas.monitoring.profile.window_parts import Refusals

PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled row: its values in the columns' order, its label's text, when it was asked, and by which request."""

    cells: tuple[Cell, ...]
    label: str
    at: float
    inference_id: str


@dataclass
class Joined:
    """What the captures and the labels came to.

    Parameters
    ----------
    rows
        The rows that have a label.
    requests, unlabelled, repeated, outside
        Requests that were read; those without a label; those captured twice, of which one counts; and those that were
        answered after the time until which rows were wanted.
    malformed
        Lines and bodies that cannot be used, by reason, with examples.
    unknown_columns
        Names in bodies that the baseline does not have.
    labels, unknown_labels
        Requests that have a label, and how many of these no capture is of.
    """

    rows: list[Row] = field(default_factory=list)
    requests: int = 0
    unlabelled: int = 0
    repeated: int = 0
    outside: int = 0
    malformed: Refusals = field(default_factory=Refusals)
    unknown_columns: Counter[str] = field(default_factory=Counter)
    labels: int = 0
    unknown_labels: int = 0


def join(captures: Path, labels: Labels, layout: Layout, until: float) -> Joined:
    """Join all files below a folder with labels.

    Parameters
    ----------
    captures
        Folder of captured traffic, in any depth of folders.
    labels
        All labels.
    layout
        The columns that rows are read into.
    until
        Epoch seconds; requests answered later are left out.
    """
    joined = Joined(labels=len(labels.values))
    seen: set[str] = set()
    for path in files(captures):
        for number, line in enumerate(lines_of(_pieces(path)), start=1):
            try:
                exchange = read(line)
                if exchange.at > until:
                    joined.outside += 1
                elif exchange.identity in seen:
                    joined.repeated += 1
                else:
                    _add(joined, exchange, labels, layout)
                    seen.add(exchange.identity)
            except UnreadableError as error:
                joined.malformed.add(error.reason, path.name, number, error.why)
    joined.unknown_labels = sum(identity not in seen for identity in labels.values)
    return joined


def read_labels(folder: Path) -> Labels:
    """Return the labels of all files below a folder; the later file's count where two disagree."""
    labels = Labels()
    for path in files(folder):
        labels.read_file(lines_of(_pieces(path)), path.name)
    return labels


def files(folder: Path) -> list[Path]:
    """Return the files below a folder by path, which is by time as captures and labels are laid out."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _add(joined: Joined, exchange: Exchange, labels: Labels, layout: Layout) -> None:
    table = read_input(exchange.input, layout)
    joined.requests += 1
    joined.unknown_columns.update(table.unknown)
    label = labels.values.get(exchange.identity)
    if label is None:
        joined.unlabelled += 1
        return
    values = label.split(",")
    if len(values) != len(table.rows):
        raise UnreadableError(reasons.LABEL_COUNT, f"{len(values)} labels for {len(table.rows)} rows")
    joined.rows += [
        Row(tuple(cells), value, exchange.at, exchange.identity)
        for cells, value in zip(table.rows, values, strict=True)
    ]


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
