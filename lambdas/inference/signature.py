"""What a model takes, by its own `signature.json`: the front door refuses what the serving container would refuse.

Both name the same row and column, so that it makes no difference to a caller which of them has looked first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambdas.inference.column import Column, Value
from lambdas.inference.faults import Faults
from lambdas.inference.layout import AsTensor, InColumns, Layout
from lambdas.inference.problems import Problem
from lambdas.rollout.errors import PermanentError

SCHEMA = 1
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_RULES = ("dtype", "minimum", "maximum", "allow_missing")  # of a column, that a tensor may have too


class Signature:
    """What a model takes.

    Parameters
    ----------
    layout
        How its rows are laid out.
    outputs
        What its answers call its outputs.
    """

    def __init__(self, layout: Layout, outputs: Sequence[str] = ()) -> None:
        self._layout = layout
        self.outputs = tuple(outputs)

    @classmethod
    def from_document(cls, fields: Mapping[str, Any]) -> "Signature":
        """Read a model's `signature.json`.

        Raises
        ------
        PermanentError
            When it cannot be read, or says something that this front door does not know.
        """
        try:
            return cls(_layout(fields), [each["name"] for each in fields.get("outputs", ())])
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise PermanentError(
                f"the model's signature cannot be used ({type(error).__name__}: {error}); register the version again "
                "with a signature.json as docs/serving.md describes it, or deploy the front door anew"
            ) from error

    @property
    def names(self) -> tuple[str, ...] | None:
        """The columns' names in order; None for a model that takes a tensor."""
        return tuple(column.name for column in self._layout.columns) if isinstance(self._layout, InColumns) else None

    @property
    def width(self) -> int:
        """How many values a row has when it is written as one line of CSV."""
        return self._layout.width

    def check(self, instances: Sequence[Any]) -> list[list[Any]]:
        """Return instances as rows in the columns' order, their numbers as floats.

        Raises
        ------
        Problem
            Of the slug `invalid-input`, naming row and column, when the model does not take them.
        """
        if not instances:
            raise Problem("invalid-input", "there is no row; send at least one")
        # As in the container: that a value is out of range is said when every row could be read.
        rows = self._each(instances, self._layout.values)
        self._each(rows, self._hold)
        return [self._layout.shaped(row) for row in rows]

    def _each(self, rows: Sequence[Any], look: Callable[[Any, int, Faults], Any]) -> list[Any]:
        faults = Faults()
        found = [look(each, row, faults) for row, each in enumerate(rows, start=1)]
        faults.settle()
        return found

    def _hold(self, values: list[Value], row: int, faults: Faults) -> None:
        for position, (value, column) in enumerate(zip(values, self._layout.columns, strict=False)):
            if not column.takes(value):
                faults.add(row, column.refused(value), self._layout.name(position), value)

    def json_schema(self, most_rows: int | None = None) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of a body, which takes exactly what `check` takes."""
        rows = {"type": "array", "items": self._layout.schema(), "minItems": 1}
        return {
            "$schema": DIALECT,
            "title": "Instances to predict for",
            "type": "object",
            "properties": {"instances": rows if most_rows is None else rows | {"maxItems": most_rows}},
            "required": ["instances"],
            "additionalProperties": False,
        }


def _layout(fields: Mapping[str, Any]) -> Layout:
    if fields["schema"] != SCHEMA:
        raise ValueError(f"schema is {fields['schema']!r}, known is {SCHEMA}")
    if "row_shape" in fields:
        return _tensor(fields)
    columns = [Column.of(each) for each in fields["columns"]]
    if not columns or len({column.name for column in columns}) < len(columns):
        raise ValueError("columns is empty, or has a name twice")
    return InColumns(columns)


def _tensor(fields: Mapping[str, Any]) -> AsTensor:
    shape = tuple(fields["row_shape"])
    if not shape or not all(type(extent) is int and extent > 0 for extent in shape) or fields.get("columns"):
        raise ValueError(f"row_shape is {list(shape)}, needed are positive whole numbers, and no columns")
    rules = {key: fields[key] for key in _RULES if key in fields}
    return AsTensor(Column.of({"name": fields["tensor"], "dtype": "float32"} | rules), shape)
