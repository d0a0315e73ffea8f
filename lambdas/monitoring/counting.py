"""Counts a window's files in this very function."""

from collections.abc import Iterator
from dataclasses import replace

from lambdas.monitoring.capture import reasons
from lambdas.monitoring.capture.counting import count_file
from lambdas.monitoring.capture.labels import Labels
from lambdas.monitoring.capture.lines import lines_of
from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.capture.reasons import UnreadableError
from lambdas.monitoring.capture.records import load, time_of
from lambdas.monitoring.errors import MissingError, OutOfTimeError
from lambdas.monitoring.gathering import Found
from lambdas.monitoring.ports import Clock, Files, StoredFile
from lambdas.monitoring.profile.window import WindowCounts

RESERVE_SECONDS = 30.0
"""What is kept of an invocation's time for judging and writing down what was counted."""


class Counter:
    """Reads files of a bucket for as long as there is time.

    Parameters
    ----------
    files, clock
        Where files are, and how much time is left.
    bucket
        Their bucket.
    """

    def __init__(self, files: Files, clock: Clock, bucket: str) -> None:
        self._files = files
        self._clock = clock
        self._bucket = bucket

    def count(self, found: Found, into: WindowCounts, reading: Reading) -> None:
        """Count capture files.

        Raises
        ------
        OutOfTimeError
            When they are too many for the time that is left.
        """
        reading = replace(reading, fresh=found.fresh, own=found.written_within(reading.start, reading.end))
        for file in found.files:
            name = found.name(file)
            try:
                count_file(self._lines(file), name, into, reading)
            except MissingError:
                into.malformed.add(reasons.FILE_GONE, name, 0, "it was deleted before it was read")

    def count_requests(self, found: Found, into: WindowCounts, start: float, end: float) -> None:
        """Count no more than how many requests there are: all that can be said of them without a baseline."""
        for file in found.files:
            try:
                for line in self._lines(file):
                    if _is_of(line, start, end):
                        into.requests += 1
                        into.rows += 1
            except MissingError:
                into.malformed.add(reasons.FILE_GONE, found.name(file), 0, "it was deleted before it was read")

    def read_labels(self, found: Found) -> Labels:
        """Read label files; see `count`."""
        labels = Labels()
        for file in found.files:
            name = found.name(file)
            try:
                labels.read_file(self._lines(file), name, fresh=name in found.fresh)
            except MissingError:
                labels.refused.add(
                    f"{reasons.OF_LABEL}{reasons.FILE_GONE}", name, 0, "it was deleted before it was read"
                )
        return labels

    def _lines(self, file: StoredFile) -> Iterator[bytes]:
        return lines_of(self._in_time(self._files.pieces(self._bucket, file.key)))

    def _in_time(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self._clock.left() < RESERVE_SECONDS:
                raise OutOfTimeError("the window holds more than one invocation can count")
            yield piece


def _is_of(line: bytes, start: float, end: float) -> bool:
    try:
        return start <= time_of(load(line)) < end
    except UnreadableError:
        return False
