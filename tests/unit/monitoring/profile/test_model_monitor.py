"""Model Monitor's files: import, export, and what one says of the other."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import pytest

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.model_monitor import constraints_json, imported, statistics_json, violations_json
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.references import CategoryReference, NumberReference
from lambdas.monitoring.profile.tallies import RARE, NumberTally


@dataclass(frozen=True)
class Found:
    """A finding."""

    kind: str
    subject: str
    severity: str = "severe"
    text: str = "it has moved"


def number_feature(values: Sequence[float], sketch: list[list[float]] | None) -> dict[str, Any]:
    """Return a feature as the prebuilt container writes it: ten buckets of equal width."""
    low, high = min(values), max(values)
    width = (high - low) / 10
    counts = [0.0] * 10
    for value in values:
        counts[min(int((value - low) / width), 9) if width else 0] += 1
    buckets = [
        {"lower_bound": low + i * width, "upper_bound": high if i == 9 else low + (i + 1) * width, "count": count}
        for i, count in enumerate(counts)
    ]
    mean = sum(values) / len(values)
    kll: dict[str, Any] = {"buckets": buckets}
    if sketch:
        kll["sketch"] = {"parameters": {"c": 0.64, "k": 2048.0}, "data": sketch}
    return {
        "name": "x",
        "inferred_type": "Fractional",
        "numerical_statistics": {
            "common": {"num_present": len(values), "num_missing": 5},
            "mean": mean,
            "sum": sum(values),
            "std_dev": (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5,
            "min": low,
            "max": high,
            "distribution": {"kll": kll},
        },
    }


def string_feature(counts: dict[str, int], present: int, distinct: float) -> dict[str, Any]:
    buckets = [{"value": level, "count": count} for level, count in counts.items()]
    return {
        "name": "x",
        "inferred_type": "String",
        "string_statistics": {
            "common": {"num_present": present, "num_missing": 1},
            "distinct_count": distinct,
            "distribution": {"categorical": {"buckets": buckets}},
        },
    }


def read(feature: dict[str, Any], constraints: object | None = None, rows: int = 1000) -> Any:
    statistics = {"version": 0.0, "dataset": {"item_count": rows}, "features": [feature]}
    return imported(statistics, constraints, model_version="1", created_at="2026-01-01T00:00:00Z").columns["x"].tally


def test_what_is_exported_is_imported_with_the_same_bins_and_counts(baseline: Baseline) -> None:
    files = json.loads(json.dumps([statistics_json(baseline), constraints_json(baseline)], allow_nan=False))
    back = imported(
        *files, model_version="1.0.0", created_at=baseline.created_at, outputs=["p"], roles=OutputRoles("p")
    )

    assert back.rows == baseline.rows
    assert back.schema == baseline.schema
    for name, reference in (*baseline.columns.items(), *baseline.outputs.items()):
        other = {**back.columns, **back.outputs}[name].tally
        assert other.counts == reference.tally.counts
        assert other.missing == reference.tally.missing
        if isinstance(reference, NumberReference):
            assert isinstance(other, NumberTally)
            assert other.bins == reference.bins
            assert other.mean == pytest.approx(reference.tally.mean)
            assert other.m2 == pytest.approx(reference.tally.m2)


def test_buckets_become_bins() -> None:
    chance = random.Random(1)
    values = [chance.gauss(0, 1) for _ in range(995)]
    tally = read(number_feature(values, None))

    assert len(tally.counts) == 10
    assert tally.rows == 1000
    assert tally.mean == pytest.approx(sum(values) / 995)


def test_a_sketch_becomes_a_hundred_bins() -> None:
    chance = random.Random(1)
    values = [chance.gauss(0, 1) for _ in range(4000)]
    # Two levels: a thousand values as they are, and every second of the sorted others, which weigh two.
    tally = read(number_feature(values, [values[:1000], sorted(values[1000:])[::2]]), rows=4005)

    assert len(tally.counts) == 100
    assert sum(tally.counts) == 4000
    assert all(30 <= count <= 50 for count in tally.counts)


def test_a_sketch_that_still_holds_all_values_gives_the_bins_of_the_values() -> None:
    values = [float(x) for x in range(995)]
    tally = read(number_feature(values, [values]))

    assert tally.bins == Bins.of(values)


def test_a_bucket_of_no_width_is_merged_with_the_next() -> None:
    feature = number_feature([float(x) for x in range(995)], None)
    buckets = feature["numerical_statistics"]["distribution"]["kll"]["buckets"]
    feature["numerical_statistics"]["distribution"]["kll"]["buckets"] = [buckets[0], *buckets]
    tally = read(feature)

    assert len(tally.bins) == 10
    assert sum(tally.counts) == 995 + buckets[0]["count"]


def test_buckets_ascend_though_the_outer_bins_are_empty_and_what_is_not_finite_is_missing() -> None:
    tally = NumberTally(Bins((0.0, 1.0, 2.0)))
    tally.add_many([1.5, nan, None])
    made: Any = statistics_json(Baseline("1", "", 3, {"x": NumberReference(tally.bins, tally)}, {}))
    numbers = made["features"][0]["numerical_statistics"]

    assert numbers["common"] == {"num_present": 1, "num_missing": 2}
    assert [(b["lower_bound"], b["upper_bound"]) for b in numbers["distribution"]["kll"]["buckets"]] == [
        (0.0, 0.0),
        (0.0, 1.0),
        (1.0, 2.0),
        (2.0, 2.0),
    ]


def test_moments_too_large_for_a_float_are_left_out() -> None:
    tally = NumberTally(Bins((1e308,)))
    tally.add_many([1e308, 1e308])
    made: Any = statistics_json(Baseline("1", "", 2, {"x": NumberReference(tally.bins, tally)}, {}))
    numbers = made["features"][0]["numerical_statistics"]

    assert "sum" not in numbers
    assert numbers["mean"] == 1e308


def test_a_constants_buckets_of_no_width_become_a_bin_of_its_own() -> None:
    tally = read(number_feature([5.0] * 995, None))

    assert tally.counts == [0, 995, 0]
    assert tally.bins.index(5.0) == 1
    assert tally.bins.index(5.01) == 2


def test_levels_without_all_counts_make_a_category_open_ended() -> None:
    tally = read(string_feature({"a": 600, "b": 300}, present=999, distinct=40))

    assert tally.open_ended
    assert tally.counts == {"a": 600, "b": 300, RARE: 99}


def test_levels_with_all_counts_make_a_closed_category_though_the_distinct_count_is_an_estimate() -> None:
    tally = read(string_feature({"a": 600, "b": 399}, present=999, distinct=3))

    assert not tally.open_ended
    assert tally.counts == {"a": 600, "b": 399}
    assert tally.rows == 1000


def test_many_levels_are_grouped() -> None:
    tally = read(string_feature({f"level {i:03}": 10 for i in range(100)}, present=1000, distinct=100))

    assert len(tally.counts) == 51
    assert tally.counts[RARE] == 500
    assert tally.level("level 099") == RARE


def test_names_of_rare_levels_come_back_from_the_constraints() -> None:
    constraints = {"features": [{"name": "x", "string_constraints": {"domains": ["a", "c", "d"]}}]}
    tally = read(string_feature({"a": 997, RARE: 2}, present=999, distinct=3), constraints)

    assert tally.rare == ("c", "d")
    assert tally.level("c") == RARE
    assert tally.level("e") is None


def test_a_column_of_unknown_type_is_all_missing() -> None:
    tally = read({"name": "x", "inferred_type": "Unknown"})

    assert (tally.missing, tally.rows) == (1000, 1000)


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ({"name": "x", "inferred_type": "Fractional"}, r"features\[0\] is 'x': numerical_statistics or"),
        ({"inferred_type": "String"}, r"features\[0\]\.name is None: the field is missing"),
        ({"name": "x", "numerical_statistics": {"common": {"num_present": 1, "num_missing": 0}}}, "distribution"),
    ],
)
def test_a_malformed_feature_is_named(feature: dict[str, Any], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        read(feature)


def test_an_output_that_is_no_feature_is_named(baseline: Baseline) -> None:
    with pytest.raises(ProfileError, match="outputs is 'q': no feature has this name"):
        imported(statistics_json(baseline), None, model_version="1", created_at="", outputs=["q"])


def test_constraints_say_completeness_sign_and_levels(baseline: Baseline) -> None:
    features: Any = constraints_json(baseline)["features"]
    pressure, wind = features[:2]

    assert pressure["completeness"] == pytest.approx(1 - baseline.columns["pressure"].tally.missing / 2000)
    assert pressure["num_constraints"] == {"is_non_negative": True}
    assert sorted(wind["string_constraints"]["domains"]) == ["north", "south", "west"]


def test_findings_become_violations_where_there_is_a_word_for_them(baseline: Baseline) -> None:
    findings = [
        Found("data_drift", "pressure"),
        Found("missing_values", "wind"),
        Found("unseen_categories", "wind"),
        Found("schema_change", "rain"),
        Found("schema_change", "snow"),
        Found("data_drift", "rain", severity="info"),
        Found("volume", ""),
    ]
    violations = violations_json(findings, baseline)["violations"]

    assert [(v["feature_name"], v["constraint_check_type"]) for v in violations] == [  # type: ignore[attr-defined]
        ("pressure", "baseline_drift_check"),
        ("wind", "completeness_check"),
        ("wind", "categorical_values_check"),
        ("rain", "missing_column_check"),
        ("snow", "extra_column_check"),
    ]
    assert violations[0]["description"] == "it has moved"  # type: ignore[index]


def test_a_category_is_a_category_after_import(baseline: Baseline) -> None:
    back = imported(statistics_json(baseline), None, model_version="1", created_at="")

    assert isinstance(back.columns["wind"], CategoryReference)
