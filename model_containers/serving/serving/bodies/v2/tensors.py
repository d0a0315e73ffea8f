"""Tensors of the Open Inference Protocol: datatypes, and data as JSON and as bytes."""

from collections.abc import Iterator
from math import prod
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...problems import malformed
from ..json_types import FALL_BACK, Number, nested
from ..table import aligned, floats
from .schema import Input

BYTES = "BYTES"
# Binary data are little-endian, row by row, without gaps.
NUMBERS: dict[str, np.dtype[Any]] = {
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
}
FLOATS = ("FP32", "FP64")
_DATATYPES = {dtype: name for name, dtype in NUMBERS.items()} | {np.dtype(np.bool_): "BOOL"}
_LENGTH = 4  # bytes before each element of BYTES

_flat_numbers = msgspec.json.Decoder(list[Number]).decode
_flat_strings = msgspec.json.Decoder(list[str | None]).decode


def datatype_of(output: NDArray[Any]) -> str:
    """Return the datatype of an output; strings are BYTES."""
    return _DATATYPES.get(output.dtype, BYTES)


def check_datatype(tensor: Input) -> None:
    """Refuse the datatypes that no model here takes."""
    if tensor.datatype not in NUMBERS and tensor.datatype != BYTES:
        known = ", ".join([*NUMBERS, BYTES])
        raise malformed(f"input '{tensor.name[:40]}' has datatype {tensor.datatype[:40]}; send one of {known}")


def from_json(tensor: Input, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return a tensor's data from JSON, nested as its shape is or flat; null becomes NaN, or None in BYTES."""
    strings = tensor.datatype == BYTES
    array: NDArray[Any]
    try:
        if strings:
            array = np.array(_flat_strings(tensor.data), object)  # type: ignore[arg-type]
        else:
            array = floats(_flat_numbers(tensor.data))  # type: ignore[arg-type]
    except FALL_BACK as error:
        array = _nested(tensor, shape, str(error))
    if array.size != prod(shape):
        raise _misfit(tensor, f"the data hold {array.size} values")
    if tensor.datatype not in FLOATS and not strings:
        _check_held(tensor, array)
    return array.reshape(shape)


def from_bytes(tensor: Input, shape: tuple[int, ...], data: memoryview) -> NDArray[Any]:
    """Return a tensor's data from binary data: numbers uncopied where they are aligned, and read-only then."""
    if tensor.datatype == BYTES:
        array = np.empty(prod(shape), object)
        array[:] = list(_elements(tensor, array.size, data))
        return array.reshape(shape)
    dtype = NUMBERS[tensor.datatype]
    if len(data) != dtype.itemsize * prod(shape):
        raise _misfit(tensor, f"its binary data hold {len(data)} bytes")
    return aligned(np.ndarray(shape, dtype, data))


def to_bytes(output: NDArray[Any]) -> bytes:
    """Return an output as binary data."""
    if datatype_of(output) != BYTES:
        return output.tobytes()
    elements = [str(each).encode() for each in output.reshape(-1).tolist()]
    return b"".join([len(each).to_bytes(_LENGTH, "little") + each for each in elements])


def _nested(tensor: Input, shape: tuple[int, ...], otherwise: str) -> NDArray[Any]:
    leaf, dtype = (str | None, object) if tensor.datatype == BYTES else (Number, np.float64)
    try:
        values = msgspec.json.decode(tensor.data, type=nested(leaf, len(shape)))  # type: ignore[arg-type]
        array: NDArray[Any] = np.array(values, dtype)
    except FALL_BACK as error:
        # Of the two readings that failed, the one meant is told by the first value.
        what = str(error) if "got `array` - at `$[0]`" in otherwise else otherwise
        raise malformed(f"the data of input '{tensor.name[:40]}' are not {tensor.datatype}: {what[:200]}") from error
    if array.shape != shape:  # lists of strings that differ in length become an array of lists
        raise _misfit(tensor, f"the data are of shape {str(list(array.shape))[:40]}")
    return array


def _check_held(tensor: Input, array: NDArray[np.float64]) -> None:
    """Refuse numbers that the datatype does not hold, such as 300 or 0.5 in UINT8."""
    dtype = NUMBERS[tensor.datatype]
    limits: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    beyond = (array < float(limits.min)) | (array > float(limits.max))
    if dtype.kind != "f":
        beyond |= np.floor(array) != array
    if beyond.any():
        raise malformed(f"the data of input '{tensor.name[:40]}' are not all {tensor.datatype}; send them as FP64")


def _elements(tensor: Input, count: int, data: memoryview) -> Iterator[str]:
    at = 0
    for _ in range(count):
        start = at + _LENGTH
        at = start + int.from_bytes(data[at:start], "little")
        if at > len(data) or start > len(data):
            raise _misfit(tensor, f"its binary data end within an element, after {len(data)} bytes")
        try:
            yield str(data[start:at], "utf-8")
        except UnicodeDecodeError as error:
            raise malformed(f"input '{tensor.name[:40]}' holds a string that is not UTF-8: {error}") from error
    if at != len(data):
        raise _misfit(tensor, f"{len(data) - at} bytes of its binary data are left over")


def _misfit(tensor: Input, found: str) -> Exception:
    shape = str(tensor.shape)[:40]
    return malformed(f"input '{tensor.name[:40]}' is to be {tensor.datatype} of shape {shape}, but {found}")
