"""A capture file as blocks of whole lines, in bounded memory whatever the file holds."""

from collections.abc import Iterator
from typing import BinaryIO

from lambdas.monitoring.capture.lines import LONGEST

BLOCK_BYTES = 8 * 1024 * 1024
"""Each block costs some milliseconds whatever it holds; beyond this that is little."""


def blocks_of(file: BinaryIO, size: int = BLOCK_BYTES, longest: int = LONGEST) -> Iterator[bytes]:
    """Yield the file, which must be seekable, in blocks of at least `size` bytes that end with a line's end.

    As with the careful path's `lines_of`, of a line beyond `longest` bytes at least the first ``longest + 1`` are left,
    by which whoever reads it knows; the rest is dropped as it comes.
    """
    start = file.tell()
    while True:
        # Where the last line ends is looked up first: to append it to a block would copy all of that.
        file.seek(start + size - 1)
        rest = file.readline(longest + 2)
        file.seek(start)
        if not (block := file.read(size - 1 + len(rest))):
            return
        yield block
        while len(rest) > longest + 1 and not rest.endswith(b"\n"):
            rest = file.readline(longest + 2)
        start = file.tell()
