"""A block of lines, and where in it they begin and end."""

from functools import cached_property
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from .pieces import Pieces, Places, windows

Flags = NDArray[np.bool_]

QUOTE = b'"'
_SIMPLE = bytes(set(range(32, 127)) - set(b'"\\'))
_NEWLINE, _SPACE = b"\n"[0], b" "[0]


class Text:
    """Lines as places in a block of bytes; blank lines are left out.

    Parameters
    ----------
    block
        Lines with their ends; the last may lack its own.
    """

    def __init__(self, block: bytes) -> None:
        self.block = block
        self.bytes = np.frombuffer(block, np.uint8)
        self._flags = np.empty(len(block), np.bool_)
        newlines = np.flatnonzero(np.equal(self.bytes, _NEWLINE, out=self._flags))
        starts = np.concatenate(([0], newlines + 1))
        ends = np.concatenate((newlines, [len(block)]))
        filled = ends > starts
        self.starts, self.ends = starts[filled], ends[filled]
        if (self.bytes[self.starts] <= _SPACE).any():
            filled = np.array([not line.isspace() for line in self.pieces(self.starts, self.ends).cut()], np.bool_)
            self.starts, self.ends = self.starts[filled], self.ends[filled]

    def __len__(self) -> int:
        return len(self.starts)

    def line(self, index: int) -> bytes:
        """Return a line."""
        return self.block[self.starts[index] : self.ends[index]]

    def pieces(self, starts: Places, ends: Places) -> Pieces:
        """Return pieces of the block."""
        return Pieces(self.block, starts, ends)

    def runs(self, starts: Places, ends: Places) -> tuple[list[bytes], Places]:
        """Return pieces of the block without repeating one that follows itself, and how often each does."""
        sizes = ends - starts
        size = int(sizes[0]) if len(sizes) else 0
        if not size or (sizes != size).any():
            return self.pieces(starts, ends).cut(), np.ones(len(starts), np.int64)
        pieces = windows(self.block, size)[starts].view(f"S{size}")
        first = np.flatnonzero(np.append(True, pieces[1:] != pieces[:-1]))
        return self.pieces(starts[first], ends[first]).cut(), np.diff(np.append(first, len(starts)))

    def next_quotes(self, places: Places) -> Places:
        """Return where the first quotation mark is from each place on; the block's end if there is none."""
        find, end = self.block.find, len(self.block)
        found = np.fromiter(map(find, repeat(QUOTE), places.tolist()), np.int64, len(places))
        return np.where(found < 0, end, found)

    def pieces_equal(self, places: Places, piece: bytes) -> Flags:
        """Say at which places the piece stands."""
        size = len(piece)
        if not size:
            return np.ones(len(places), np.bool_)
        last = len(self.block) - size
        if last < 0 or not len(places):
            return np.zeros(len(places), np.bool_)
        fits = places <= last
        within = places if fits.all() else np.where(fits, places, 0)
        if size == 1:
            one: Flags = self.bytes[within] == piece[0]
            return one & fits
        found = windows(self.block, size)[within]
        if found.tobytes() == piece * len(places):
            return fits
        same: Flags = (found.view(np.uint8).reshape(-1, size) == np.frombuffer(piece, np.uint8)).all(axis=1)
        return same & fits

    @cached_property
    def quotes(self) -> int:
        """How many quotation marks there are."""
        return self._count(np.equal(self.bytes, QUOTE[0], out=self._flags))

    @cached_property
    def plain(self) -> bool:
        """Whether it is UTF-8 without backslashes and control characters: so each quotation mark is a string's end."""
        controls = self._count(np.less(self.bytes, _SPACE, out=self._flags))
        return controls == self.block.count(b"\n") and b"\\" not in self.block and self._is_utf8()

    def simple(self, starts: Places, ends: Places) -> bool:
        """Say whether pieces are ASCII without control characters, quotation marks and backslashes."""
        sizes = ends - starts
        size = int(sizes[0]) if len(sizes) else 0
        if not size or (sizes != size).any():
            content = b"".join(self.pieces(starts, ends).cut())
        else:
            content = windows(self.block, size)[starts].tobytes()
        return not content.translate(None, _SIMPLE)

    def _is_utf8(self) -> bool:
        if self.block.isascii():
            return True
        try:
            self.block.decode()
        except UnicodeDecodeError:
            return False
        return True

    @staticmethod
    def _count(flags: Flags) -> int:
        return int(np.count_nonzero(flags))
