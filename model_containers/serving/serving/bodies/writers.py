"""Answers: a row of outputs becomes a JSON record, a line of JSON or CSV, or a row of an npy array."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import orjson

from ..problems import ProblemError
from .exchange import Outputs, Written
from .npy_header import write_header
from .texts import csv_texts, is_text, json_texts

JSON = "application/json"
JSON_LINES = "application/jsonlines"
CSV = "text/csv"
NPY = "application/x-npy"

Write = Callable[[Outputs], Written]

_npy_header = lru_cache(256)(write_header)


def json_writer(names: Sequence[str]) -> Write:
    """Return a writer of ``{"predictions": [{name: value, ...}, ...]}``."""
    record = _record(names)

    def write(outputs: Outputs) -> Written:
        rows = _filled(record + b",", outputs)
        return Written(JSON, b'{"predictions":[' + rows[:-1] + b"]}")

    return write


def json_lines_writer(names: Sequence[str], content_type: str) -> Write:
    """Return a writer of a JSON record a line."""
    record = _record(names)

    def write(outputs: Outputs) -> Written:
        return Written(content_type, _filled(record + b"\n", outputs))

    return write


def csv_writer() -> Write:
    """Return a writer of CSV: a line for each row, without a header."""

    def write(outputs: Outputs) -> Written:
        rows = zip(*map(csv_texts, outputs), strict=True)
        return Written(CSV, b"".join([b",".join(cells) + b"\n" for cells in rows]))

    return write


def npy_writer(names: Sequence[str]) -> Write:
    """Return a writer of one float32 array of rows by outputs; an output of k values takes k columns."""

    def write(outputs: Outputs) -> Written:
        for name, output in zip(names, outputs, strict=True):
            if is_text(output):
                detail = f"output '{name}' is text, which {NPY} does not hold here; ask for {JSON}"
                raise ProblemError(406, "not acceptable", detail)
        with np.errstate(over="ignore"):
            columns = [each.astype(np.float32, copy=False).reshape(len(each), -1) for each in outputs]
        array = columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)
        return Written(NPY, _npy_header(array.shape, "<f4") + array.tobytes())

    return write


def _record(names: Sequence[str]) -> bytes:
    """Return the template of a record; a name may hold the mark of a template itself."""
    return b"{" + b",".join(orjson.dumps(name).replace(b"%", b"%%") + b":%b" for name in names) + b"}"


def _filled(template: bytes, outputs: Outputs) -> bytes:
    """Return the template once for each row, filled with the row's values."""
    texts = list(map(json_texts, outputs))
    count = len(texts[0])
    cells: list[bytes] = [b""] * (count * len(texts))
    for position, column in enumerate(texts):
        cells[position :: len(texts)] = column
    return template * count % tuple(cells)
