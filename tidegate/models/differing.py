"""In what two versions differ: what was measured, their inputs, their container, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.references import NumberReference, Reference
from tidegate.models import measured
from tidegate.models.files import Files
from tidegate.models.measured import Measured
from tidegate.models.record import Record

SAME_ROWS = "measured on the same rows"
OTHER_ROWS = "measured on different rows, so that they say little about which is better"
UNKNOWN_ROWS = "it is not known whether they were measured on the same rows"
SIGNATURE, TRAINING_DATA = "signature", "training data"
_CONTAINER = ("Image", "Environment")


@dataclass(frozen=True)
class Metric:
    """A metric of both; `change` is from the first to the second, and `direction` says what that means."""

    name: str
    a: float | None
    b: float | None
    change: float | None
    direction: str


@dataclass(frozen=True)
class Difference:
    """A thing that differs: where it was found, what it is of, and which of its properties; None where it is not."""

    where: str
    subject: str
    what: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Comparison:
    """How two versions compare; `comparable` says in words whether their metrics are of the same rows."""

    a: str
    b: str
    metrics: tuple[Metric, ...]
    comparable: str
    inputs: tuple[Difference, ...]
    container: tuple[Difference, ...]
    lineage: tuple[Difference, ...]
    unread: tuple[str, ...]


def compare(a: Record, b: Record, files: Files) -> Comparison:
    """Return how two versions compare."""
    first, second, comparable = _measured(a, b, files)
    return Comparison(
        a.version,
        b.version,
        metrics=tuple(_metrics(first, second)),
        comparable=comparable,
        inputs=tuple(_inputs(a, b, files)),
        container=tuple(_container(a, b)),
        lineage=tuple(_lineage(a, b)),
        unread=tuple(files.problems),
    )


def _measured(a: Record, b: Record, files: Files) -> tuple[Mapping[str, float], Mapping[str, float], str]:
    """Return the metrics of both, of the same rows where one was registered after it had beaten the other."""
    of_a, of_b = measured.of(a, files), measured.of(b, files)
    if b.lineage.champion == a.version and of_b.champion:
        return of_b.champion, of_b.metrics, SAME_ROWS
    if a.lineage.champion == b.version and of_a.champion:
        return of_a.metrics, of_a.champion, SAME_ROWS
    return of_a.metrics, of_b.metrics, _rows(of_a, of_b)


def _rows(a: Measured, b: Measured) -> str:
    if a.rows is None or b.rows is None:
        return UNKNOWN_ROWS
    return SAME_ROWS if a.rows == b.rows else OTHER_ROWS


def _metrics(a: Mapping[str, float], b: Mapping[str, float]) -> Iterator[Metric]:
    for name in dict.fromkeys((*a, *b)):
        old, new = a.get(name), b.get(name)
        if old is None or new is None:
            yield Metric(name, old, new, None, "only one has it")
        else:
            change = round(new - old, 10)
            yield Metric(name, old, new, change, measured.direction(name, change))


def _inputs(a: Record, b: Record, files: Files) -> Iterator[Difference]:
    first, second = files.signature(a), files.signature(b)
    yield from _columns(SIGNATURE, _by_name(first.get("columns")), _by_name(second.get("columns")))
    for name in sorted({*first, *second} - {"columns", "sample"}):
        if first and second and first.get(name) != second.get(name):
            yield Difference(SIGNATURE, "", name, first.get(name), second.get(name))
    yield from _columns(TRAINING_DATA, _profile(files.baseline(a)), _profile(files.baseline(b)))


def _columns(
    where: str, a: Mapping[str, Mapping[str, Any]], b: Mapping[str, Mapping[str, Any]]
) -> Iterator[Difference]:
    """Tell in which columns two descriptions differ; nothing where one of them is not there."""
    if not a or not b:
        return
    for name in dict.fromkeys((*a, *b)):
        if name not in a or name not in b:
            yield Difference(where, name, "column", _there(name in a), _there(name in b))
            continue
        for what in dict.fromkeys((*a[name], *b[name])):
            if a[name].get(what) != b[name].get(what):
                yield Difference(where, name, what, a[name].get(what), b[name].get(what))
    if list(a) != list(b) and set(a) == set(b):
        yield Difference(where, "", "order", list(a), list(b))


def _there(there: bool) -> str:
    return "there" if there else "missing"


def _by_name(columns: Any) -> dict[str, dict[str, Any]]:
    """Return the columns of a signature by their names."""
    found = [each for each in columns or () if isinstance(each, Mapping)]
    return {str(each.get("name")): {what: each[what] for what in each if what != "name"} for each in found}


def _profile(baseline: Baseline | None) -> dict[str, dict[str, Any]]:
    """Return kind and bounds of the columns of training data."""
    return {name: describe(reference) for name, reference in baseline.columns.items()} if baseline else {}


def describe(reference: Reference) -> dict[str, Any]:
    """Return what a column of training data holds: its kind, and its bounds or levels."""
    if isinstance(reference, NumberReference):
        tally = reference.tally
        return {"kind": reference.kind.value, "minimum": _short(tally.minimum), "maximum": _short(tally.maximum)}
    return {"kind": reference.kind.value, "levels": list(reference.levels)}


def _short(value: float | None) -> float | None:
    """Return a bound to seven digits, which is what training data in 32 bits have."""
    return None if value is None else float(f"{value:.7g}")


def _container(a: Record, b: Record) -> Iterator[Difference]:
    for what in _CONTAINER:
        if a.container.get(what) != b.container.get(what):
            yield Difference("container", "", what, a.container.get(what), b.container.get(what))


def _lineage(a: Record, b: Record) -> Iterator[Difference]:
    first, second = asdict(a.lineage), asdict(b.lineage)
    for what, value in first.items():
        if value != second[what]:
            yield Difference("lineage", "", what, value or None, second[what] or None)
