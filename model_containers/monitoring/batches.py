"""Requests that are read alike, many together: from lines that fit a template, or parsed one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from lambdas.monitoring.capture.lines import LONGEST
from lambdas.monitoring.capture.reasons import UnreadableError
from lambdas.monitoring.capture.records import Exchange, Part, exchange, time_of

from .pieces import Pieces, Places
from .template import EVENT_ID, INFERENCE_ID, INPUT, OUTPUT, TIME, Matches, Template
from .text import Text

MOST_TEMPLATES = 8
"""Of a file: as many variants, versions and content types have one of their own."""


class Identities(Protocol):
    """Says which requests they are, when somebody asks."""

    def __call__(self, chosen: Places) -> list[str]:
        """Return the ids of some of the requests."""


@dataclass(frozen=True)
class Batch:
    """Requests whose content types, encodings, variant and version are the same.

    Parameters
    ----------
    example
        Any of them.
    lines
        Which lines of the block they are.
    at
        When each was answered, in epoch seconds.
    inputs, outputs
        Bodies as they stand in the lines; no outputs where answers are not captured.
    identities
        Returns ids by which labels find the requests.
    """

    example: Exchange
    lines: Places
    at: NDArray[np.float64]
    inputs: Pieces
    outputs: Pieces | None
    identities: Identities

    def __len__(self) -> int:
        return len(self.lines)

    def only(self, chosen: Places) -> "Batch":
        """Return some of the requests."""
        return replace(
            self,
            lines=self.lines[chosen],
            at=self.at[chosen],
            inputs=self.inputs.only(chosen),
            outputs=None if self.outputs is None else self.outputs.only(chosen),
            identities=lambda of: self.identities(chosen[of]),
        )


class Templates:
    """Mutable: the templates of a file, learnt as they come."""

    def __init__(self) -> None:
        self._known: list[Template] = []

    def batches(self, text: Text) -> tuple[list[Batch], Places]:
        """Return requests in batches, and the lines that are left for the careful path."""
        too_long = len(text.block) > LONGEST and (text.ends - text.starts > LONGEST).any()
        matched = None if too_long else self._matched(text)
        if matched is None:
            return _parsed(text)
        batches, left = [], [np.empty(0, np.int64)]
        for template, matches in matched:
            try:
                batches.append(_batch(text, template, matches))
            except UnreadableError:
                left.append(matches.rows)
        return batches, np.concatenate(left)

    def _matched(self, text: Text) -> list[tuple[Template, Matches]] | None:
        """Return which lines fit which template; None unless each fits one for certain."""
        rows = np.arange(len(text))
        matched: list[tuple[Template, Matches]] = []
        for template in self._known:
            if len(rows):
                rows = self._take(template, text, rows, matched)
        while len(rows) and len(self._known) < MOST_TEMPLATES:
            learnt = Template.of(text.line(int(rows[0])))
            before = len(rows)
            if learnt is not None:
                rows = self._take(learnt, text, rows, matched)
            if len(rows) == before or learnt is None:
                return None
            self._known.append(learnt)
        return matched if not len(rows) and _is_certain(text, matched) else None

    @staticmethod
    def _take(template: Template, text: Text, rows: Places, matched: list[tuple[Template, Matches]]) -> Places:
        matches = template.matches(text, rows)
        if not len(matches.rows):
            return rows
        matched.append((template, matches))
        return rows[~np.isin(rows, matches.rows, assume_unique=True)] if len(matches.rows) < len(rows) else rows[:0]


def _is_certain(text: Text, matched: list[tuple[Template, Matches]]) -> bool:
    """Say whether no string has a quotation mark or an escape within."""
    if not any(template.texts for template, _ in matched):
        return all(text.simple(*span) for _, matches in matched for span in matches.others)
    quotes = sum(template.quotes * len(matches.rows) for template, matches in matched)
    return text.plain and quotes == text.quotes


def _batch(text: Text, template: Template, matches: Matches) -> Batch:
    spans = matches.spans
    told, times = text.runs(*spans[TIME])
    at = np.repeat(_moments(told), times)
    outputs = text.pieces(*spans[OUTPUT]) if OUTPUT in spans else None
    paths = [path for path in (INFERENCE_ID, EVENT_ID) if path in spans]

    def identities(chosen: Places) -> list[str]:
        found = [text.pieces(*spans[path]).only(chosen).cut() for path in paths] or [[b""] * len(chosen)]
        return [next(filter(None, ids), b"").decode() for ids in zip(*found, strict=True)]

    return Batch(template.example, matches.rows, at, text.pieces(*spans[INPUT]), outputs, identities)


def _moments(told: Sequence[bytes]) -> NDArray[np.float64]:
    """Return epoch seconds; raises `UnreadableError` if any time is none."""
    moments = {each: _moment(each) for each in set(told)}
    return np.fromiter(map(moments.__getitem__, told), np.float64, len(told))


@lru_cache(maxsize=10_000)
def _moment(told: bytes) -> float:
    return time_of({"eventMetadata": {"inferenceTime": told.decode()}})


def _parsed(text: Text) -> tuple[list[Batch], Places]:
    """Parse each line: as the careful path does, but with a quicker parser, which refuses whatever is unusual."""
    read: dict[tuple[object, ...], list[tuple[int, Exchange]]] = {}
    left = []
    for number in range(len(text)):
        line = text.line(number)
        try:
            if len(line) > LONGEST:
                raise ValueError
            record = orjson.loads(line)
            if type(record) is not dict:
                raise ValueError
            asked = exchange(record, time_of(record))
        except (ValueError, UnreadableError):
            left.append(number)
        else:
            read.setdefault(_likeness(asked), []).append((number, asked))
    return [_batch_of(requests) for requests in read.values()], np.asarray(left, np.int64)


def _likeness(asked: Exchange) -> tuple[object, ...]:
    parts = [(part.content_type, part.encoding) for part in (asked.input, asked.output) if part is not None]
    return (*parts, asked.variant, asked.version)


def _batch_of(requests: list[tuple[int, Exchange]]) -> Batch:
    numbers, asked = zip(*requests, strict=True)
    return Batch(
        asked[0],
        np.asarray(numbers, np.int64),
        np.asarray([each.at for each in asked], np.float64),
        _pieces([each.input for each in asked]),
        None if asked[0].output is None else _pieces([each.output for each in asked if each.output is not None]),
        lambda chosen: [asked[index].identity for index in chosen.tolist()],
    )


def _pieces(parts: Sequence[Part]) -> Pieces:
    return Pieces.of([part.data.encode() for part in parts])
