"""Parts of a window's counts: what was refused and why, and slices of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.performance import PerformanceSums
from lambdas.monitoring.profile.reading import Fields
from lambdas.monitoring.profile.text_counts import TEXT_CHARACTERS

EXAMPLES = 3


@dataclass(frozen=True, order=True)
class Example:
    """Where something was refused: the file, the line's number from 1, and what is wrong with it."""

    file: str
    line: int
    why: str

    def to_json(self) -> dict[str, object]:
        """Return the example for JSON."""
        return {"file": self.file, "line": self.line, "why": self.why}

    @classmethod
    def from_json(cls, fields: Fields) -> Example:
        """Read an example; raises `ProfileError` where it is malformed."""
        return cls(fields.text("file"), fields.integer("line"), fields.text("why"))


class Refusals(Mapping[str, int]):
    """Mutable: what was not counted, by reason, with the first three examples of each in the order of file and line.

    Reads as a mapping from reason to how often. Reasons are a closed set, chosen by the code that refuses.
    """

    __slots__ = ("_counts", "_examples")

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, list[Example]] = {}

    def __getitem__(self, reason: str) -> int:
        return self._counts[reason]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._counts))

    def __len__(self) -> int:
        return len(self._counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refusals) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"Refusals({dict(self)})"

    @property
    def total(self) -> int:
        """How much was refused, for whatever reason."""
        return sum(self._counts.values())

    def examples(self, reason: str) -> tuple[Example, ...]:
        """Return the first examples of a reason."""
        return tuple(self._examples.get(reason, ()))

    def add(self, reason: str, file: str, line: int, why: str, times: int = 1) -> None:
        """Count what was refused; `why` is cut to 200 characters."""
        self._add(reason, times, [Example(file, line, why[: 2 * TEXT_CHARACTERS])])

    def merge(self, other: Refusals) -> Refusals:
        """Add another's to these, and return these."""
        for reason, times in other._counts.items():
            self._add(reason, times, other._examples[reason])
        return self

    def to_json(self) -> dict[str, object]:
        """Return counts and examples for JSON."""
        return {
            reason: {"count": times, "examples": [example.to_json() for example in self._examples[reason]]}
            for reason, times in self._counts.items()
        }

    @classmethod
    def from_json(cls, value: object, where: str = "malformed") -> Refusals:
        """Read what was refused; raises `ProfileError` where it is malformed."""
        fields = Fields(value, where)
        refusals = cls()
        for reason in fields.names():
            part = fields.inner(reason)
            examples = [Example.from_json(item) for item in part.objects("examples")]
            if len(examples) > EXAMPLES:
                raise ProfileError(part.path("examples"), len(examples), f"at most {EXAMPLES} are kept")
            refusals._add(reason, part.integer("count", least=1), examples)
        return refusals

    def _add(self, reason: str, times: int, examples: list[Example]) -> None:
        self._counts[reason] = self._counts.get(reason, 0) + times
        kept = self._examples.setdefault(reason, [])
        if len(kept) < EXAMPLES or min(examples, default=kept[-1]) < kept[-1]:
            self._examples[reason] = sorted([*kept, *examples])[:EXAMPLES]


@dataclass
class SliceCounts:
    """Mutable: rows of a slice, and the model's performance on them."""

    rows: int = 0
    performance: PerformanceSums = field(default_factory=PerformanceSums)

    def merge(self, other: SliceCounts) -> SliceCounts:
        """Add another's counts to these, and return these."""
        self.rows += other.rows
        self.performance.merge(other.performance)
        return self

    def to_json(self) -> dict[str, object]:
        """Return the counts for JSON."""
        return {"rows": self.rows, "performance": self.performance.to_json()}

    @classmethod
    def from_json(cls, value: object, where: str = "slice") -> SliceCounts:
        """Read counts; raises `ProfileError` where they are malformed."""
        fields = Fields(value, where)
        performance = PerformanceSums.from_json(fields.any("performance"), fields.path("performance"))
        return cls(fields.integer("rows"), performance)
