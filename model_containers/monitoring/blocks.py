"""A capture file as blocks of whole lines, in bounded memory whatever the file holds."""

from collections.abc import Iterator
from typing import BinaryIO

from lambdas.monitoring.capture.lines import LONGEST

BLOCK_BYTES = 8 * 1024 * 1024
"""Each block costs some milliseconds whatever it holds; beyond this that is little."""


def blocks_of(file: BinaryIO, size: int = BLOCK_BYTES, longest: int = LONGEST) -> Iterator[bytes]:
    """Yield the file in blocks of at least `size` bytes that end with a line's end.

    As with the careful path's `lines_of`, of a line beyond `longest` bytes at least the first ``longest + 1`` are left,
    by which whoever reads it knows; the rest is dropped as it comes.
    """
    while block := file.read(size):
        if not block.endswith(b"\n"):
            rest = file.readline(longest + 1)
            block += rest
            while len(rest) > longest and not rest.endswith(b"\n"):
                rest = file.readline(longest + 1)
        yield block
