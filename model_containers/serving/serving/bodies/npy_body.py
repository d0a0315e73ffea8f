"""NumPy bodies: one array of rows by columns, or of rows of the model's shape, in the ``.npy`` format."""

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, Literal

import numpy as np

from ..problems import malformed, too_many_rows
from .exchange import Rows
from .npy_header import LONGEST_HEADER, Header, header_end, read_header
from .table import FLOAT64, Table, aligned

_AS_SENT = (np.dtype(np.float32), FLOAT64)
_HEADERS_KEPT = 256
_HEADER_BYTES = LONGEST_HEADER + 12


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the data under a header are read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    size: int
    order: Literal["C", "F"]


class NpyReader:
    """Reads arrays of floats or integers into rows; a single row needs no axis of its own."""

    def __init__(self, table: Table) -> None:
        self._table = table
        # Callers send the same few headers over and over.
        self._planned = lru_cache(_HEADERS_KEPT)(self._plan)

    def read(self, body: bytes) -> Rows:
        """Return the rows of a body: 32-bit and 64-bit floats uncopied, and read-only therefore."""
        plan = self._planned(body[: min(header_end(body), _HEADER_BYTES)])
        if plan.size != len(body) - plan.start:
            given = len(body) - plan.start
            raise malformed(f"the array's header asks for {plan.size} bytes of data; the body has {given}")
        array = np.ndarray(plan.shape, plan.dtype, body, plan.start, order=plan.order)
        rows = aligned(array) if plan.order == "C" else array.reshape(-1, self._table.width, order="C")
        if rows.dtype in _AS_SENT:
            return rows
        with np.errstate(all="ignore"):  # a long double too large becomes infinite, and is refused as that
            return rows.astype(FLOAT64)

    def _plan(self, head: bytes) -> _Plan:
        # All of it is checked before anything is allocated: a header may claim any shape.
        header = read_header(head)
        if header.dtype.kind not in "fiu":
            raise malformed(f"the array has dtype {str(header.dtype)[:40]}; send floats or integers")
        rows = self._rows(header)
        shape = header.shape if header.fortran else (rows, self._table.width)
        size = header.dtype.itemsize * prod(header.shape)
        return _Plan(shape, header.dtype, header.end, size, "F" if header.fortran else "C")

    def _rows(self, header: Header) -> int:
        one = self._table.signature.input_shape
        if header.shape == one:
            return 1
        if header.shape[1:] not in (one, (self._table.width,)) or header.shape[0] < 0:
            wanted = ", ".join(map(str, one))
            raise malformed(f"the array has shape {str(header.shape)[:40]}; the model takes (rows, {wanted})")
        if header.shape[0] > self._table.max_rows:
            raise too_many_rows(self._table.max_rows)
        self._table.check_count(header.shape[0])
        return header.shape[0]
