"""What a model was trained on, as counts: the file `baseline.json` beside each model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from lambdas.monitoring.profile.calibration import Calibration
from lambdas.monitoring.profile.columns import Schema
from lambdas.monitoring.profile.document import identity, parsed, written
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.number_tally import NumberTally
from lambdas.monitoring.profile.quality import OutputRoles, Quality
from lambdas.monitoring.profile.reading import Cell, Fields
from lambdas.monitoring.profile.references import NumberReference, Reference, column_of, reference_of
from lambdas.monitoring.profile.sample import SAMPLE_ROWS, Sample, place_of, read_sample, row_key, sample_json

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Baseline:
    """Counts of a model's training rows, outputs and quality.

    Parameters
    ----------
    model_version
        Version of the model.
    created_at
        ISO 8601 UTC.
    rows
        Rows counted.
    columns, outputs
        Baseline of each input column, in the model's order, and of each output.
    output_roles
        Which output is the probability, which the prediction.
    quality
        Measured on labelled rows; None without labels.
    calibration
        From probabilities to observed frequencies; None without labels or a probability.
    confidence
        Baseline of ``max(p, 1 - p)``; None without a probability.
    sample
        At most 1,000 rows, values in the order of `columns`.
    sample_keys
        Keys by which the sample merges, see `sample.py`; made from the model's version where none are given.
    schema_version
        Version of this structure.
    """

    model_version: str
    created_at: str
    rows: int
    columns: Mapping[str, Reference]
    outputs: Mapping[str, Reference]
    output_roles: OutputRoles = field(default_factory=OutputRoles)
    quality: Quality | None = None
    calibration: Calibration | None = None
    confidence: NumberReference | None = None
    sample: tuple[tuple[Cell, ...], ...] = ()
    sample_keys: tuple[int, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        place = place_of(self.model_version)
        self._keep(self.sample_keys or tuple(row_key(place, line) for line in range(len(self.sample))))
        if any(len(row) != len(self.columns) for row in self.sample):
            raise ProfileError("baseline.sample", self.sample, f"each row must have {len(self.columns)} values")
        for role in (self.output_roles.probability, self.output_roles.prediction):
            if role is not None and role not in self.outputs:
                raise ProfileError(
                    "baseline.output_roles", role, f"there is no such output; name one of {list(self.outputs)}"
                )

    @cached_property
    def id(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the file's text."""
        return identity(self.text())

    @property
    def schema(self) -> Schema:
        """The model's input columns."""
        return Schema(tuple(column_of(name, reference) for name, reference in self.columns.items()))

    def merge(self, other: Baseline) -> Baseline:
        """Return the baseline of both sets of rows, counted with the same bins for the same model.

        Raises
        ------
        ProfileError
            If models, columns, bins, levels, roles or calibrations differ.
        """
        for name in ("schema_version", "model_version", "output_roles", "calibration"):
            if getattr(self, name) != getattr(other, name):
                raise ProfileError(
                    f"baseline.{name}",
                    getattr(other, name),
                    f"it differs from {getattr(self, name)!r}; build one baseline instead",
                )
        merged = self._kept().merge(other._kept())
        qualities = [quality for quality in (self.quality, other.quality) if quality]
        return replace(
            self,
            created_at=max(self.created_at, other.created_at),
            rows=self.rows + other.rows,
            columns=_merged(self.columns, other.columns, "columns"),
            outputs=_merged(self.outputs, other.outputs, "outputs"),
            quality=qualities[0].merge(qualities[1]) if len(qualities) == 2 else next(iter(qualities), None),
            confidence=self._merged_confidence(other),
            sample=merged.rows,
            sample_keys=merged.keys,
        )

    def text(self) -> str:
        """Return the file's text: the same bytes for the same baseline."""
        return written(self.to_json())

    @classmethod
    def of_text(cls, text: str | bytes, where: str = "baseline") -> Baseline:
        """Read the file's text; raises `ProfileError` where it is malformed."""
        return cls.from_json(parsed(text, where), where)

    def to_json(self) -> dict[str, object]:
        """Return the baseline for JSON; columns are a list, for their order counts."""
        return {
            "schema_version": self.schema_version,
            "model_version": self.model_version,
            "created_at": self.created_at,
            "rows": self.rows,
            "columns": _listed(self.columns),
            "outputs": _listed(self.outputs),
            "output_roles": self.output_roles.to_json(),
            "quality": self.quality.to_json() if self.quality else None,
            "calibration": self.calibration.to_json() if self.calibration else None,
            "confidence": self.confidence.tally.to_json() if self.confidence else None,
            "sample": sample_json(SAMPLE_ROWS, self.sample_keys, self.sample),
        }

    @classmethod
    def from_json(cls, value: object, where: str = "baseline") -> Baseline:
        """Read a baseline; raises `ProfileError` where it is malformed or of a version that is not known."""
        fields = Fields(value, where)
        check_version(fields, SCHEMA_VERSION)
        _, keys, rows = read_sample(fields.any("sample"), fields.path("sample"))
        return cls(
            model_version=fields.text("model_version"),
            created_at=fields.text("created_at"),
            rows=fields.integer("rows"),
            columns=_named(fields, "columns"),
            outputs=_named(fields, "outputs"),
            output_roles=OutputRoles.from_json(fields.any("output_roles"), fields.path("output_roles")),
            quality=Quality.from_json(fields.any("quality"), fields.path("quality")) if fields.has("quality") else None,
            calibration=_calibration(fields),
            confidence=_confidence(fields),
            sample=tuple(rows),
            sample_keys=tuple(keys),
        )

    def _kept(self) -> Sample:
        sample = Sample(SAMPLE_ROWS)
        for key, row in zip(self.sample_keys, self.sample, strict=True):
            sample.offer(key, row)
        return sample

    def _keep(self, keys: tuple[int, ...]) -> None:
        if len(keys) != len(self.sample):
            raise ProfileError("baseline.sample_keys", keys, f"there must be {len(self.sample)}, one for each row")
        object.__setattr__(self, "sample_keys", keys)
        sample = self._kept()
        object.__setattr__(self, "sample", sample.rows)
        object.__setattr__(self, "sample_keys", sample.keys)

    def _merged_confidence(self, other: Baseline) -> NumberReference | None:
        if self.confidence is None or other.confidence is None:
            return self.confidence or other.confidence
        return self.confidence.merge(other.confidence)


