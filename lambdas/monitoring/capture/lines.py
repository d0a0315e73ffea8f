"""The lines of a file that comes in pieces, in bounded memory whatever the file holds."""

from collections.abc import Iterable, Iterator

LONGEST = 36 * 1024 * 1024
"""Bytes of a line that is read: a body of 25 MB (the most that SageMaker takes) in base64, with its answer."""


def lines_of(pieces: Iterable[bytes], longest: int = LONGEST) -> Iterator[bytes]:
    """Yield a file's lines without their ends; blank ones are left out.

    Of a line beyond `longest` the first ``longest + 1`` bytes are yielded, by which whoever reads it knows; the rest is
    dropped as it comes.
    """
    kept: list[bytes] = []
    size = 0
    for piece in pieces:
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield from _line([*kept, line], longest)
            kept, size = [], 0
        if size <= longest:
            kept.append(rest)
            size += len(rest)
    yield from _line(kept, longest)


def _line(pieces: list[bytes], longest: int) -> Iterator[bytes]:
    line = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if line and not line.isspace():
        yield line[: longest + 1]
