"""How a model's rows are laid out: in columns, or as a tensor of one shape."""

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from math import prod
from typing import Any

from lambdas.inference.column import Column, Value, shown
from lambdas.inference.faults import Faults

_SHOWN = 40


class InColumns:
    """A list of all columns in their order, or a record of them by name.

    Parameters
    ----------
    columns
        In order.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self._names = {column.name: position for position, column in enumerate(columns)}

    @property
    def width(self) -> int:
        """How many values a row has."""
        return len(self.columns)

    def values(self, given: Any, row: int, faults: Faults) -> list[Value]:
        """Return the values of a list or of a record sent as a row (from 1); what is neither is a fault."""
        if isinstance(given, dict):
            return self._of_record(given, row, faults)
        if not isinstance(given, list):
            wanted = f"a list of {len(self.columns)} values, or an object of columns"
            faults.add(row, f"the row is {shown(given)}; send {wanted}", value=given)
        elif len(given) != len(self.columns):
            faults.add(row, f"the row has {len(given)} columns; send {self._taken()}")
        else:
            return _read(given, self.columns, self.name, row, faults)
        return []

    def _of_record(self, given: dict[str, Any], row: int, faults: Faults) -> list[Value]:
        absent = [name for name in self._names if name not in given]
        unknown = [name for name in given if name not in self._names]
        for name in absent:
            faults.add(row, f"the column is missing; send {self._taken()}", name)
        for name in unknown:
            faults.add(row, f"the model does not take it; send {self._taken()}", name[:_SHOWN])
        if absent or unknown:
            return []
        return _read([given[name] for name in self._names], self.columns, self.name, row, faults)

    def _taken(self) -> str:
        return ", ".join(self._names)

    def name(self, position: int) -> str:
        """Return what errors call the value at a position: its column's name."""
        return self.columns[position].name

    def shaped(self, values: list[Value]) -> list[Any]:
        """Return the values as they are."""
        return values

    def schema(self) -> dict[str, Any]:
        """Return the schema of a list or a record."""
        schemas = {column.name: column.schema() for column in self.columns}
        width = len(schemas)
        return {
            "anyOf": [
                {
                    "title": "The columns in their order",
                    "type": "array",
                    "prefixItems": list(schemas.values()),
                    "minItems": width,
                    "maxItems": width,
                },
                {
                    "title": "The columns by name",
                    "type": "object",
                    "properties": schemas,
                    "required": list(schemas),
                    "additionalProperties": False,
                },
            ]
        }


class AsTensor:
    """Nested lists of one shape, all of whose values are held to one column.

    Parameters
    ----------
    column
        What every value is held to; it has the tensor's name.
    shape
        Of a row.
    """

    def __init__(self, column: Column, shape: tuple[int, ...]) -> None:
        self._column = column
        self._shape = shape
        self.columns = repeat(column)

    @property
    def width(self) -> int:
        """How many values a row has."""
        return prod(self._shape)

    def values(self, given: Any, row: int, faults: Faults) -> list[Value]:
        """Return the values of nested lists sent as a row (from 1), in order; another shape is a fault."""
        level = [given]
        for extent in self._shape:
            if not all(isinstance(each, list) and len(each) == extent for each in level):
                wanted = f"nested lists of the shape {list(self._shape)}"
                faults.add(row, f"the row is not of the model's shape; send {wanted}", value=given)
                return []
            level = [value for each in level for value in each]
        return _read(level, repeat(self._column, prod(self._shape)), self.name, row, faults)

    def name(self, position: int) -> str:
        """Return what errors call the value at a position: the tensor's name with its index."""
        index: list[int] = []
        for extent in reversed(self._shape):
            position, last = divmod(position, extent)
            index.insert(0, last)
        return f"{self._column.name}[{', '.join(map(str, index))}]"

    def shaped(self, values: list[Value]) -> list[Any]:
        """Return the values as nested lists."""
        nested: list[Any] = values
        for extent in reversed(self._shape[1:]):
            nested = [nested[start : start + extent] for start in range(0, len(nested), extent)]
        return nested

    def schema(self) -> dict[str, Any]:
        """Return the schema of nested lists."""
        schema = self._column.schema()
        for extent in reversed(self._shape):
            schema = {"type": "array", "items": schema, "minItems": extent, "maxItems": extent}
        return schema


Layout = InColumns | AsTensor


def _read(
    given: Iterable[Any], columns: Iterable[Column], name: Callable[[int], str], row: int, faults: Faults
) -> list[Value]:
    values: list[Value] = []
    for position, (each, column) in enumerate(zip(given, columns, strict=True)):
        try:
            values.append(column.read(each))
        except TypeError:
            faults.add(row, column.kind_refused(each), name(position), each)
    return values
