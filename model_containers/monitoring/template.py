"""Lines that are alike but for the text in some strings: one is parsed, and the others need not be.

A line without backslashes and control characters is JSON strings between quotation marks, and structure between those.
If all of a line's structure and keys are byte for byte those of a line that was parsed, it parses to the same record
with other texts in the same places. Capture files are made of such lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import orjson

from lambdas.monitoring.capture.reasons import UnreadableError
from lambdas.monitoring.capture.records import Exchange, exchange

from .pieces import Places
from .text import QUOTE, Flags, Text

Path = tuple[str, ...]
Spans = list[tuple[Places, Places]]
"""Where strings begin and end, in many lines."""

INPUT: Path = ("captureData", "endpointInput", "data")
OUTPUT: Path = ("captureData", "endpointOutput", "data")
TIME: Path = ("eventMetadata", "inferenceTime")
INFERENCE_ID: Path = ("eventMetadata", "inferenceId")
EVENT_ID: Path = ("eventMetadata", "eventId")
TAKEN = (INPUT, OUTPUT, TIME, INFERENCE_ID, EVENT_ID)
"""Texts that are read from each line."""

FIXED: tuple[Path, ...] = (
    *((*body[:2], key) for body in (INPUT, OUTPUT) for key in ("observedContentType", "encoding", "mode")),
    *(("eventMetadata", key) for key in ("variant", "modelVersion")),
    ("eventVersion",),
)
"""Texts that decide how a line is read, or are always the same: another text there is another template."""


@dataclass(frozen=True)
class Matches:
    """Lines that fit a template, if no string of theirs has a quotation mark or an escape within.

    Parameters
    ----------
    rows
        Which lines of the text.
    spans
        Where the text of each path begins and ends.
    others
        Where all strings begin and end but those that hold base64, which cannot hold anything else unnoticed.
    """

    rows: Places
    spans: Mapping[Path, tuple[Places, Places]]
    others: Sequence[tuple[Places, Places]]


@dataclass(frozen=True)
class Template:
    """What lines have in common.

    Parameters
    ----------
    example
        The request that was parsed: all but its texts in `TAKEN` hold for each line.
    strings
        Which of the free strings has the text of a path.
    free
        Numbers, within a line and from 0, of the strings that may differ.
    segments
        Bytes before, between and after those, with the quotation marks.
    lengths
        How long the free strings of the line were that was parsed: a guess, which is right for identifiers and times.
    quotes
        Quotation marks in a line.
    """

    example: Exchange
    strings: Mapping[Path, int]
    free: tuple[int, ...]
    segments: tuple[bytes, ...]
    lengths: tuple[int, ...]
    quotes: int

    @classmethod
    def of(cls, line: bytes) -> "Template | None":
        """Return the template of a line; None where that has escapes, or is no request in good order."""
        if b"\\" in line:
            return None
        tokens = line.split(b'"')
        try:
            record = orjson.loads(line)
            example = exchange(record, 0.0)
        except (orjson.JSONDecodeError, UnreadableError, KeyError, TypeError, AttributeError):
            return None
        values = [n for n in range(len(tokens) // 2) if not tokens[2 * n + 2].lstrip().startswith(b":")]
        numbers = _numbers(tokens, values)
        wanted = {path for path in TAKEN if isinstance(_at(record, path), str)}
        if not {INPUT, TIME} <= wanted or not wanted <= numbers.keys():
            return None
        held = {numbers.get(path) for path in FIXED}
        free = tuple(n for n in values if n not in held)
        strings = {path: free.index(numbers[path]) for path in wanted}
        lengths = tuple(len(tokens[2 * n + 1]) for n in free)
        return cls(example, strings, free, _segments(tokens, free), lengths, len(tokens) - 1)

    def matches(self, text: Text, rows: Places) -> Matches:
        """Return which of the lines fit."""
        starts, ends = text.starts[rows], text.ends[rows]
        spans, fitting = self._by_size(text, starts, ends)
        missed = np.flatnonzero(~fitting)
        if len(missed):
            found, fitting[missed] = self._by_quotes(text, starts[missed], ends[missed])
            for (begins, closes), (begins_found, closes_found) in zip(spans, found, strict=True):
                begins[missed], closes[missed] = begins_found, closes_found
        if not fitting.all():
            rows, spans = rows[fitting], [(begins[fitting], closes[fitting]) for begins, closes in spans]
        base64 = {self.strings[path] for path in self._base64}
        return Matches(
            rows,
            {path: spans[number] for path, number in self.strings.items()},
            [span for number, span in enumerate(spans) if number not in base64],
        )

    def _by_size(self, text: Text, starts: Places, ends: Places) -> tuple[Spans, Flags]:
        """Return where strings are, and which lines fit, if the body that was asked alone differs in length."""
        body = self.strings[INPUT]
        size = sum(map(len, self.segments)) + sum(self.lengths) - self.lengths[body]
        body_sizes = np.maximum(ends - starts - size, 0)
        fitting = np.ones(len(starts), np.bool_)
        spans: Spans = []
        place = starts
        for number, (segment, length) in enumerate(zip(self.segments[:-1], self.lengths, strict=True)):
            fitting &= text.pieces_equal(place, segment)
            begin = place + len(segment)
            place = begin + (body_sizes if number == body else length)
            spans.append((begin, place))
        fitting &= text.pieces_equal(place, self.segments[-1])
        return spans, fitting & (place + len(self.segments[-1]) == ends)

    def _by_quotes(self, text: Text, starts: Places, ends: Places) -> tuple[Spans, Flags]:
        """Return the same whatever the lengths are: a string goes on to the next quotation mark."""
        fitting = np.ones(len(starts), np.bool_)
        spans: Spans = []
        place = starts
        for segment, length in zip(self.segments[:-1], self.lengths, strict=True):
            fitting &= text.pieces_equal(place, segment)
            begin = place + len(segment)
            place = begin + length
            if not text.pieces_equal(place, QUOTE).all():
                place = text.next_quotes(begin)
            spans.append((begin, place))
        fitting &= text.pieces_equal(place, self.segments[-1])
        return spans, fitting & (place + len(self.segments[-1]) == ends)

    @property
    def texts(self) -> bool:
        """Whether a body stands in the lines as text."""
        return len(self._base64) < (1 if self.example.output is None else 2)

    @property
    def _base64(self) -> list[Path]:
        parts = {INPUT: self.example.input, OUTPUT: self.example.output}
        return [path for path, part in parts.items() if part is not None and part.encoding == "BASE64"]


def _numbers(tokens: list[bytes], values: list[int]) -> dict[Path, int]:
    """Return the number of the string that is at each path: parsed again, with the numbers for the texts."""
    marked = list(tokens)
    for number in values:
        marked[2 * number + 1] = b"%d" % number
    record = orjson.loads(b'"'.join(marked))
    found = {path: _at(record, path) for path in (*TAKEN, *FIXED)}
    return {path: int(number) for path, number in found.items() if isinstance(number, str)}


def _at(record: Any, path: Path) -> Any:
    return reduce(lambda value, key: value.get(key) if isinstance(value, dict) else None, path, record)


def _segments(tokens: list[bytes], free: tuple[int, ...]) -> tuple[bytes, ...]:
    # String n is tokens[2n + 1]; a segment is what lies between two free ones, both quotation marks included.
    bounds = [-1, *(2 * n + 1 for n in free), len(tokens)]
    inner = [b'"'.join(tokens[low + 1 : high]) for low, high in pairwise(bounds)]
    last = len(inner) - 1
    return tuple((b'"' if i else b"") + part + (b'"' if i < last else b"") for i, part in enumerate(inner))
