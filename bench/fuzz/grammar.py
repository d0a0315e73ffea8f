"""What inputs are like before they are mutated: bodies of every content type, mostly right, some wrong on purpose."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.fuzz.inputs import Headers, Input
from model_containers.serving.serving.signature import Column, Signature

JSON, JSON_LINES, CSV, NPY = "application/json", "application/jsonlines", "text/csv", "application/x-npy"
TRITON = "application/vnd.sagemaker-triton.binary+json;json-header-size="
V2, V2_BINARY, V2_SAGEMAKER = "v2 JSON", "v2 binary", "v2 binary through SageMaker"
KINDS = (JSON, JSON_LINES, CSV, NPY, V2, V2_BINARY, V2_SAGEMAKER)

Inputs = st.SearchStrategy[Input]
Row = list[Any]

_NUMPY = {"FP32": "<f4", "FP64": "<f8", "FP16": "<f2", "INT64": "<i8", "UINT8": "u1"}
_odd_numbers: st.SearchStrategy[Any] = st.one_of(
    st.floats(), st.integers(), st.sampled_from([None, True, "1", "red", [], {}, 1e300, 2**53])
)
_accepts = st.sampled_from(
    [None, None, None, JSON, JSON, CSV, NPY, JSON_LINES, "*/*", "text/*", "image/png", "text/csv;q=0.5, */*"]
)
_said = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


def inputs(kind: str, signature: Signature) -> Inputs:
    """Return inputs of one of `KINDS` for a model."""
    if kind in (V2, V2_BINARY, V2_SAGEMAKER):
        return _v2_inputs(kind, signature)
    bodies = {JSON: _json, JSON_LINES: _json_lines, CSV: _csv, NPY: _npy}[kind](signature)
    return st.builds(lambda body, headers: Input("/invocations", headers, body), bodies, _headers(kind))


def _headers(content_type: str) -> st.SearchStrategy[Headers]:
    types = st.sampled_from([content_type, content_type, content_type, f"{content_type}; charset=utf-8"])

    def build(content: str, accept: str | None, said: str) -> Headers:
        headers = [("content-type", content), ("x-amzn-sagemaker-custom-attributes", said)]
        return (*headers, ("accept", accept)) if accept else tuple(headers)

    return st.builds(build, types, _accepts, _said)


def _cells(column: Column) -> st.SearchStrategy[Any]:
    if column.labels:
        return st.sampled_from(column.labels)
    if column.categories:
        return st.sampled_from(column.categories)
    least = -1e6 if column.minimum is None else column.minimum
    most = 1e6 if column.maximum is None else column.maximum
    return st.floats(least, most, width=32) if least == np.float32(least) else st.floats(least, most)


def _rows(signature: Signature, most: int = 5) -> st.SearchStrategy[list[Row]]:
    columns = signature.columns * signature.width if signature.is_tensor else signature.columns
    good = st.tuples(*map(_cells, columns)).map(list)
    odd = st.tuples(*[_cells(each) | _odd_numbers for each in columns]).map(list)
    torn = st.lists(_odd_numbers, max_size=signature.width + 2)
    return st.one_of(*[st.lists(each, min_size=1, max_size=most) for each in (good, good, good, good, odd, torn)])


def _instances(signature: Signature) -> st.SearchStrategy[list[Any]]:
    rows = _rows(signature)
    if signature.is_tensor:
        return rows.map(lambda given: [_nested(row, signature.row_shape) for row in given])
    names = [*signature.names, "extra", "more"]
    return rows | rows.map(lambda given: [dict(zip(names, row, strict=False)) for row in given])


def _nested(row: Row, shape: Sequence[int]) -> Any:
    inner = shape[-1]
    return [row[start : start + inner] for start in range(0, len(row), inner)]


def _json(signature: Signature) -> st.SearchStrategy[bytes]:
    instances = _instances(signature)
    columns = _rows(signature).map(lambda rows: _columns(rows, signature.names))
    odd = st.recursive(_odd_numbers | _said, lambda inner: st.lists(inner, max_size=3), max_leaves=8)
    whole = st.one_of(
        instances,
        st.builds(lambda given: {"instances": given}, instances),
        st.builds(lambda given: {"columns": given}, columns),
        st.builds(lambda given, more: {"instances": given, "parameters": more}, instances | odd, odd),
    )
    return whole.map(lambda value: json.dumps(value).encode())


def _columns(rows: list[Row], names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows if place < len(row)] for place, name in enumerate(names)}


def _json_lines(signature: Signature) -> st.SearchStrategy[bytes]:
    endings = st.sampled_from(["\n", "\r\n", "\n\n"])
    return st.builds(lambda given, ending: ending.join(map(json.dumps, given)).encode(), _instances(signature), endings)


def _csv(signature: Signature) -> st.SearchStrategy[bytes]:
    headers = st.sampled_from(["", "", ",".join(signature.names), ",".join(reversed(signature.names)), "no,such"])

    def build(rows: list[Row], header: str, ending: str, quoted: bool) -> bytes:
        lines = [",".join(_csv_cell(value, quoted) for value in row) for row in rows]
        return ending.join([header, *lines] if header else lines).encode()

    return st.builds(build, _rows(signature), headers, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())


def _csv_cell(value: Any, quoted: bool) -> str:
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if quoted or "," in text else text


def _npy(signature: Signature) -> st.SearchStrategy[bytes]:
    kinds = st.sampled_from(["<f4", "<f8", ">f4", ">f8", "<f2", "<i8", ">i4", "|u1", "|b1", "<U3", "<c8", "<M8[s]"])
    shapes = st.sampled_from([(signature.width,), signature.input_shape, (signature.width, 1), (1,), ()])
    orders, versions = st.sampled_from("CF"), st.sampled_from([1, 2, 3])
    fills = st.one_of(st.floats(), st.integers(0, 3).map(float))
    sizes = st.integers(0, 4)
    odd = st.builds(lambda count, shape, fill: np.full((count, *shape), fill), sizes, shapes, fills)
    good = st.lists(st.tuples(*_numbers(signature)), min_size=1, max_size=4).map(
        lambda rows: np.array(rows).reshape(len(rows), *signature.input_shape)
    )
    return st.builds(_npy_bytes, good, st.sampled_from(["<f4", "<f8", ">f8"]), orders, versions) | st.builds(
        _npy_bytes, good | odd, kinds, orders, versions
    )


def _numbers(signature: Signature) -> list[st.SearchStrategy[Any]]:
    """Return what the values of a row may be where labels go by their numbers."""
    columns = signature.columns * signature.width if signature.is_tensor else signature.columns
    return [st.integers(0, len(each.labels) - 1) if each.labels else _cells(each) for each in columns]


def _npy_bytes(array: NDArray[Any], kind: str, order: str, version: int) -> bytes:
    with np.errstate(all="ignore"):
        cast = array.astype(kind, order="F" if order == "F" else "C")
    written = io.BytesIO()
    np.lib.format.write_array(written, cast, version=(version, 0), allow_pickle=False)
    return written.getvalue()


def _v2_inputs(kind: str, signature: Signature) -> Inputs:
    tensors = _together(signature, kind) | _by_column(signature, kind)
    outputs = st.none() | st.lists(_asked(signature), max_size=3)
    fields = st.fixed_dictionaries({}, optional={"id": _said, "parameters": st.sampled_from([{}, {"x": 1}, None, 3])})

    def build(given: list[tuple[dict[str, Any], bytes]], asked: Any, more: dict[str, Any], shift: int) -> Input:
        described = {"inputs": [each for each, _ in given], **more, **({} if asked is None else {"outputs": asked})}
        head = json.dumps(described).encode()
        body = head + b"".join(data for _, data in given)
        return replace(_HOW[kind](body, max(len(head) + shift, 0)), json_size=None if kind == V2 else len(head))

    shifts = st.sampled_from([0] * 12 + [1, -1, 1000])
    return st.builds(build, tensors, outputs, fields, shifts)


_INFER = "/v2/models/model/infer"
_HOW: dict[str, Callable[[bytes, int], Input]] = {
    V2: lambda body, _size: Input(_INFER, (("content-type", JSON),), body),
    V2_BINARY: lambda body, size: Input(
        _INFER,
        (("content-type", "application/octet-stream"), ("inference-header-content-length", str(size))),
        body,
    ),
    V2_SAGEMAKER: lambda body, size: Input("/invocations", (("content-type", f"{TRITON}{size}"),), body),
}


def _asked(signature: Signature) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from([*[output.name for output in signature.outputs], "none"])
    parameters = st.sampled_from([{}, {"binary_data": True}, {"binary_data": False}, {"classification": 2}, 1])
    return st.builds(lambda name, given: {"name": name, "parameters": given}, names, parameters)


def _together(signature: Signature, kind: str) -> st.SearchStrategy[list[tuple[dict[str, Any], bytes]]]:
    def build(rows: list[Row], datatype: str) -> list[tuple[dict[str, Any], bytes]]:
        shape = [len(rows), *signature.input_shape]
        return [_tensor(signature.tensor, shape, datatype, [value for row in rows for value in row], kind)]

    return st.builds(
        build, _rows(signature), st.sampled_from([*_NUMPY, "FP32", "FP32", "FP64", "FP64", "BYTES", "BOOL"])
    )


def _by_column(signature: Signature, kind: str) -> st.SearchStrategy[list[tuple[dict[str, Any], bytes]]]:
    def build(rows: list[Row], datatype: str, is_deep: bool) -> list[tuple[dict[str, Any], bytes]]:
        tensors = []
        for name, values in _columns(rows, signature.names).items():
            strings = any(isinstance(value, str) for value in values)
            shape = [len(values), 1] if is_deep else [len(values)]
            tensors.append(_tensor(name, shape, "BYTES" if strings else datatype, values, kind))
        return tensors

    return st.builds(build, _rows(signature), st.sampled_from([*_NUMPY, "FP64", "FP64"]), st.booleans())


def _tensor(name: str, shape: list[int], datatype: str, values: Row, kind: str) -> tuple[dict[str, Any], bytes]:
    described = {"name": name, "shape": shape, "datatype": datatype}
    if kind == V2:
        return {**described, "data": values}, b""
    data = _bytes_of(values) if datatype == "BYTES" else _numbers_of(values, datatype)
    return {**described, "parameters": {"binary_data_size": len(data)}}, data


def _bytes_of(values: Row) -> bytes:
    elements = [str(value).encode() for value in values]
    return b"".join(len(each).to_bytes(4, "little") + each for each in elements)


def _numbers_of(values: Row, datatype: str) -> bytes:
    numbers = [float(each) if isinstance(each, int | float) and abs(each) < 1e300 else 0.0 for each in values]
    with np.errstate(all="ignore"):
        return np.array(numbers, np.float64).astype(_NUMPY.get(datatype, "<f4")).tobytes()
