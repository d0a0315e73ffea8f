"""Counts the lines of a file of captured traffic, one by one and in bounded memory.

Each line ends in exactly one place: counted; malformed under a named reason; late, because its window was looked at
before the file was written; or elsewhere, because another window's look counts it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.monitoring.capture import reasons
from lambdas.monitoring.capture.bodies import read_input, read_output
from lambdas.monitoring.capture.layout import Cell
from lambdas.monitoring.capture.reading import Reading, variant_of
from lambdas.monitoring.capture.reasons import UnreadableError
from lambdas.monitoring.capture.records import Exchange, exchange, load, time_of
from lambdas.monitoring.capture.scores import Scores
from lambdas.monitoring.profile.sample import place_of, row_key
from lambdas.monitoring.profile.tallies import Tally
from lambdas.monitoring.profile.window import WindowCounts

BATCH_ROWS = 2000
"""Rows that are kept before they are counted column by column, which is several times quicker than row by row."""

CONTROL_MESSAGE = b"CWL CONTROL MESSAGE"
"""Begins a line by which CloudWatch Logs tries a subscription's destination out; it is nobody's request."""


@dataclass
class FileCount:
    """What became of a file's lines; `malformed` has no part of answers whose request was counted."""

    lines: int = 0
    counted: int = 0
    malformed: int = 0
    late: int = 0
    elsewhere: int = 0


def count_file(lines: Iterable[bytes], where: str, into: WindowCounts, reading: Reading, first: int = 1) -> FileCount:
    """Count a file's lines.

    Parameters
    ----------
    lines
        Without their ends, as `lambdas.monitoring.capture.lines.lines_of` yields them.
    where
        The file's path below the endpoint's captures, ``.../<variant>/yyyy/mm/dd/hh/<file>``: it says which variant
        answered, and names the file in examples and in the sample.
    into
        Is added to.
    reading
        What is counted, and how.
    first
        Number of the first of these lines within the file.
    """
    file = _File(where, into, reading)
    for number, line in enumerate(lines, start=first):
        file.take(line, number)
    file.finish()
    return file.count


class _File:
    """A file while it is counted."""

    def __init__(self, where: str, into: WindowCounts, reading: Reading) -> None:
        self.count = FileCount()
        self._where = where
        self._into = into
        self._reading = reading
        self._variant = variant_of(where)
        self._fresh, self._own = reading.is_fresh(where), reading.is_own(where)
        self._place = place_of(where)
        self._scores = Scores(into, reading)
        self._rows: list[Sequence[Cell]] = []
        self._answers: list[Sequence[Cell]] = []
        self._variants: Counter[str] = Counter()
        self._versions: Counter[str] = Counter()

    def take(self, line: bytes, number: int) -> None:
        """Count a line, whatever is in it."""
        self.count.lines += 1
        if line.startswith(CONTROL_MESSAGE):
            self.count.elsewhere += 1
            return
        try:
            record = load(line)
            at = time_of(record)
        except UnreadableError as error:
            self._refuse(error, number, here=self._own)
            return
        if self._reading.start <= at < self._reading.end:
            self._take_record(record, at, number)
        else:
            self._take_outside(at, number)

    def finish(self) -> None:
        """Count what is kept."""
        self._flush()
        for counts, into in ((self._variants, self._into.variants), (self._versions, self._into.versions)):
            for name, rows in counts.items():
                into.add(name, rows)

    def _take_outside(self, at: float, number: int) -> None:
        if at < self._reading.start and self._fresh:
            self._into.late += 1
            self.count.late += 1
        elif at >= self._reading.end and self._reading.is_beyond(at, self._where):
            why = f"the line says that it is from {at - self._reading.end:.0f} s after this window"
            self._refuse(UnreadableError(reasons.IN_THE_FUTURE, why), number, here=True)
        else:
            self.count.elsewhere += 1

    def _take_record(self, record: dict[str, Any], at: float, number: int) -> None:
        try:
            asked = exchange(record, at)
            table = read_input(asked.input, self._reading.inputs)
        except UnreadableError as error:
            self._refuse(error, number, here=True)
            return
        rows = table.rows
        self.count.counted += 1
        self._into.requests += 1
        self._into.rows += len(rows)
        self._rows += rows
        for name in table.unknown:
            self._into.unknown_columns.add(name, len(rows))
        self._sample(rows, number)
        self._name(asked, len(rows))
        answers = self._answers_of(asked, len(rows), number)
        if answers is not None:
            self._answers += answers
            self._label(asked, rows, answers, number)
        if len(self._rows) >= BATCH_ROWS:
            self._flush()

    def _sample(self, rows: Sequence[Sequence[Cell]], number: int) -> None:
        sample = self._into.sample
        for index, row in enumerate(rows):
            key = row_key(self._place, number, index)
            if key <= sample.limit:
                sample.offer(key, row)

    def _name(self, asked: Exchange, rows: int) -> None:
        variant = asked.variant or self._variant
        self._variants[variant] += rows
        version = asked.version or self._reading.versions.get(variant, "")
        if version:
            self._versions[version] += rows
        if self._reading.see is not None:
            self._reading.see(asked.identity)

    def _answers_of(self, asked: Exchange, rows: int, number: int) -> Sequence[Sequence[Cell]] | None:
        """Return the answers' rows; None when there are none, or they cannot be read, which is counted."""
        if asked.output is None or not self._reading.outputs.width:
            return None
        try:
            answers = read_output(asked.output, self._reading.outputs).rows
        except UnreadableError as error:
            self._into.malformed.add(reasons.OF_ANSWER + error.reason, self._where, number, error.why)
            return None
        if len(answers) != rows:
            why = f"the request has {rows} rows, and its answer {len(answers)}"
            self._into.malformed.add(reasons.ANSWER_COUNT, self._where, number, why)
            return None
        return answers

    def _label(
        self, asked: Exchange, rows: Sequence[Sequence[Cell]], answers: Sequence[Sequence[Cell]], number: int
    ) -> None:
        labels = self._reading.labels
        told = labels.get(asked.identity) if labels is not None else None
        values = told.split(",") if told is not None else None
        if values is not None and len(values) != len(rows):
            why = f"the request has {len(rows)} rows, and its label {len(values)} values"
            self._into.malformed.add(reasons.LABEL_COUNT, self._where, number, why)
            values = None
        self._scores.add(rows, answers, values)

    def _refuse(self, error: UnreadableError, number: int, *, here: bool) -> None:
        if here:
            self._into.malformed.add(error.reason, self._where, number, error.why)
            self.count.malformed += 1
        else:
            self.count.elsewhere += 1

    def _flush(self) -> None:
        _add_columns(self._into.columns, self._rows)
        _add_columns(self._into.outputs, self._answers)
        self._scores.flush()
        self._rows, self._answers = [], []


def _add_columns(tallies: dict[str, Tally], rows: list[Sequence[Cell]]) -> None:
    if rows:
        for tally, values in zip(tallies.values(), zip(*rows, strict=True), strict=True):
            tally.add_many(values)
