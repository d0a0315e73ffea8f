"""One inference request of the Open Inference Protocol: reading it, remembering what it asks for, answering."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import orjson
from msgspec import UNSET
from numpy.typing import NDArray

from ...problems import malformed, too_many_rows
from ..exchange import Outputs, Rows, Written
from ..json_body import ALLOWANCE
from ..table import FLOAT64, Table, check_extent
from ..texts import json_array
from . import tensors
from .schema import AskedOutput, Input, Request, parse

JSON = "application/json"
BINARY = "application/octet-stream"
HEADER_LENGTH = "inference-header-content-length"
SAGEMAKER_TYPE = "application/vnd.sagemaker-triton.binary+json;json-header-size="
MARKS = (b",", b"[", b"{")
_INPUT_MARKS = 12  # of an input's own JSON, beside its data


class Model:
    """The model as the protocol names it, and what of that is the same for every request."""

    def __init__(self, table: Table, name: str, version: str) -> None:
        self.table = table
        self.name = name
        self.version = version
        self.outputs = [output.name for output in table.signature.outputs]
        # Nested by columns, every value may have brackets of its own.
        self.most_marks = (table.max_rows + 1) * (2 * table.width + 1) + (table.width + 1) * _INPUT_MARKS + ALLOWANCE
        self.head = b'{"model_name":%b,"model_version":%b,' % (orjson.dumps(name), orjson.dumps(version))
        # Positions of outputs, and whether they are asked for as binary data.
        self.all_as_json = [(position, False) for position in range(len(self.outputs))]
        self.all_as_bytes = [(position, True) for position in range(len(self.outputs))]


class InferExchange:
    """Reads one request, and writes the answer that it asked for.

    Parameters
    ----------
    model
        Whose input and outputs they are.
    json_size
        How many bytes of the body are JSON; None for all of them.
    in_content_type
        Whether a binary answer says so in its Content-Type, as through SageMaker, rather than in a header of its own.
    """

    __slots__ = ("_asked", "_id", "_in_content_type", "_json_size", "_model")

    def __init__(self, model: Model, json_size: int | None, *, in_content_type: bool = False) -> None:
        self._model = model
        self._json_size = json_size
        self._in_content_type = in_content_type
        self._id: str | None = None
        self._asked = model.all_as_json

    def read(self, body: bytes) -> Rows:
        """Return the rows of a request."""
        size = len(body) if self._json_size is None else self._json_size
        if size > len(body):
            raise malformed(f"the JSON is to take {size} bytes; the body has {len(body)}")
        head = body[:size]
        check_extent(head, MARKS, self._model.most_marks, self._model.table.max_rows)
        request = parse(head)
        self._remember(request)
        return _rows(_arrays(request.inputs, memoryview(body)[size:], self._model.table), self._model.table)

    def write(self, outputs: Outputs) -> Written:
        """Return the answer: the outputs asked for, in the order and the form asked for."""
        described, data = [], []
        for position, binary in self._asked:
            output, name = outputs[position], self._model.outputs[position]
            if binary:
                data.append(tensors.to_bytes(output))
            described.append(_described(name, output, len(data[-1]) if binary else None))
        head = self._head() + b'"outputs":[' + b",".join(described) + b"]}"
        if not data:
            return Written(JSON, head)
        if self._in_content_type:
            return Written(f"{SAGEMAKER_TYPE}{len(head)}", b"".join([head, *data]))
        return Written(BINARY, b"".join([head, *data]), {HEADER_LENGTH: str(len(head))})

    def _remember(self, request: Request) -> None:
        self._id = None if request.id is UNSET else request.id
        default = request.parameters.binary_data_output
        names = [output.name for output in request.outputs or ()]
        if len(set(names)) < len(names):
            raise malformed("an output is asked for twice; ask for each once")
        if request.outputs:
            self._asked = [_asked(output, self._model.outputs, default) for output in request.outputs]
        elif default:
            self._asked = self._model.all_as_bytes

    def _head(self) -> bytes:
        return self._model.head if self._id is None else b'%b"id":%b,' % (self._model.head, orjson.dumps(self._id))


def _asked(output: AskedOutput, names: Sequence[str], binary_by_default: bool) -> tuple[int, bool]:
    if output.name not in names:
        raise malformed(f"there is no output '{output.name[:40]}'; the model gives {', '.join(names)}")
    if output.parameters.classification is not UNSET:
        raise malformed(
            f"output '{output.name}' is asked for as a classification, which is not done here; leave it out"
        )
    binary = output.parameters.binary_data
    return names.index(output.name), binary_by_default if binary is UNSET else binary


def _arrays(inputs: Sequence[Input], data: memoryview, table: Table) -> dict[str, NDArray[Any]]:
    """Return the tensors of a request by name."""
    arrays: dict[str, NDArray[Any]] = {}
    start = 0
    for tensor in inputs:
        if tensor.name in arrays:
            raise malformed(f"there are two inputs '{tensor.name[:40]}'; send each once")
        tensors.check_datatype(tensor)
        shape = _shape(tensor, len(inputs) == 1 and tensor.name == table.signature.tensor, table)
        size = tensor.parameters.binary_data_size
        if (size is UNSET) == (tensor.data is UNSET):
            raise malformed(f"input '{tensor.name[:40]}' needs either data or the parameter binary_data_size")
        if size is UNSET:
            arrays[tensor.name] = tensors.from_json(tensor, shape)
        else:
            arrays[tensor.name] = tensors.from_bytes(tensor, shape, _slice(tensor, data, start, size))
            start += size
    if start != len(data):
        raise malformed(f"the inputs take {start} bytes of binary data; the body has {len(data)}")
    return arrays


def _slice(tensor: Input, data: memoryview, start: int, size: int) -> memoryview:
    if start + size > len(data):
        left = len(data) - start
        way_out = f"say in {HEADER_LENGTH} where the JSON ends"
        raise malformed(
            f"input '{tensor.name[:40]}' has {size} bytes of binary data; the body has {left} left; {way_out}"
        )
    return data[start : start + size]


def _shape(tensor: Input, whole: bool, table: Table) -> tuple[int, ...]:
    """Return an input's shape, which is checked before anything is allocated."""
    shape = tuple(tensor.shape)
    allowed = [table.signature.input_shape] if whole else []
    if tensor.name in table.names:
        allowed += [(), (1,)]
    if not allowed:
        wanted = f"{table.signature.tensor}" + (f", or one tensor each of {table.taken()}" if table.names else "")
        raise malformed(f"there is no input '{tensor.name[:40]}'; the model takes {wanted}")
    if not shape or shape[1:] not in allowed:
        wanted = ", ".join(map(str, ("rows", *allowed[0])))
        raise malformed(f"input '{tensor.name[:40]}' has shape {str(tensor.shape)[:40]}; the model takes [{wanted}]")
    if shape[0] > table.max_rows:
        raise too_many_rows(table.max_rows)
    return shape


