"""Signatures: what they may say, and how a wrong one is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from model_containers.serving.serving.signature import Signature, SignatureError
from tests.containers.bodies.models import IMAGE, NUMBERS, signature

COLUMN = {"name": "a", "dtype": "float32"}


def test_columns_have_no_categories_unless_they_say_so():
    assert [(each.categories, each.labels) for each in NUMBERS.columns] == [((), ()), ((), ())]
    assert (NUMBERS.names, NUMBERS.width, NUMBERS.input_shape, NUMBERS.is_tensor) == (["a", "b"], 2, (2,), False)


def test_sample_of_a_column_of_strings_is_given_in_strings():
    columns = [{"name": "colour", "dtype": "int64", "categories": ["red", "blue"], "allow_missing": True}]

    given = signature(columns=columns, sample=[["blue"], ["red"], [None]])

    np.testing.assert_array_equal(given.sample, [[1.0], [0.0], [np.nan]])


def test_tensor_without_columns_has_a_row_shape_and_a_sample_that_is_allowed():
    raised = signature(row_shape=[2, 3], minimum=5)

    assert (IMAGE.width, IMAGE.input_shape, IMAGE.is_tensor) == (4, (2, 2), True)
    np.testing.assert_array_equal(IMAGE.sample, np.zeros((1, 4)))
    np.testing.assert_array_equal(raised.sample, np.full((1, 6), 5.0))


def test_sample_of_a_tensor_is_kept_as_rows_of_values():
    given = signature(row_shape=[2, 2], sample=[[[1, 2], [3, 4]], [[5, 6], [7, 8]]])

    np.testing.assert_array_equal(given.sample, [[1, 2, 3, 4], [5, 6, 7, 8]])


def test_values_of_a_tensor_are_named_by_their_place():
    assert IMAGE.column_name(3) == "x[1, 1]"
    assert NUMBERS.column_name(1) == "b"


def test_the_signature_that_the_documentation_shows_can_be_used():
    page = (Path(__file__).parents[3] / "docs" / "serving.md").read_text()

    shown = Signature.from_dict(json.loads(page.partition("```json\n")[2].partition("```")[0]))

    assert (shown.names, shown.columns[1].labels) == (["temperature", "station"], ("north", "south"))


WRONG = {
    "another schema": ({"schema": 2}, "schema is 2"),
    "no columns": ({"columns": []}, "columns is empty"),
    "a name twice": ({"columns": [COLUMN, COLUMN]}, "two columns 'a'"),
    "a dtype": ({"columns": [COLUMN | {"dtype": "int8"}]}, "dtype 'int8'"),
    "an empty range": ({"columns": [COLUMN | {"minimum": 2, "maximum": 1}]}, "minimum 2 above maximum 1"),
    "mixed categories": ({"columns": [COLUMN | {"categories": [1, "a"]}]}, "distinct numbers, or distinct strings"),
    "boolean categories": ({"columns": [COLUMN | {"categories": [True]}]}, "distinct numbers, or distinct strings"),
    "a category twice": ({"columns": [COLUMN | {"categories": ["a", "a"]}]}, "distinct"),
    "strings in a range": ({"columns": [COLUMN | {"categories": ["a"], "minimum": 0}]}, "leave out minimum"),
    "a sample too narrow": ({"sample": [[]]}, "row of 1 columns"),
    "a sample of another category": ({"columns": [COLUMN | {"categories": ["a"]}], "sample": [["b"]]}, "'b' in column"),
    "a shape and columns": ({"row_shape": [2]}, "both row_shape and columns"),
    "an extent of nothing": ({"columns": None, "row_shape": [2, 0]}, "row_shape is"),
    "an extent that is no number": ({"columns": None, "row_shape": ["2"]}, "row_shape is"),
    "a tensor with categories": ({"columns": None, "row_shape": [2], "categories": [1]}, "only columns"),
    "a tensor's sample": ({"columns": None, "row_shape": [2], "sample": [[1]]}, "needed is \\(rows, 2\\)"),
    "no object": (None, "not a model signature"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong_signature_is_refused_naming_the_field(tmp_path, mistake):
    changes, reason = WRONG[mistake]
    fields = {"schema": 1, "tensor": "x", "columns": [COLUMN], "outputs": [], "sample": [[1]]}
    path = tmp_path / "signature.json"
    path.write_text(json.dumps(fields | changes if changes is not None else []))

    with pytest.raises(SignatureError, match=reason) as refusal:
        Signature.load(path)
    assert str(path) in str(refusal.value)
