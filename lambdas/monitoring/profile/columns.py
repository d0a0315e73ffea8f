"""Which columns a model reads, and what kind each is."""

from dataclasses import dataclass
from enum import StrEnum

from lambdas.monitoring.profile.errors import ProfileError


class Kind(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    CATEGORY = "category"


@dataclass(frozen=True)
class Column:
    """A column: its name, and ``number`` or ``category``."""

    name: str
    kind: Kind | str

    def __post_init__(self) -> None:
        if self.kind not in ("number", "category"):
            raise ProfileError(f"column {self.name}", self.kind, "a column is a number or a category")
        object.__setattr__(self, "kind", Kind(self.kind))

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers."""
        return self.kind == Kind.NUMBER


@dataclass(frozen=True)
class Schema:
    """Columns in the order in which a model reads them."""

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        names = self.names
        twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
        if twice is not None:
            raise ProfileError("schema", twice, "a column's name may stand only once; rename one of them")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)