def check_version(fields: Fields, known: int) -> None:
    """Refuse a structure of another version.

    Raises
    ------
    ProfileError
        If the version is not the one that this code writes.
    """
    version = fields.integer("schema_version")
    if version != known:
        way_out = f"this release reads version {known}; use the release that wrote the file, or make the file anew"
        raise ProfileError(fields.path("schema_version"), version, way_out)


def _listed(references: Mapping[str, Reference]) -> list[dict[str, object]]:
    return [{"name": name} | reference.tally.to_json() for name, reference in references.items()]


def _named(fields: Fields, name: str) -> dict[str, Reference]:
    references: dict[str, Reference] = {}
    for item in fields.objects(name):
        column = item.text("name")
        if column in references:
            raise ProfileError(item.path("name"), column, "a column's name may stand only once")
        references[column] = reference_of(item.value, item.where)
    return references


def _calibration(fields: Fields) -> Calibration | None:
    value = fields.any("calibration")
    return None if value is None else Calibration.from_json(value, fields.path("calibration"))


def _confidence(fields: Fields) -> NumberReference | None:
    if not fields.has("confidence"):
        return None
    tally = NumberTally.from_json(fields.any("confidence"), fields.path("confidence"))
    return NumberReference(tally.bins, tally)


def _merged(mine: Mapping[str, Reference], theirs: Mapping[str, Reference], what: str) -> dict[str, Reference]:
    if list(mine) != list(theirs):
        raise ProfileError(
            f"baseline.{what}", list(theirs), f"they differ from {list(mine)}; build one baseline instead"
        )
    return {name: reference.merge(theirs[name]) for name, reference in mine.items()}
