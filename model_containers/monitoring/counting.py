"""Counts a file of captured traffic: clean lines many at a time, all others by the careful path."""

from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lambdas.monitoring.capture import counting as careful
from lambdas.monitoring.capture.counting import FileCount
from lambdas.monitoring.capture.reading import Reading, variant_of
from lambdas.monitoring.profile.classes import class_name
from lambdas.monitoring.profile.sample import place_of
from lambdas.monitoring.profile.window import WindowCounts

from .batches import Batch, Templates
from .blocks import BLOCK_BYTES, blocks_of
from .bodies import Table, read
from .errors import NotCleanError
from .pieces import Places
from .sampling import Keys, Sampler, row_keys
from .scoring import FALSE, TRUE, UNKNOWN, Scorer, Trits
from .tallying import Tallier
from .text import Text

ROWS_AT_ONCE = 32_768
"""Rows are kept until they are this many, since each column's turn costs some microseconds whatever it holds."""

_NO_LABELS: Trits = np.empty(0, np.int8)

LEAST_BATCH = 16
"""A batch that is not clean is halved; this few go to the careful path."""


def count_file(
    file: BinaryIO, where: str, into: WindowCounts, reading: Reading, block_bytes: int = BLOCK_BYTES
) -> FileCount:
    """Count a file's lines, to the same counts as the careful path's function of this name.

    Sums of numbers differ in their last digits, for they are added in another order.

    Parameters
    ----------
    file
        Its content.
    where, into, reading
        As for the careful path.
    block_bytes
        How much is read at once.
    """
    window = WindowCounter(into, reading)
    told = window.count(file, where, block_bytes)
    window.finish()
    return told


class WindowCounter:
    """Counts a window's files, one after another.

    Parameters
    ----------
    into
        Is added to; complete after `finish`.
    reading
        What is counted, and how.
    """

    def __init__(self, into: WindowCounts, reading: Reading) -> None:
        self.into, self.reading = into, reading
        self._talliers = [Tallier(tally) for tally in (*into.columns.values(), *into.outputs.values())]
        self._scorer = Scorer(into, reading)
        self._sampler = Sampler(into.sample)
        self._asked: list[tuple[pl.DataFrame, Keys]] = []
        self._answered: list[tuple[pl.DataFrame, pl.DataFrame, Trits]] = []
        self._rows = 0

    def count(self, file: BinaryIO, where: str, block_bytes: int = BLOCK_BYTES) -> FileCount:
        """Count a file's lines; see `count_file`."""
        counter = _FileCounter(where, self)
        for block in blocks_of(file, block_bytes):
            counter.take(Text(block))
        return counter.count

    def add(self, asked: pl.DataFrame, keys: Keys, answered: pl.DataFrame | None, labels: Trits) -> None:
        """Take rows with their keys in the sample and, where there are answers, those and the labels."""
        self._asked.append((asked, keys))
        if answered is not None:
            self._answered.append((asked, answered, labels))
        self._rows += asked.height
        if self._rows >= ROWS_AT_ONCE:
            self._flush()

    def finish(self) -> None:
        """Count what is kept."""
        self._flush()
        self._sampler.finish()

    def _flush(self) -> None:
        if self._asked:
            frames, keys = zip(*self._asked, strict=True)
            inputs = pl.concat(frames)
            _add(self._talliers[: inputs.width], inputs)
            self._sampler.add(np.concatenate(keys), inputs)
        if self._answered:
            asked, answered, labels = zip(*self._answered, strict=True)
            outputs = pl.concat(answered)
            _add(self._talliers[-outputs.width :], outputs)
            self._scorer.add(inputs if len(asked) == len(frames) else pl.concat(asked), outputs, np.concatenate(labels))
        self._asked, self._answered, self._rows = [], [], 0


