"""How far one column of a window is from its baseline, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from lambdas.monitoring.assessment.finding import Severity
from lambdas.monitoring.profile.bins import merged
from lambdas.monitoring.profile.references import NumberReference, Reference
from lambdas.monitoring.profile.tallies import CategoryTally, NumberTally, Tally
from lambdas.monitoring.statistics import (
    categorical,
    enough_expected,
    jensen_shannon,
    kolmogorov_smirnov,
    numerical,
    psi,
)

UNSEEN = "(unseen)"
"""The level under which levels that were never seen in training are compared together."""

LEVELS_SHOWN = 8


@dataclass(frozen=True)
class FeatureDrift:
    """A column's distance from its baseline.

    Parameters
    ----------
    name
        Of the column or output.
    psi
        Population stability index less its mean under no change; never shown below 0.
    psi_observed, psi_null_mean
        The index as textbooks define it, and its mean under no change.
    p_value, adjusted_p_value
        Chance of such an index if nothing has changed; the second with all features of the window considered.
    js, ks, ks_p_value, linf
        Jensen-Shannon distance (base 2), Kolmogorov-Smirnov distance and its p-value (numbers only), and Deequ's robust
        L-infinity distance.
    bins
        How many the index was computed on.
    rows, reference_rows
        Values compared, without those missing.
    missing_share, reference_missing_share
        0 to 1.
    reference, current
        Mean, deviation, least and greatest of numbers; shares of the most frequent levels of categories.
    severity
        Of its drift; `info` where there is none, `undecided` where there are too few rows.
    rows_needed
        How many rows it takes to tell a severe drift; None where the reference is too small for any number.
    """

    name: str
    psi: float
    psi_observed: float
    psi_null_mean: float
    p_value: float
    js: float
    ks: float | None
    ks_p_value: float | None
    linf: float
    bins: int
    rows: int
    reference_rows: int
    missing_share: float
    reference_missing_share: float
    reference: Mapping[str, Any]
    current: Mapping[str, Any]
    adjusted_p_value: float = 1.0
    severity: Severity = Severity.INFO
    rows_needed: int | None = None

    @property
    def drifted(self) -> bool:
        """Whether it has moved by more than chance and more than nothing."""
        return self.severity in (Severity.MODERATE, Severity.SEVERE)

    def judged(self, adjusted: float, severity: Severity, needed: int | None) -> "FeatureDrift":
        """Return it with what was concluded when all features were looked at."""
        return replace(self, adjusted_p_value=adjusted, severity=severity, rows_needed=needed)

    def to_json(self) -> dict[str, Any]:
        """Return it in plain form."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "name"}
        return {**found, "severity": str(self.severity)}

    @classmethod
    def from_json(cls, name: str, data: Mapping[str, Any]) -> "FeatureDrift":
        """Read it from its plain form."""
        return cls(name=name, **{**data, "severity": Severity(data["severity"])})


def compared(name: str, reference: Reference, current: Tally, groups: int) -> FeatureDrift | None:
    """Compare a column with its baseline; None where either has no value to compare, or they are of different kinds."""
    if isinstance(reference, NumberReference):
        return _numbers(name, reference, current, groups) if isinstance(current, NumberTally) else None
    return _categories(name, reference.tally, current) if isinstance(current, CategoryTally) else None


def missing_share(tally: Tally) -> float:
    """Return the share of a column's values that are missing, 0 to 1."""
    return tally.missing / tally.rows if tally.rows else 0.0


def levels(tally: CategoryTally) -> dict[str, int]:
    """Return the counts of levels, those never seen in training as one."""
    return {**tally.counts, UNSEEN: tally.unseen_rows} if tally.unseen_rows else dict(tally.counts)


def described(tally: Tally) -> dict[str, Any]:
    """Return what a person would want to know of a column."""
    if isinstance(tally, NumberTally):
        deviation = sqrt(tally.m2 / tally.finite) if tally.finite and tally.m2 is not None else None
        return {
            "mean": tally.mean,
            "deviation": deviation,
            "minimum": tally.minimum,
            "maximum": tally.maximum,
        }
    counts = levels(tally)
    whole = sum(counts.values()) or 1
    common = sorted(counts, key=lambda level: (-counts[level], level))[:LEVELS_SHOWN]
    return {"levels": {level: counts[level] / whole for level in common}}


def _numbers(name: str, reference: NumberReference, current: NumberTally, groups: int) -> FeatureDrift | None:
    old, new = reference.tally.counts, current.counts
    if not sum(old) or not sum(new):
        return None
    boundaries = reference.bins.grouped(old, groups)
    index = psi(merged(old, boundaries), merged(new, boundaries))
    smirnov = kolmogorov_smirnov(old, new)
    return FeatureDrift(
        name=name,
        psi=max(0.0, index.debiased),
        psi_observed=index.observed,
        psi_null_mean=index.null_mean,
        p_value=index.p_value,
        js=jensen_shannon(old, new),
        ks=smirnov.distance,
        ks_p_value=smirnov.p_value,
        linf=numerical(old, new),
        bins=index.bins,
        rows=sum(new),
        reference_rows=sum(old),
        missing_share=missing_share(current),
        reference_missing_share=missing_share(reference.tally),
        reference=described(reference.tally),
        current=described(current),
    )


def _categories(name: str, reference: CategoryTally, current: CategoryTally) -> FeatureDrift | None:
    old, new = levels(reference), levels(current)
    if not sum(old.values()) or not sum(new.values()):
        return None
    index = psi(*enough_expected(old, new))
    names = list(dict.fromkeys([*old, *new]))
    return FeatureDrift(
        name=name,
        psi=max(0.0, index.debiased),
        psi_observed=index.observed,
        psi_null_mean=index.null_mean,
        p_value=index.p_value,
        js=jensen_shannon([old.get(level, 0) for level in names], [new.get(level, 0) for level in names]),
        ks=None,
        ks_p_value=None,
        linf=categorical(old, new),
        bins=index.bins,
        rows=sum(new.values()),
        reference_rows=sum(old.values()),
        missing_share=missing_share(current),
        reference_missing_share=missing_share(reference),
        reference=described(reference),
        current=described(current),
    )
