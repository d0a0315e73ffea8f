"""NumPy bodies: one array of rows by columns in the ``.npy`` format."""

import io

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .problems import malformed
from .signature import Signature


def decode(body: bytes, signature: Signature) -> NDArray[np.float64]:
    """Return the rows of an npy body; a one-dimensional array is one row."""
    array = _array(body)
    if array.ndim == 1:
        array = array.reshape(1, -1)
    width = len(signature.names)
    if array.ndim != 2 or array.shape[1] != width:
        raise malformed(f"the array has shape {array.shape}; the model takes (rows, {width})")
    return array.astype(np.float64)


def encode(rows: list[tuple[object, ...]]) -> bytes:
    """Return answers as one float32 array of rows by outputs."""
    buffer = io.BytesIO()
    np.save(buffer, np.array(rows, dtype=np.float32))
    return buffer.getvalue()


def _array(body: bytes) -> NDArray[np.generic]:
    shape, fortran, dtype, start = _header(body)
    if dtype.kind not in "fiu":
        raise malformed(f"the array has dtype {dtype}; send floats or integers")
    # Checked before anything is allocated: a header may claim any shape.
    needed = dtype.itemsize * int(np.prod(shape, dtype=object))
    if needed != len(body) - start:
        raise malformed(f"the array's header asks for {needed} bytes of data; the body has {len(body) - start}")
    flat = np.frombuffer(body, dtype=dtype, offset=start)
    return flat.reshape(shape, order="F" if fortran else "C")


def _header(body: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic], int]:
    stream = io.BytesIO(body)
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise malformed(f"the body is not an .npy array: {error}") from error
    if any(extent < 0 for extent in shape):
        raise malformed(f"the array has shape {shape}")
    return shape, fortran, dtype, stream.tell()
