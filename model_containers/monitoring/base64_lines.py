"""Many short texts in base64, decoded together: one a line, as in a CSV file.

Base64 of whole groups of four characters can be decoded in one piece, whatever it was made of. So texts are gathered
side by side, those of a size at once, decoded, and each is put on its line.
"""

import numpy as np
import pybase64
from numpy.typing import NDArray

from .pieces import Pieces, Places, runs, windows

Bytes = NDArray[np.uint8]

_PADDING, _ZERO, _NEWLINE = b"=A\n"
_LEAST_OF_A_SIZE = 16
"""On average; each size costs as much as some texts do one by one."""


def decoded_lines(texts: Pieces) -> bytes | None:
    """Return the decoded texts with a newline between any two; None where they must be decoded one by one.

    That is: texts of too many sizes, or any that is empty or in no whole groups of four.

    Raises
    ------
    binascii.Error
        When any is not base64.
    """
    sizes = texts.sizes
    if not len(texts) or (sizes % 4).any() or not sizes.all():
        return None
    padding = _padding(texts)
    decoded = sizes // 4 * 3 - padding
    order = np.argsort(decoded, kind="stable")
    if np.count_nonzero(np.diff(decoded[order])) * _LEAST_OF_A_SIZE > len(texts):
        return None
    gathered = _gathered(texts.only(order), padding[order])
    return _on_lines(_decoded(gathered), decoded, order)


def _padding(texts: Pieces) -> Places:
    """Return how many of each text's last two characters stand for nothing."""
    content = np.frombuffer(texts.block, np.uint8)
    last, before = content[texts.ends - 1] == _PADDING, content[texts.ends - 2] == _PADDING
    padding: Places = last.astype(np.int64) + (last & before)
    return padding


def _gathered(texts: Pieces, padding: Places) -> Bytes:
    """Return texts side by side, with zero bits for the padding, which is legal only at the end of all."""
    sizes = texts.sizes
    ends = np.cumsum(sizes)
    gathered = np.empty(int(ends[-1]), np.uint8)
    for first, after in runs(sizes):
        size = int(sizes[first])
        pieces = windows(texts.block, size)[texts.starts[first:after]]
        gathered[ends[first] - size : ends[after - 1]] = pieces.view(np.uint8)
    gathered[ends[padding > 0] - 1] = _ZERO
    gathered[ends[padding > 1] - 2] = _ZERO
    return gathered


def _decoded(gathered: Bytes) -> Bytes:
    return np.frombuffer(pybase64.b64decode(gathered.data, validate=True), np.uint8)


def _on_lines(content: Bytes, sizes: Places, order: Places) -> bytes:
    """Return texts that stand in `content` in an order, each on its own line and in the order of `sizes`."""
    ends = np.cumsum(sizes + 1)
    lines = np.full(int(ends[-1]) - 1, _NEWLINE, np.uint8)
    starts, sizes = (ends - sizes - 1)[order], sizes[order]
    at = 0
    for first, after in runs(sizes):
        size, count = int(sizes[first]), after - first
        width = -size % 3 + size  # with what the padding became
        windows(lines, size)[starts[first:after]] = windows(content[at:], size)[: count * width : width]
        at += count * width
    return lines.tobytes()
