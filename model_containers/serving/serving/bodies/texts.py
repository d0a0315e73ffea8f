"""Outputs as texts, one for each row: the shortest that read back the same (0.1, not 0.10000000149011612)."""

from typing import Any

import orjson
from numpy.typing import NDArray

_NUMPY = orjson.OPT_SERIALIZE_NUMPY


def json_array(output: NDArray[Any]) -> bytes:
    """Return an array as JSON; what JSON has no number for, such as NaN, as null."""
    if is_text(output):
        return orjson.dumps(output.tolist())
    return orjson.dumps(output if output.flags.c_contiguous else output.copy(), None, _NUMPY)


def is_text(output: NDArray[Any]) -> bool:
    """Return whether an output is of strings."""
    return output.dtype.kind not in "fiub"


def json_texts(output: NDArray[Any]) -> list[bytes]:
    """Return each row of an output of shape (rows,), (rows, 1) or (rows, k) as JSON: a scalar, or a list of k."""
    output = _flat(output)
    if is_text(output):
        return [orjson.dumps(each) for each in output.tolist()]
    if output.ndim == 1:
        text = json_array(output)[1:-1]
        return [text] if len(output) == 1 else text.split(b",")
    if output.ndim == 2:
        return [b"[" + row + b"]" for row in json_array(output)[2:-2].split(b"],[")]
    return [json_array(row) for row in output]


def csv_texts(output: NDArray[Any]) -> list[bytes]:
    """Return each row of an output as cells of CSV, separated by commas."""
    output = _flat(output)
    if output.ndim > 1:
        columns = output.reshape(len(output), -1).T
        return [b",".join(cells) for cells in zip(*map(csv_texts, columns), strict=True)]
    if is_text(output):
        return [_quoted(str(each)).encode() for each in output.tolist()]
    texts = json_texts(output)
    if b"null" not in texts:
        return texts
    # JSON has no word for NaN and infinity; CSV's readers know both.
    return [str(value).encode() if text == b"null" else text for text, value in zip(texts, output, strict=True)]


def _flat(output: NDArray[Any]) -> NDArray[Any]:
    return output.reshape(-1) if output.ndim == 2 and output.shape[1] == 1 else output


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in '",\r\n') else text
