"""Readers so plain that they are right: the standard library's and NumPy's, with no limits and no strictness."""

import csv
import io
import json
from typing import Any

import numpy as np

from model_containers.serving.serving.signature import Signature

MISSING = ("", "nan", "null", "na")


def read_json(body: bytes, model: Signature) -> np.ndarray:
    content = json.loads(body)
    if isinstance(content, dict) and "columns" in content:
        columns = content["columns"]
        return _rows([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)], model)
    return _rows(content["instances"] if isinstance(content, dict) else content, model)


def read_json_lines(body: bytes, model: Signature) -> np.ndarray:
    return _rows([json.loads(line) for line in body.split(b"\n") if line.strip()], model)


def read_csv(body: bytes, model: Signature) -> np.ndarray:
    lines = [
        line
        for line in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
        if "".join(line).strip() or len(line) > 1
    ]
    lines = [[cell.strip() for cell in line] for line in lines]
    first = [cell.strip('"') for cell in lines[0]]
    if not model.is_tensor and sorted(first) == sorted(model.names):
        order = [first.index(name) for name in model.names]
        lines = [[line[place] for place in order] for line in lines[1:]]
    return np.array([[_cell(cell, position, model) for position, cell in enumerate(line)] for line in lines])


def read_npy(body: bytes, model: Signature) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.load(io.BytesIO(body), allow_pickle=False).astype(np.float64).reshape(-1, model.width)


def read_infer(head: bytes, data: bytes, model: Signature) -> np.ndarray:
    tensors = {}
    for each in json.loads(head)["inputs"]:
        size = each.get("parameters", {}).get("binary_data_size")
        if size is None:
            values = np.array(each["data"], dtype=object).reshape(-1)
        elif each["datatype"] == "BYTES":
            values, data = _strings(data[:size]), data[size:]
        else:
            kind = each["datatype"].replace("FP", "float").replace("UINT", "uint").replace("INT", "int")
            values, data = np.frombuffer(data[:size], np.dtype(kind).newbyteorder("<")), data[size:]
        tensors[each["name"]] = values
    if len(tensors) == 1:
        cells = next(iter(tensors.values())).reshape(-1, model.width)
    else:
        cells = np.column_stack([tensors[name].astype(object) for name in model.names])
    return np.array([[as_number(cell, position, model) for position, cell in enumerate(row)] for row in cells.tolist()])


def _strings(data: bytes) -> np.ndarray:
    found = []
    while data:
        length = int.from_bytes(data[:4], "little")
        found.append(data[4 : 4 + length].decode())
        data = data[4 + length :]
    return np.array(found, dtype=object)


def _rows(instances: list[Any], model: Signature) -> np.ndarray:
    rows = [[each[name] for name in model.names] if isinstance(each, dict) else each for each in instances]
    if model.is_tensor:
        return np.array(rows, dtype=np.float64).reshape(len(rows), -1)
    return np.array([[as_number(value, position, model) for position, value in enumerate(row)] for row in rows])


def as_number(value: Any, position: int, model: Signature) -> float:
    """Return a cell's number: a label's index, and NaN for what is missing."""
    if value is None:
        return np.nan
    labels = () if model.is_tensor else model.columns[position].labels
    return float(labels.index(value) if isinstance(value, str) else value)


def _cell(cell: str, position: int, model: Signature) -> float:
    labels = () if model.is_tensor else model.columns[position].labels
    if cell in labels:
        return float(labels.index(cell))
    return np.nan if cell.lower() in MISSING else float(cell)
