"""Reads Model Monitor's statistics.json and constraints.json as a baseline."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.levels import MOST_LEVELS, grouped_levels
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.reading import Fields, as_number
from lambdas.monitoring.profile.references import CategoryReference, NumberReference, Reference
from lambdas.monitoring.profile.tallies import RARE, CategoryTally, NumberTally

RESOLUTION = 10_000
"""Ranks of a sketch from which bins are made: a hundred for each bin."""


def imported(
    statistics: object,
    constraints: object | None = None,
    *,
    model_version: str,
    created_at: str,
    outputs: Collection[str] = (),
    roles: OutputRoles | None = None,
) -> Baseline:
    """Return the baseline that Model Monitor's files describe.

    A number's bins come from the KLL sketch where the file holds one (items of level ``i`` weigh ``2**i``), else
    they are the file's buckets, 10 as the prebuilt container writes them. Levels of which the file has not every
    count make a category open-ended. A column of type ``Unknown`` had no values: it is a number, all missing.

    What the files do not hold, the baseline lacks: quality, calibration, confidence and sample. So neither
    estimated accuracy nor joint drift can be judged with it. NaN and infinities are among the missing.
    Thresholds of constraints.json are not taken over: the monitor's own policy decides.

    Parameters
    ----------
    statistics, constraints
        Parsed JSON of the two files. Of the constraints, only the domains of strings are used.
    model_version, created_at
        Of the baseline, see `Baseline`.
    outputs
        Names of the features that are outputs of the model.
    roles
        Which output is the probability, which the prediction.

    Raises
    ------
    ProfileError
        If a file is malformed, or an output is not among the features.
    """
    fields = Fields(statistics, "statistics")
    rows = fields.inner("dataset").integer("item_count")
    references = _references(fields.objects("features"), _domains(constraints), rows)
    unknown = next((name for name in outputs if name not in references), None)
    if unknown is not None:
        raise ProfileError("outputs", unknown, f"no feature has this name; name some of {list(references)}")
    return Baseline(
        model_version=model_version,
        created_at=created_at,
        rows=rows,
        columns={name: reference for name, reference in references.items() if name not in outputs},
        outputs={name: reference for name, reference in references.items() if name in outputs},
        output_roles=roles or OutputRoles(),
    )


def _domains(constraints: object | None) -> dict[str, tuple[str, ...]]:
    if constraints is None:
        return {}
    features = Fields(constraints, "constraints").objects("features")
    strings = {f.text("name"): f.inner("string_constraints") for f in features if f.has("string_constraints")}
    return {name: part.texts("domains") for name, part in strings.items() if part.has("domains")}


def _references(features: Sequence[Fields], domains: Mapping[str, Sequence[str]], rows: int) -> dict[str, Reference]:
    references: dict[str, Reference] = {}
    for feature in features:
        name = feature.text("name")
        if name in references:
            raise ProfileError(feature.path("name"), name, "a feature's name may stand only once")
        references[name] = _reference(feature, domains.get(name, ()), rows)
    return references


def _reference(feature: Fields, domain: Sequence[str], rows: int) -> Reference:
    if feature.has("numerical_statistics"):
        return _number(feature.inner("numerical_statistics"))
    if feature.has("string_statistics"):
        return _category(feature.inner("string_statistics"), domain)
    if feature.text("inferred_type") != "Unknown":
        way_out = "numerical_statistics or string_statistics are missing; run Model Monitor's baseline job again"
        raise ProfileError(feature.where, feature.text("name"), way_out)
    tally = NumberTally(Bins(()))
    tally.add_counts([0], missing=rows)
    return NumberReference(tally.bins, tally)


def _number(statistics: Fields) -> NumberReference:
    common = statistics.inner("common")
    present, missing = common.integer("num_present"), common.integer("num_missing")
    tally = NumberTally(Bins(()))
    if present:
        bins, counts = _distribution(statistics.inner("distribution").inner("kll"))
        deviation = statistics.optional_number("std_dev")
        tally = NumberTally(bins)
        tally.add_counts(
            counts,
            mean=statistics.optional_number("mean"),
            m2=None if deviation is None else deviation * deviation * sum(counts),
            minimum=statistics.number("min"),
            maximum=statistics.number("max"),
        )
    tally.add_counts([0] * len(tally.counts), missing=missing)
    return NumberReference(tally.bins, tally)


def _distribution(kll: Fields) -> tuple[Bins, list[int]]:
    items = _sketched(kll.inner("sketch")) if kll.has("sketch") else []
    if not items:
        return _bucketed(kll)
    bins = Bins.of(_ranked(items))
    counts = [0] * len(bins)
    for value, weight in items:
        counts[bins.index(value)] += weight
    return bins, counts


def _sketched(sketch: Fields) -> list[tuple[float, int]]:
    """Return the sketch's items with their weights, in order."""
    items: list[tuple[float, int]] = []
    for level, (values, where) in enumerate(sketch.items("data")):
        if not isinstance(values, list) or level > 60:
            raise ProfileError(where, values, "each level of a sketch is a list, and there are at most 61")
        items.extend((as_number(value, where), 2**level) for value in values)
    return sorted(items)


