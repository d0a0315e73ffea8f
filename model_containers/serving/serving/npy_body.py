"""NumPy bodies: one array of rows by columns in the ``.npy`` format."""

import io
import math

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .problems import malformed, too_many_rows
from .signature import Signature

# An honest header takes about 120 bytes; a Python expression of 10 kB takes its parser a while.
LONGEST_HEADER = 1_000

Header = tuple[tuple[int, ...], bool, np.dtype[np.generic], int]


def decode(body: bytes, signature: Signature, max_rows: int) -> NDArray[np.float64]:
    """Return the rows of an npy body; a one-dimensional array is one row."""
    shape, fortran, dtype, start = _header(body)
    if dtype.kind not in "fiu":
        raise malformed(f"the array has dtype {str(dtype)[:40]}; send floats or integers")
    # All of it checked before anything is allocated: a header may claim any shape.
    _check_shape(shape, len(signature.names), max_rows)
    _check_size(dtype.itemsize * math.prod(shape), len(body) - start)
    flat = np.frombuffer(body[start:], dtype=dtype)
    rows = flat.reshape(shape, order="F" if fortran else "C").reshape(-1, len(signature.names))
    with np.errstate(all="ignore"):  # a long double too large becomes infinite, and is refused as that
        return rows.astype(np.float64)


def encode(rows: list[tuple[object, ...]]) -> bytes:
    """Return answers as one float32 array of rows by outputs."""
    buffer = io.BytesIO()
    np.save(buffer, np.array(rows, dtype=np.float32))
    return buffer.getvalue()


def _check_shape(shape: tuple[int, ...], width: int, max_rows: int) -> None:
    if len(shape) not in (1, 2) or shape[-1] != width or shape[0] < 0:
        raise malformed(f"the array has shape {str(shape)[:40]}; the model takes (rows, {width})")
    if len(shape) == 2 and shape[0] > max_rows:
        raise too_many_rows(max_rows)


def _check_size(needed: int, given: int) -> None:
    if needed != given:
        raise malformed(f"the array's header asks for {needed} bytes of data; the body has {given}")


def _header(body: bytes) -> Header:
    # NumPy's reader is a Python parser underneath (literals only), and raises whatever that does.
    try:
        return _read_header(io.BytesIO(body))
    except Exception as error:
        raise malformed(f"the body is not an .npy array: {str(error)[:200]}") from error


def _read_header(stream: io.BytesIO) -> Header:
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(stream, max_header_size=LONGEST_HEADER)
    return shape, fortran, dtype, stream.tell()
