"""The model's own statement of what goes in and what comes out: ``signature.json`` beside ``model.onnx``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

SCHEMA = 1
DTYPES = ("float32", "int64")


class SignatureError(Exception):
    """The model's signature cannot be used."""


@dataclass(frozen=True)
class Column:
    """One input column; a bound that is None does not bind."""

    name: str
    dtype: str
    minimum: float | None
    maximum: float | None
    allow_missing: bool


@dataclass(frozen=True)
class Output:
    """One output: its name in answers and the ONNX output that it is read from."""

    name: str
    tensor: str


@dataclass(frozen=True)
class Signature:
    """What a model takes and gives."""

    tensor: str
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    sample: NDArray[np.float64]
    execution_providers: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The names of the input columns, in order."""
        return [column.name for column in self.columns]

    @classmethod
    def load(cls, path: Path) -> "Signature":
        """Read a signature file."""
        try:
            return cls.from_dict(orjson.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SignatureError(f"{path} is not a model signature: {type(error).__name__}: {error}") from error

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Signature":
        """Build a signature from the parsed file."""
        if fields["schema"] != SCHEMA:
            raise ValueError(f"schema is {fields['schema']!r}; this container reads {SCHEMA}")
        columns = tuple(_column(each) for each in fields["columns"])
        sample = np.array(fields["sample"], dtype=np.float64)
        if sample.ndim != 2 or sample.shape[0] < 1 or sample.shape[1] != len(columns):
            raise ValueError(f"sample has shape {sample.shape}; needed are rows of {len(columns)} columns")
        outputs = tuple(Output(each["name"], each["tensor"]) for each in fields["outputs"])
        return cls(fields["tensor"], columns, outputs, sample, tuple(fields.get("execution_providers", ())))


def _column(fields: Mapping[str, Any]) -> Column:
    if fields["dtype"] not in DTYPES:
        raise ValueError(f"column {fields['name']!r} has dtype {fields['dtype']!r}; allowed is one of {DTYPES}")
    missing = bool(fields.get("allow_missing", False))
    return Column(fields["name"], fields["dtype"], fields.get("minimum"), fields.get("maximum"), missing)
