"""The guard: a whole batch at once, and every refusal naming row and column."""

import numpy as np
import pytest

from model_containers.serving.serving.guard import Guard
from tests.containers.bodies.models import IMAGE, LABELS, NUMBERS, refusal, signature

RANGE = {"name": "level", "dtype": "float32", "minimum": -0.1, "maximum": 0.1}
GRADE = {"name": "grade", "dtype": "float32", "categories": [0.1, 2, 5], "allow_missing": True}


def guard_of(*columns):
    return Guard(signature(columns=list(columns), sample=[[0] * len(columns)]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1, -0.1, 0.0])
def test_bounds_are_within_the_range_in_both_precisions(dtype, value):
    assert guard_of(RANGE).offending(np.array([[value]], dtype)) is None


@pytest.mark.parametrize("value", [0.1, -0.1])
def test_bounds_sent_in_32_bits_are_within_the_range_beside_rows_of_64(value):
    assert guard_of(RANGE).offending(np.array([[np.float32(value)]], np.float64)) is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1001, -0.1001, np.nan, np.inf, -np.inf])
def test_only_the_offending_cells_are_marked(dtype, value):
    bad = guard_of(RANGE, RANGE | {"name": "other"}).offending(np.array([[0, 0], [0, value]], dtype))

    assert bad.tolist() == [[False, False], [False, True]]


@pytest.mark.parametrize("value", [1e39, -1e39, np.inf])
def test_what_a_32_bit_float_does_not_hold_is_refused_without_a_range(value):
    assert "beyond what a 32-bit float holds" in refusal(Guard(NUMBERS), np.array([[value, 1.0]])).detail


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_categories_of_numbers_hold_in_both_precisions(dtype):
    guard = guard_of(GRADE)

    assert guard.offending(np.array([[0.1], [2], [5], [np.nan]], dtype)) is None
    problem = refusal(guard, np.array([[2], [3]], dtype))
    assert problem.detail == "row 2, column 'grade': 3 is not one of the categories: 0.1, 2, 5"


def test_many_categories_are_not_all_shown():
    guard = guard_of(GRADE | {"categories": list(range(50))})

    assert refusal(guard, np.array([[50.0]])).detail.endswith("categories: 0, 1, 2, 3, 4, ... (50 in all)")


@pytest.mark.parametrize(("index", "reason"), [(3, "index of no category"), (-1, "index of no"), (0.5, "index of no")])
def test_index_of_no_label_is_refused(index, reason):
    assert reason in refusal(Guard(LABELS), np.array([[1.0, index]])).detail


def test_missing_value_says_what_to_send():
    problem = refusal(Guard(NUMBERS), np.array([[np.nan, 1.0]]))

    assert problem.detail == "row 1, column 'a': the value is missing; send a number"


def test_refusal_lists_the_first_cells_and_counts_them_all():
    guard = guard_of(RANGE, RANGE | {"name": "other"})
    rows = np.full((8, 2), 7.0)
    bad = guard.offending(rows)

    problem = guard.refusal(rows, bad)

    assert problem.status == 400
    assert len(problem.errors) == 10
    assert problem.errors[2] == {
        "row": 2,
        "column": "level",
        "reason": "7 is above the greatest value allowed, 0.1; check its unit",
    }
    assert "15 more" in problem.detail


def test_refused_cells_are_counted_by_column():
    guard = guard_of(RANGE, RANGE | {"name": "other"}, RANGE | {"name": "fine"})

    assert guard.refused_cells(guard.offending(np.array([[1, 0, 0], [1, 1, 0]]))) == {"level": 2, "other": 1}
    assert Guard(IMAGE).refused_cells(np.array([[True, True, False, True]])) == {"x": 3}


def test_values_of_a_tensor_are_held_to_one_range_whatever_the_shape_of_the_rows():
    guard = Guard(IMAGE)

    assert "row 1, column 'x[1, 0]': 2 is above" in refusal(guard, np.array([[[0.0, 1.0], [2.0, 0.0]]])).detail
    assert guard.offending(np.array([[0.0, 1.0, 0.5, 0.0]])) is None
    assert guard.prepare(np.array([[0.0, 1.0, 0.5, 0.0]])).shape == (1, 2, 2)


def test_rows_are_prepared_without_a_copy_if_they_are_floats_already():
    rows = np.ones((2, 2), np.float32)

    assert np.shares_memory(Guard(NUMBERS).prepare(rows), rows)
    assert Guard(NUMBERS).prepare(np.full((1, 2), 1e300)).dtype == np.float32