def _rows(arrays: dict[str, NDArray[Any]], table: Table) -> Rows:
    """Return the rows that the tensors make: of one for all columns, or one for each."""
    if len(arrays) == 1:
        array = next(iter(arrays.values()))
        if prod(array.shape[1:]) == table.width and (table.signature.tensor in arrays or table.width == 1):
            table.check_count(len(array))
            return _table_of(array.reshape(len(array), table.width), table)
    absent = [name for name in table.names if name not in arrays]
    if absent or not arrays:
        raise malformed(
            f"input '{(absent or [table.signature.tensor])[0]}' is missing; the model takes {table.taken()}"
        )
    lengths = {name: len(arrays[name]) for name in table.names}
    if len(set(lengths.values())) > 1:
        raise malformed(f"the inputs differ in length: {lengths}")
    columns = [arrays[name].reshape(-1) for name in table.names]
    table.check_count(len(columns[0]))
    rows = np.empty((len(columns[0]), table.width))
    for position, column in enumerate(columns):
        rows[:, position] = _column(column, position, table)
    return rows


def _table_of(array: NDArray[Any], table: Table) -> Rows:
    if array.dtype in (np.float32, FLOAT64):
        return array
    if array.dtype != object:
        return array.astype(FLOAT64)
    return np.column_stack([_column(array[:, position], position, table) for position in range(table.width)])


def _column(values: NDArray[Any], position: int, table: Table) -> NDArray[Any]:
    """Return a column's numbers: those sent, or the indices of its labels."""
    if values.dtype != object:
        return values
    known = table.labels[position] if table.labels else None
    for row, value in enumerate(values):
        if known is None or value not in known:
            raise table.refusal(repr(value)[:40], row, position)
    return np.array([known[value] for value in values], FLOAT64) if known else values


def _described(name: str, output: NDArray[Any], binary_size: int | None) -> bytes:
    described = b'{"name":%b,"datatype":"%b","shape":%b,' % (
        orjson.dumps(name),
        tensors.datatype_of(output).encode(),
        orjson.dumps(output.shape),
    )
    if binary_size is None:
        return described + b'"data":' + json_array(output.reshape(-1)) + b"}"
    return described + b'"parameters":{"binary_data_size":%d}}' % binary_size
