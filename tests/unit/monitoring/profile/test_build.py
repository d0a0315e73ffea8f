"""Building a baseline from rows."""

from collections.abc import Sequence
from math import inf, nan

import pytest

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.build import build
from lambdas.monitoring.profile.classes import class_name, level_text
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.references import CategoryReference, NumberReference
from lambdas.monitoring.profile.tallies import RARE

Values = Sequence[float | str | None]


def built(kind: str, values: Values, **outputs: Values) -> Baseline:
    return build(Schema((Column("x", kind),)), {"x": values}, outputs, None, OutputRoles(), "1", "2026-01-01T00:00:00Z")


def judged(outputs: dict[str, Values], labels: Sequence[float | str | bool | None], roles: OutputRoles) -> Baseline:
    return build(Schema(()), {}, outputs, labels, roles, "1", "2026-01-01T00:00:00Z")


def number(made: Baseline) -> NumberReference:
    reference = made.columns["x"]
    assert isinstance(reference, NumberReference)
    return reference


def category(made: Baseline) -> CategoryReference:
    reference = made.columns["x"]
    assert isinstance(reference, CategoryReference)
    return reference


def test_a_column_that_is_all_missing_is_counted_as_such() -> None:
    assert number(built("number", [None] * 7)).tally.missing == 7
    assert number(built("number", [None] * 7)).tally.mean is None
    assert category(built("category", [None] * 7)).tally.missing == 7


def test_values_that_are_not_finite_are_counted_and_sampled_as_missing() -> None:
    made = built("number", [1.0, nan, inf, None])

    assert (number(made).tally.not_finite, number(made).tally.missing) == (2, 1)
    assert sorted(map(str, made.sample)) == ["(1.0,)", "(None,)", "(None,)", "(None,)"]


def test_levels_rarer_than_half_a_percent_are_grouped() -> None:
    made = category(built("category", ["a"] * 600 + ["b"] * 395 + ["c"] * 4 + ["d"]))

    assert made.tally.counts == {"a": 600, "b": 395, RARE: 5}
    assert made.tally.rare == ("c", "d")
    assert made.empty().level("d") == RARE
    assert made.empty().level("e") is None


def test_levels_beyond_fifty_are_grouped() -> None:
    made = category(built("category", [f"level {i % 60:02}" for i in range(6000)]))

    assert len(made.levels) == 51
    assert made.tally.counts[RARE] == 1000


def test_a_column_of_identifiers_is_open_ended() -> None:
    made = category(built("category", [f"id {i}" for i in range(1000)]))

    assert made.tally.counts == {RARE: 1000}
    assert made.tally.open_ended
    assert made.tally.rare == ()


def test_outputs_are_categories_if_they_are_text() -> None:
    made = built("number", [1.0, 2.0], text=["a", None], number=[0.5, None])

    assert [reference.kind for reference in made.outputs.values()] == ["category", "number"]


def test_quality_counts_rows_whose_label_is_known() -> None:
    made = judged({"p": [0.9, 0.8, 0.2, 0.4, 0.9]}, [True, "0", 0, "1.0", None], OutputRoles("p", None, 0.5))

    assert made.quality is not None
    assert made.quality.accuracy == 0.5
    assert made.quality.rows == 4
    assert made.quality.brier == pytest.approx((0.01 + 0.64 + 0.04 + 0.36) / 4)
    assert made.confidence is not None
    assert made.confidence.tally.minimum == 0.6


def test_the_threshold_decides_where_nothing_else_predicts() -> None:
    probabilities, labels = [0.6, 0.7], [0, 1]

    high = judged({"p": probabilities}, labels, OutputRoles("p", None, 0.65)).quality
    named = judged({"p": probabilities, "y": ["1", "0"]}, labels, OutputRoles("p", "y", 0.65)).quality
    assert high is not None
    assert named is not None
    assert (high.accuracy, named.accuracy) == (1.0, 0.0)


def test_classes_by_name_have_an_accuracy_but_no_brier_score() -> None:
    made = judged({"y": ["cat", "dog", "cat"]}, ["cat", "cat", "cat"], OutputRoles(None, "y", 0.5))

    assert made.quality is not None
    assert made.quality.accuracy == pytest.approx(2 / 3)
    assert made.quality.brier is None
    assert made.calibration is None


def test_chunks_follow_each_other_and_average_to_the_accuracy() -> None:
    right = [1] * 200 + [0] * 200
    quality = judged({"p": [0.9] * 400}, right, OutputRoles("p", None, 0.5)).quality

    assert quality is not None
    assert quality.chunk_accuracies == (1.0, 1.0, 0.0, 0.0)


def test_few_rows_make_no_chunks() -> None:
    quality = judged({"p": [0.9] * 199}, [1] * 199, OutputRoles("p", None, 0.5)).quality

    assert quality is not None
    assert quality.chunk_accuracies == ()


@pytest.mark.parametrize(
    ("columns", "labels", "roles", "message"),
    [
        ({}, None, OutputRoles(), "column x of the schema is missing"),
        ({"x": [1.0]}, [1, 0], OutputRoles("p"), "must be equally long"),
        ({"x": ["ten"]}, None, OutputRoles(), "column x is 'ten': a number is expected"),
        ({"x": [1.0]}, [1], OutputRoles(), "name the output"),
        ({"x": [1.0]}, None, OutputRoles("q"), "no such output"),
        ({"x": [1.0]}, [1], OutputRoles("logit"), "must lie within 0..1"),
    ],
)
def test_what_cannot_be_built_from_is_named(
    columns: dict[str, Values], labels: list[float] | None, roles: OutputRoles, message: str
) -> None:
    with pytest.raises(ProfileError, match=message):
        build(Schema((Column("x", "number"),)), columns, {"p": [0.5], "logit": [4.0]}, labels, roles, "1", "")


def test_a_schema_is_of_known_kinds_and_unique_names() -> None:
    with pytest.raises(ProfileError, match="a number or a category"):
        Column("x", "date")
    with pytest.raises(ProfileError, match="may stand only once"):
        Schema((Column("x", "number"), Column("x", "category")))


def test_the_schema_is_read_back_from_the_baseline(baseline: Baseline) -> None:
    assert baseline.schema == Schema(
        (Column("pressure", "number"), Column("wind", "category"), Column("rain", "number"))
    )


@pytest.mark.parametrize(
    ("value", "name"),
    [(1, "1"), (1.0, "1"), ("1.0", "1"), (True, "1"), ("False", "0"), (1.5, "1.5"), (" cat", "cat"), (None, None)],
)
def test_one_class_has_one_name(value: float | str | None, name: str | None) -> None:
    assert class_name(value) == name


@pytest.mark.parametrize(
    ("value", "text"), [(3, "3"), (3.0, "3"), (2.5, "2.5"), (True, "true"), ("1.0", "1.0"), (nan, "nan")]
)
def test_one_level_has_one_text(value: float | str, text: str) -> None:
    assert level_text(value) == text
