"""The model's own statement of what goes in and what comes out: ``signature.json`` beside ``model.onnx``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from .errors import StartError

SCHEMA = 1
DTYPES = ("float32", "int64")
MISSING = float("nan")
_RULES = ("dtype", "minimum", "maximum", "allow_missing")  # of a column, that a tensor may have too
WIDEST = 25 * 1024 * 1024
"""Values of one row: more do not fit a body at a byte each."""


class SignatureError(StartError):
    """The model's signature cannot be used."""


@dataclass(frozen=True)
class Column:
    """One input column; a bound that is None does not bind.

    With `labels`, callers send one of these strings and the model gets its index; with `categories`, a value must be
    one of these numbers.
    """

    name: str
    dtype: str
    minimum: float | None
    maximum: float | None
    allow_missing: bool
    categories: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """One output: its name in answers and the ONNX output that it is read from."""

    name: str
    tensor: str


@dataclass(frozen=True)
class Signature:
    """What a model takes and gives.

    A model takes either columns, or a tensor of (rows, `*row_shape`), whose values are then all held to the one column
    of `columns`, named as the tensor.
    """

    tensor: str
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    sample: NDArray[np.float64]
    execution_providers: tuple[str, ...]
    row_shape: tuple[int, ...] = field(default=(), kw_only=True)

    @property
    def names(self) -> list[str]:
        """The names of the input columns, in order; of a tensor, its own."""
        return [column.name for column in self.columns]

    @property
    def is_tensor(self) -> bool:
        """Whether the model takes a tensor without columns."""
        return bool(self.row_shape)

    @property
    def width(self) -> int:
        """How many values a row holds."""
        return prod(self.row_shape) if self.is_tensor else len(self.columns)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one row as the model takes it."""
        return self.row_shape or (len(self.columns),)

    def column_name(self, position: int) -> str:
        """Return what the value at a position of a row is called in errors."""
        if not self.is_tensor:
            return self.columns[position].name
        return f"{self.tensor}[{', '.join(str(each) for each in np.unravel_index(position, self.row_shape))}]"

    @classmethod
    def load(cls, path: Path) -> "Signature":
        """Read a signature file.

        Raises
        ------
        SignatureError
            Naming the file, and what in it cannot be used.
        """
        try:
            return cls.from_dict(orjson.loads(path.read_bytes()))
        except OSError as error:
            raise SignatureError(
                f"{path} cannot be read: {error.strerror}; put it beside model.onnx, readable"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SignatureError(f"{path} is not a model signature: {_reason(error)}") from error

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Signature":
        """Build a signature from the parsed file.

        Raises
        ------
        ValueError, KeyError, TypeError
            Naming the field, its value and what is allowed.
        """
        if fields["schema"] != SCHEMA:
            raise ValueError(f"schema is {fields['schema']!r}; this container reads {SCHEMA}")
        row_shape = _row_shape(fields)
        columns = (_every_value(fields),) if row_shape else _columns(fields["columns"])
        sample = _tensor_sample(fields, row_shape, columns[0]) if row_shape else _sample(fields["sample"], columns)
        outputs = tuple(Output(each["name"], each["tensor"]) for each in fields["outputs"])
        providers = tuple(fields.get("execution_providers", ()))
        return cls(fields["tensor"], columns, outputs, sample, providers, row_shape=row_shape)


def _reason(error: Exception) -> str:
    if isinstance(error, orjson.JSONDecodeError):
        return f"it is not JSON: {error}; copy or write it again"
    if isinstance(error, KeyError):
        return f"{error} is missing; {_NEEDED}"
    if isinstance(error, ValueError):
        return str(error)
    return f"something is not of its kind ({error}); {_NEEDED}"


_NEEDED = (
    "needed is an object of schema, tensor, outputs (each with name and tensor), and either columns (each with name "
    "and dtype) and sample, or row_shape"
)


def _row_shape(fields: Mapping[str, Any]) -> tuple[int, ...]:
    if "row_shape" not in fields:
        return ()
    shape = tuple(fields["row_shape"])
    if not shape or not all(type(extent) is int and extent > 0 for extent in shape) or prod(shape) > WIDEST:
        raise ValueError(
            f"row_shape is {list(shape)}; needed is a list of positive whole numbers, such as [3, 224, 224]"
        )
    if fields.get("columns"):
        raise ValueError("there are both row_shape and columns; a model takes the one or the other")
    return shape


def _every_value(fields: Mapping[str, Any]) -> Column:
    """Return what all values of a tensor are held to, as a column with the tensor's name."""
    if "categories" in fields:
        raise ValueError("a tensor has categories; only columns can have them")
    return _column(
        {"name": fields["tensor"], "dtype": "float32"} | {key: fields[key] for key in _RULES if key in fields}
    )


