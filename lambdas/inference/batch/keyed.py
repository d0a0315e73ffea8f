"""Answers of batches that can be asked for by key: how rows carry it, and what is kept under it. Pure.

Batch Transform takes the key off a row before the model sees it, and puts it in front of the model's answer: that is
what ``InputFilter``, ``JoinSource`` and ``OutputFilter`` of its DataProcessing are for. Of CSV the key is the first
cell; of JSON lines it is the field ``key``, and the row is the field ``instance``.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataProcessing.html
"""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.contract import TABLE_EXPIRY, TABLE_PARTITION_KEY, TABLE_SORT_KEY
from lambdas.inference.headers import LONGEST, PATTERN

CSV, JSON_LINES = "text/csv", "application/jsonlines"
LONGEST_KEY = LONGEST
SORT_KEY = "BATCH"
LARGEST_ANSWER = 300_000
"""An item of DynamoDB has room for 400 KB."""

KEY_FIELD, ROW_FIELD = "key", "instance"
KEY_PATTERN = rf"^(?!\.{{1,2}}$){PATTERN.removeprefix('^')}"
"""What names a subject names a row as well; but addresses cannot end in one or two dots, which mean a folder."""

WANTED = f"1 to {LONGEST_KEY} printable ASCII characters without blanks at either end, other than . and .."

_ANSWER_FIELD = "SageMakerOutput"
_DAY = 86_400
_SHOWN = 60
_USABLE = re.compile(KEY_PATTERN)
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_ABSENT = frozenset({"nan", "inf", "-inf"})


class UnusableLineError(Exception):
    """A line of an answer file that can be kept under no key; the text says why."""

    def __init__(self, why: str, key: str = "") -> None:
        super().__init__(why)
        self.key = key[:_SHOWN]


def data_processing(content_type: str, width: int) -> dict[str, str]:
    """Return what Batch Transform is to do with rows, of which each has `width` values behind its key."""
    if content_type == CSV:
        return {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": f"$[0,{width + 1}:]"}
    kept = f"$['{KEY_FIELD}','{_ANSWER_FIELD}']"
    return {"InputFilter": f"$.{ROW_FIELD}", "JoinSource": "Input", "OutputFilter": kept}


def partition(endpoint: str, key: str) -> str:
    """Return the partition key of the answer under a key."""
    return f"PREDICTION#{endpoint}#{key}"


def usable(key: object) -> bool:
    """Return whether answers can be kept under a key."""
    return isinstance(key, str) and len(key) <= LONGEST_KEY and _USABLE.fullmatch(key) is not None


def read_line(line: bytes, content_type: str, outputs: Sequence[str]) -> tuple[str, str]:
    """Return the key and the answer, as JSON, in a line of an answer file.

    Raises
    ------
    UnusableLineError
        When there is no such thing in it.
    """
    try:
        text = line.decode()
        key, answer = _of_cells(text, outputs) if content_type == CSV else _of_json(text)
        shown = json.dumps(answer, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    except (csv.Error, LookupError, TypeError, ValueError, RecursionError) as error:
        raise UnusableLineError(f"the line holds no key and answer ({type(error).__name__})") from error
    if not usable(key):
        raise UnusableLineError(f"the key {ascii(key)[:_SHOWN]} is no text of {WANTED}", str(key))
    if len(shown.encode()) > LARGEST_ANSWER:
        raise UnusableLineError(f"the answer has more than {LARGEST_ANSWER} bytes, and an item holds no more", key)
    return key, shown


def item(endpoint: str, key: str, answer: str, told: Mapping[str, Any], keep_days: int) -> dict[str, Any]:
    """Return the item of an answer; `told` are its ``run``, ``source``, ``version``, ``model`` and time (``at``)."""
    return {
        TABLE_PARTITION_KEY: partition(endpoint, key),
        TABLE_SORT_KEY: SORT_KEY,
        "answer": answer,
        **told,
        TABLE_EXPIRY: int(told["at"]) + keep_days * _DAY,
    }


def _of_cells(text: str, outputs: Sequence[str]) -> tuple[str, Any]:
    (row,) = csv.reader([text], strict=True)
    key, *cells = row
    values = [_value(cell) for cell in cells]
    if not values:
        raise ValueError("no answer")
    # An output of several values has as many cells, and none of them a name.
    return key, dict(zip(outputs, values, strict=True)) if len(values) == len(outputs) else values


def _of_json(text: str) -> tuple[Any, Any]:
    read = json.loads(text, parse_constant=lambda _: None)
    return read[KEY_FIELD], read[_ANSWER_FIELD]


def _value(cell: str) -> Any:
    if _NUMBER.fullmatch(cell):
        return json.loads(cell)
    return None if cell.lower() in _ABSENT else cell
