"""What a window of live traffic held, as counts: the file `counts.json` of each window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdas.monitoring.profile.baseline import Baseline, check_version
from lambdas.monitoring.profile.document import parsed, written
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.number_tally import NumberTally
from lambdas.monitoring.profile.performance import PerformanceSums
from lambdas.monitoring.profile.reading import Fields
from lambdas.monitoring.profile.sample import Sample
from lambdas.monitoring.profile.tallies import Tally, add_tally, tally_of
from lambdas.monitoring.profile.text_counts import TextCounts
from lambdas.monitoring.profile.window_parts import Refusals, SliceCounts

SCHEMA_VERSION = 1


@dataclass
class WindowCounts:
    """Mutable: counts of a window.

    Parameters
    ----------
    endpoint, start, end
        Whose traffic, from when to before when (ISO 8601 UTC).
    baseline_id
        `Baseline.id` of the baseline whose bins were used.
    requests, rows
        Requests counted, and the rows in them.
    columns, outputs, confidence
        Counts of each input column and output, and of ``max(p, 1 - p)``.
    malformed
        Lines and rows that are not counted, by reason, with examples.
    unknown_columns
        Columns that the baseline does not know, and how many rows had them.
    versions, variants
        Rows of each model version and production variant.
    late
        Rows that came after their window was first counted.
    performance, slices
        Sums for the model's performance, over all rows and over those of ``column=level``.
    sample
        At most 1,000 rows, values in the order of the baseline's columns.
    """

    endpoint: str
    start: str
    end: str
    baseline_id: str
    requests: int = 0
    rows: int = 0
    columns: dict[str, Tally] = field(default_factory=dict)
    outputs: dict[str, Tally] = field(default_factory=dict)
    malformed: Refusals = field(default_factory=Refusals)
    unknown_columns: TextCounts = field(default_factory=TextCounts)
    versions: TextCounts = field(default_factory=TextCounts)
    variants: TextCounts = field(default_factory=TextCounts)
    late: int = 0
    confidence: NumberTally | None = None
    performance: PerformanceSums = field(default_factory=PerformanceSums)
    slices: dict[str, SliceCounts] = field(default_factory=dict)
    sample: Sample = field(default_factory=Sample)

    @classmethod
    def of(cls, baseline: Baseline, endpoint: str, start: str, end: str) -> WindowCounts:
        """Return counts of nothing yet, with the baseline's bins and levels."""
        counts = cls(endpoint, start, end, baseline.id)
        counts.columns = {name: reference.empty() for name, reference in baseline.columns.items()}
        counts.outputs = {name: reference.empty() for name, reference in baseline.outputs.items()}
        counts.confidence = baseline.confidence.empty() if baseline.confidence else None
        return counts

    def slice(self, name: str) -> SliceCounts:
        """Return the counts of a slice, ``column=level``, to add to."""
        return self.slices.setdefault(name, SliceCounts())

    def merge(self, other: WindowCounts) -> WindowCounts:
        """Add another's counts to these, and return these; the window becomes the one that spans both.

        Raises
        ------
        ProfileError
            If the endpoints, the baselines or the columns differ.
        """
        for name in ("endpoint", "baseline_id"):
            if getattr(self, name) != getattr(other, name):
                raise ProfileError(
                    f"counts.{name}",
                    getattr(other, name),
                    f"it differs from {getattr(self, name)!r}; count the window anew",
                )
        _merge_tallies(self.columns, other.columns, "counts.columns")
        _merge_tallies(self.outputs, other.outputs, "counts.outputs")
        if (self.confidence is None) != (other.confidence is None):
            raise ProfileError("counts.confidence", None, "only one of the two counts has it; count the window anew")
        if self.confidence and other.confidence:
            self.confidence.merge(other.confidence)
        self.start, self.end = min(self.start, other.start), max(self.end, other.end)
        self.requests += other.requests
        self.rows += other.rows
        self.late += other.late
        for name in ("malformed", "unknown_columns", "versions", "variants", "performance", "sample"):
            getattr(self, name).merge(getattr(other, name))
        for name, part in other.slices.items():
            self.slice(name).merge(part)
        return self

    def text(self) -> str:
        """Return the file's text: the same bytes for the same counts."""
        return written(self.to_json())

    @classmethod
    def of_text(cls, text: str | bytes, where: str = "counts") -> WindowCounts:
        """Read the file's text; raises `ProfileError` where it is malformed."""
        return cls.from_json(parsed(text, where), where)

    def to_json(self) -> dict[str, object]:
        """Return the counts for JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "endpoint": self.endpoint,
            "start": self.start,
            "end": self.end,
            "baseline_id": self.baseline_id,
            "requests": self.requests,
            "rows": self.rows,
            "columns": {name: tally.to_json() for name, tally in self.columns.items()},
            "outputs": {name: tally.to_json() for name, tally in self.outputs.items()},
            "malformed": self.malformed.to_json(),
            "unknown_columns": self.unknown_columns.to_json(),
            "versions": self.versions.to_json(),
            "variants": self.variants.to_json(),
            "late": self.late,
            "confidence": self.confidence.to_json() if self.confidence else None,
            "performance": self.performance.to_json(),
            "slices": {name: part.to_json() for name, part in self.slices.items()},
            "sample": self.sample.to_json(),
        }

    @classmethod
    def from_json(cls, value: object, where: str = "counts") -> WindowCounts:
        """Read counts; raises `ProfileError` where they are malformed or of a version that is not known."""
        fields = Fields(value, where)
        check_version(fields, SCHEMA_VERSION)
        slices = fields.inner("slices")
        return cls(
            endpoint=fields.text("endpoint"),
            start=fields.text("start"),
            end=fields.text("end"),
            baseline_id=fields.text("baseline_id"),
            requests=fields.integer("requests"),
            rows=fields.integer("rows"),
            columns=_tallies(fields.inner("columns")),
            outputs=_tallies(fields.inner("outputs")),
            malformed=Refusals.from_json(fields.any("malformed"), fields.path("malformed")),
            unknown_columns=TextCounts.from_json(fields.any("unknown_columns"), fields.path("unknown_columns")),
            versions=TextCounts.from_json(fields.any("versions"), fields.path("versions")),
            variants=TextCounts.from_json(fields.any("variants"), fields.path("variants")),
            late=fields.integer("late"),
            confidence=_confidence(fields),
            performance=PerformanceSums.from_json(fields.any("performance"), fields.path("performance")),
            slices={name: SliceCounts.from_json(slices.any(name), slices.path(name)) for name in slices.names()},
            sample=Sample.from_json(fields.any("sample"), fields.path("sample")),
        )


def _confidence(fields: Fields) -> NumberTally | None:
    if not fields.has("confidence"):
        return None
    return NumberTally.from_json(fields.any("confidence"), fields.path("confidence"))


def _tallies(fields: Fields) -> dict[str, Tally]:
    return {name: tally_of(fields.any(name), fields.path(name)) for name in fields.names()}


def _merge_tallies(mine: dict[str, Tally], theirs: Mapping[str, Tally], where: str) -> None:
    if mine.keys() != theirs.keys():
        raise ProfileError(where, sorted(theirs), f"they differ from {sorted(mine)}; count the window anew")
    for name, tally in mine.items():
        add_tally(tally, theirs[name], f"{where}.{name}")