def _ranked(items: Sequence[tuple[float, int]]) -> list[float]:
    """Return the values at equally spaced ranks: every one where the sketch still holds all of them."""
    total = sum(weight for _, weight in items)
    steps = min(total, RESOLUTION)
    ranked: list[float] = []
    below = 0
    for value, weight in items:
        below += weight
        ranked.extend([value] * (below * steps // total - len(ranked)))
    return ranked


def _bucketed(kll: Fields) -> tuple[Bins, list[int]]:
    """Return bins between the buckets; buckets of no width, as of a constant, are merged."""
    edges: list[float] = []
    counts = [0]
    buckets = kll.objects("buckets")
    for bucket in buckets:
        counts[-1] += round(_count(bucket))
        upper = bucket.number("upper_bound")
        if bucket is not buckets[-1] and (not edges or upper > edges[-1]):
            edges.append(upper)
            counts.append(0)
    if len(buckets) > 1 and buckets[0].number("lower_bound") == buckets[-1].number("upper_bound"):
        return Bins.of([buckets[0].number("lower_bound")] * 2), [0, sum(counts), 0]
    return Bins(tuple(edges)), counts


def _count(bucket: Fields) -> float:
    count = bucket.number("count")
    if not 0 <= count < 2**63:
        raise ProfileError(bucket.path("count"), count, "it must be at least 0 and below 2**63")
    return count


def _category(statistics: Fields, domain: Sequence[str]) -> CategoryReference:
    common = statistics.inner("common")
    counts = _levels(statistics)
    missing, unlisted = common.integer("num_missing"), common.integer("num_present") - sum(counts.values())
    rare = [level for level in domain if level not in counts] if RARE in counts else []
    hidden = statistics.number("distinct_count") > len(counts) - (RARE in counts) + len(rare)
    tally = CategoryTally(counts, rare, open_ended=unlisted > 0 or (RARE in counts and hidden))
    if len(counts) > MOST_LEVELS + 1:
        grouped = grouped_levels(counts)
        tally = CategoryTally(grouped.known, grouped.rare, tally.open_ended or grouped.open_ended)
    tally.add_counts(counts, missing=missing)
    tally.add_counts({RARE: max(unlisted, 0)} if tally.open_ended else {})
    return CategoryReference(tally.known, tally)


def _levels(statistics: Fields) -> dict[str, int]:
    counts: dict[str, int] = {}
    if statistics.has("distribution"):
        for bucket in statistics.inner("distribution").inner("categorical").objects("buckets"):
            counts[bucket.text("value")] = round(_count(bucket))
    return counts