class _FileCounter:
    """A file while it is counted."""

    def __init__(self, where: str, window: WindowCounter) -> None:
        self.count = FileCount()
        self._where, self._window = where, window
        self._into, self._reading = window.into, window.reading
        self._variant, self._place = variant_of(where), place_of(where)
        self._fresh = window.reading.is_fresh(where)
        self._templates = Templates()

    def take(self, text: Text) -> None:
        """Count a block's lines."""
        batches, left = self._templates.batches(text)
        carefully = [left]
        for batch in batches:
            carefully += self._take_batch(batch)
        before = self.count.lines
        self._take_carefully(text, np.sort(np.concatenate(carefully)), before)
        self.count.lines = before + len(text)

    def _take_carefully(self, text: Text, lines: Places, before: int) -> None:
        for run in np.split(lines, np.flatnonzero(np.diff(lines) > 1) + 1):
            if len(run):
                first = before + int(run[0]) + 1
                told = careful.count_file(map(text.line, run.tolist()), self._where, self._into, self._reading, first)
                self._add(told)

    def _add(self, told: FileCount) -> None:
        self.count.counted += told.counted
        self.count.malformed += told.malformed
        self.count.late += told.late
        self.count.elsewhere += told.elsewhere

    def _take_batch(self, batch: Batch) -> list[Places]:
        """Count requests; return which lines are left."""
        inside = (batch.at >= self._reading.start) & (batch.at < self._reading.end)
        if inside.all():
            return self._take_inside(batch)
        left = self._take_outside(batch.only(np.flatnonzero(~inside)))
        return [*left, *self._take_inside(batch.only(np.flatnonzero(inside)))]

    def _take_outside(self, batch: Batch) -> list[Places]:
        before = batch.at < self._reading.start
        late = int(np.count_nonzero(before)) if self._fresh else 0
        if not before.all() and self._reading.is_beyond(float(batch.at.max()), self._where):
            return [batch.lines]
        self._into.late += late
        self.count.late += late
        self.count.elsewhere += len(batch) - late
        return []

    def _take_inside(self, batch: Batch) -> list[Places]:
        if not len(batch):
            return []
        if len(batch) <= LEAST_BATCH:
            return [batch.lines]
        try:
            self._count(batch)
        except NotCleanError:
            middle = len(batch) // 2
            halves = np.arange(middle), np.arange(middle, len(batch))
            return [lines for half in halves for lines in self._take_inside(batch.only(half))]
        return []

    def _count(self, batch: Batch) -> None:
        """Count requests; nothing of them is counted if this raises `NotCleanError`."""
        asked = read(batch.inputs, batch.example.input, self._reading.inputs, "instances")
        answered = self._answers(batch, asked)
        wanted = self._reading.labels is not None or self._reading.see is not None
        identities = batch.identities(np.arange(len(batch))) if wanted else []
        labels = self._labels(identities, asked, len(batch)) if answered is not None else _NO_LABELS
        self._window.add(
            asked.frame, self._keys(batch, asked), answered.frame if answered is not None else None, labels
        )
        self._name(batch, asked.frame.height)
        if self._reading.see is not None:
            for identity in identities:
                self._reading.see(identity)

    def _answers(self, batch: Batch, asked: Table) -> Table | None:
        if batch.outputs is None or batch.example.output is None or not self._reading.outputs.width:
            return None
        answered = read(batch.outputs, batch.example.output, self._reading.outputs, "predictions")
        if not (asked.lengths is None and answered.lengths is None) and not np.array_equal(
            asked.lengths_of(len(batch)), answered.lengths_of(len(batch))
        ):
            raise NotCleanError("an answer has another number of rows")
        return answered

    def _labels(self, identities: list[str], asked: Table, requests: int) -> Trits:
        """Return each row's label."""
        if self._reading.labels is None:
            return np.full(asked.frame.height, UNKNOWN, np.int8)
        told = list(map(self._reading.labels.get, identities))
        values: list[str | None] = []
        for label, rows in zip(told, asked.lengths_of(requests).tolist(), strict=True):
            given = [None] * rows if label is None else label.split(",")
            if len(given) != rows:
                raise NotCleanError("a label has another number of values")
            values += given
        truths = {value: UNKNOWN if value is None else _truth(value) for value in set(values)}
        return np.fromiter(map(truths.__getitem__, values), np.int8, len(values))

    def _name(self, batch: Batch, rows: int) -> None:
        self.count.counted += len(batch)
        self._into.requests += len(batch)
        self._into.rows += rows
        variant = batch.example.variant or self._variant
        self._into.variants.add(variant, rows)
        version = batch.example.version or self._reading.versions.get(variant, "")
        if version:
            self._into.versions.add(version, rows)

    def _keys(self, batch: Batch, asked: Table) -> Keys:
        numbers = self.count.lines + 1 + batch.lines
        within: NDArray[np.int64] = np.zeros(len(batch), np.int64)
        if asked.lengths is not None:
            starts = np.repeat(np.cumsum(asked.lengths) - asked.lengths, asked.lengths)
            within = np.arange(asked.frame.height) - starts
            numbers = np.repeat(numbers, asked.lengths)
        return row_keys(self._place, numbers, within)


def _add(talliers: list[Tallier], frame: pl.DataFrame) -> None:
    for tallier, column in zip(talliers, frame.iter_columns(), strict=True):
        tallier.add(column)


def _truth(label: str) -> int:
    return TRUE if class_name(label) == "1" else FALSE