def _columns(given: list[Mapping[str, Any]]) -> tuple[Column, ...]:
    columns = tuple(_column(each) for each in given)
    if not columns:
        raise ValueError("columns is empty; name the model's input columns, or give row_shape")
    names = [column.name for column in columns]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"there are two columns {twice[0]!r}; give each a name of its own")
    return columns


def _column(fields: Mapping[str, Any]) -> Column:
    name, least, most = fields["name"], fields.get("minimum"), fields.get("maximum")
    unknown = sorted(fields.keys() - _COLUMN_KEYS)
    if unknown:  # a bound that is misspelt would not bind
        raise ValueError(f"column {name!r} has {unknown[0]!r}; allowed are {', '.join(sorted(_COLUMN_KEYS))}")
    if fields["dtype"] not in DTYPES:
        raise ValueError(f"column {name!r} has dtype {fields['dtype']!r}; allowed is one of {DTYPES}")
    if least is not None and most is not None and least > most:
        raise ValueError(f"column {name!r} has minimum {least} above maximum {most}")
    categories = tuple(fields.get("categories") or ())
    numbers = categories if _all_of(categories, int, float) else ()
    labels = categories if _all_of(categories, str) else ()
    if len(set(categories)) < len(categories) or (categories and not (numbers or labels)):
        raise ValueError(
            f"column {name!r} has categories {categories[:5]}; needed are distinct numbers, or distinct strings"
        )
    if labels and not (least is None and most is None):
        raise ValueError(f"column {name!r} has categories of strings and a range; leave out minimum and maximum")
    missing = bool(fields.get("allow_missing", False))
    return Column(name, fields["dtype"], least, most, missing, tuple(map(float, numbers)), labels)


_COLUMN_KEYS = frozenset({"name", "dtype", "minimum", "maximum", "allow_missing", "categories"})


def _all_of(values: tuple[Any, ...], *types: type) -> bool:
    # By identity: to Python, true is an int.
    return all(type(value) in types for value in values)


def _sample(given: list[list[Any]], columns: tuple[Column, ...]) -> NDArray[np.float64]:
    if not given or not all(isinstance(row, list) and len(row) == len(columns) for row in given):
        raise ValueError(f"sample is not what is needed: at least one row of {len(columns)} columns")
    rows = [[_encoded(value, column) for value, column in zip(row, columns, strict=True)] for row in given]
    return np.array(rows, dtype=np.float64)


def _encoded(value: Any, column: Column) -> Any:
    if not column.labels or value is None:
        return value
    if value not in column.labels:
        raise ValueError(f"sample has {value!r} in column {column.name!r}; allowed is one of {column.labels}")
    return column.labels.index(value)


def _tensor_sample(fields: Mapping[str, Any], row_shape: tuple[int, ...], every: Column) -> NDArray[np.float64]:
    """Return the sample as rows of values; without one, a row of the value nearest to zero that is allowed."""
    if fields.get("sample") is None:
        least = -np.inf if every.minimum is None else every.minimum
        most = np.inf if every.maximum is None else every.maximum
        return np.full((1, prod(row_shape)), min(max(0.0, least), most))
    sample = np.array(fields["sample"], dtype=np.float64)
    if sample.ndim < 2 or len(sample) < 1 or sample.shape[1:] != row_shape:
        raise ValueError(f"sample has shape {sample.shape}; needed is (rows, {', '.join(map(str, row_shape))})")
    return sample.reshape(len(sample), -1)
