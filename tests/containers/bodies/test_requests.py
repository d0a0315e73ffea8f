"""Bodies read: each form means the same, and what is refused says why."""

import json

import numpy as np
import pytest

from model_containers.serving.serving.bodies import csv_careful, json_careful, npy_header
from model_containers.serving.serving.problems import ProblemError
from tests.containers.bodies.models import (
    CSV,
    IMAGE,
    JSON,
    LABELS,
    LINES,
    NDJSON,
    NPY,
    NUMBERS,
    formats,
    npy,
    read,
    signature,
)
from tests.containers.bodies.models import (
    npy_header as npy_header_of,
)

NAN = float("nan")
PICTURE = [[[0.25, 0.5], [0.75, 1.0]]]
HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"
ONES = b"\0\0\x80\x3f" * 2

SAME_NUMBERS = {
    "rows": (JSON, '{"instances": [[1, 2.5], [3, null]]}'),
    "rows and what is for others": (JSON, '{"instances": [[1, 2.5], [3, null]], "signature_name": "x"}'),
    "bare rows": (JSON, "[[1, 2.5], [3, null]]"),
    "records": (JSON, '{"instances": [{"a": 1, "b": 2.5}, {"b": null, "a": 3}]}'),
    "rows and records": (JSON, '[[1, 2.5], {"b": null, "a": 3}]'),
    "columns": (JSON, '{"columns": {"b": [2.5, null], "a": [1, 3]}}'),
    "lines of rows": (LINES, "[1, 2.5]\n[3, null]\n"),
    "lines of records": (NDJSON, '{"a": 1, "b": 2.5}\r\n\n{"b": null, "a": 3}'),
    "lines of both": (LINES, '[1, 2.5]\n{"b": null, "a": 3}'),
    "csv": (CSV, "1,2.5\n3,null\n"),
    "csv of CRLF, an empty cell and a blank line": (CSV, "1,2.5\r\n\r\n3,\r\n"),
    "csv of CR": (CSV, "1,2.5\r3,NA"),
    "csv under a header": (CSV, "b,a\n2.5,1\nnull,3\n"),
    "csv under a quoted header": (CSV, '"b", "a"\n2.5,1\n,3\n'),
    "quoted csv": (CSV, '"1","2.5"\n3,\n'),
    "csv from a spreadsheet": (CSV, "\ufeff1,2.5\n3,\n"),
    "npy": (NPY, npy([[1, 2.5], [3, NAN]])),
    "npy of 32 bits": (NPY, npy(np.array([[1, 2.5], [3, NAN]], np.float32))),
    "npy of 16 bits": (NPY, npy(np.array([[1, 2.5], [3, NAN]], np.float16))),
    "big-endian npy": (NPY, npy(np.array([[1, 2.5], [3, NAN]], ">f4"))),
    "npy in Fortran order": (NPY, npy(np.asfortranarray([[1, 2.5], [3, NAN]]))),
}


@pytest.mark.parametrize("form", SAME_NUMBERS)
def test_every_form_means_the_same(form):
    rows = read(NUMBERS, *SAME_NUMBERS[form])

    np.testing.assert_array_equal(rows, [[1, 2.5], [3, NAN]])


FAST = [
    "rows",
    "bare rows",
    "records",
    "columns",
    "lines of rows",
    "lines of records",
    "csv",
    "csv under a header",
    "npy",
    "npy of 32 bits",
    "big-endian npy",
    "npy in Fortran order",
]


@pytest.mark.parametrize("form", FAST)
def test_usual_forms_are_not_read_the_slow_way(form, monkeypatch):
    for module, name in [
        (json_careful, "read"),
        (json_careful, "read_lines"),
        (csv_careful, "read"),
        (npy_header, "_any"),
    ]:
        monkeypatch.delattr(module, name)

    np.testing.assert_array_equal(read(NUMBERS, *SAME_NUMBERS[form]), [[1, 2.5], [3, NAN]])


SAME_LABELS = {
    "rows": (JSON, '[[1, "green, dark"], [2, null]]'),
    "records": (JSON, '[{"colour": "green, dark", "a": 1}, {"colour": null, "a": 2}]'),
    "columns": (JSON, '{"columns": {"a": [1, 2], "colour": ["green, dark", null]}}'),
    "lines": (LINES, '[1, "green, dark"]\n{"a": 2, "colour": null}'),
    "csv": (CSV, '1,"green, dark"\n2,\n'),
    "csv under a header": (CSV, 'colour,a\n"green, dark",1\n,2\n'),
    "npy of indices": (NPY, npy([[1, 1], [2, NAN]])),
}


@pytest.mark.parametrize("form", SAME_LABELS)
def test_strings_become_the_index_of_their_category(form):
    np.testing.assert_array_equal(read(LABELS, *SAME_LABELS[form]), [[1, 1], [2, NAN]])


def test_category_that_looks_like_a_number_is_a_string_in_csv():
    np.testing.assert_array_equal(read(LABELS, CSV, "1,3"), [[1, 2]])


SAME_PICTURE = {
    "json": (JSON, json.dumps({"instances": PICTURE})),
    "a line": (LINES, json.dumps(PICTURE[0])),
    "csv": (CSV, "0.25,0.5,0.75,1"),
    "npy": (NPY, npy(PICTURE)),
    "npy in Fortran order": (NPY, npy(np.asfortranarray(PICTURE))),
    "npy of one row": (NPY, npy(PICTURE[0])),
    "flat npy": (NPY, npy([[0.25, 0.5, 0.75, 1.0]])),
}


@pytest.mark.parametrize("form", SAME_PICTURE)
def test_rows_of_a_tensor_are_flattened(form):
    np.testing.assert_array_equal(read(IMAGE, *SAME_PICTURE[form]), [[0.25, 0.5, 0.75, 1.0]])


def test_unset_value_of_a_tensor_is_missing():
    np.testing.assert_array_equal(read(IMAGE, JSON, "[[[0, null], [0, 1]]]"), [[0, NAN, 0, 1]])


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(
    "text",
    [
        HEADER + "\n",
        HEADER,
        "{'shape': (1, 2), 'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }          \n",
    ],
)
def test_npy_headers_of_other_writers_are_read(version, text):
    np.testing.assert_array_equal(read(NUMBERS, NPY, npy_header_of(text, version) + ONES), [[1, 1]])


@pytest.mark.parametrize("padding", range(4))
def test_array_is_aligned_wherever_it_begins(padding):
    rows = read(NUMBERS, NPY, npy_header_of(HEADER + " " * padding + "\n") + ONES)

    assert rows.flags.aligned
    np.testing.assert_array_equal(rows, [[1, 1]])


def test_array_is_not_copied():
    body = npy(np.ones((2, 2), np.float32))

    assert np.shares_memory(read(NUMBERS, NPY, body), np.frombuffer(body, np.uint8))


@pytest.mark.parametrize("name", ["class", "two words", "__init__", "naïve", "instances", 'say "so"', "100%"])
def test_columns_may_have_any_name(name):
    model = signature(columns=[{"name": name, "dtype": "float32"}, {"name": "b", "dtype": "float32"}], sample=[[1, 2]])
    bodies = [[{"b": 2, name: 1}], {"columns": {"b": [2], name: [1]}}]

    for body in bodies:
        np.testing.assert_array_equal(read(model, JSON, json.dumps(body)), [[1, 2]])


CELLS = {
    "an underscore": (CSV, "1,2\n1_0,2", "a", "'1_0' is not a number"),
    "infinity": (CSV, "1,2\ninf,2", "a", "'inf' is not a number"),
    "hexadecimal": (CSV, "1,2\n0x1F,2", "a", "not a number"),
    "other digits": (CSV, "1,2\n\u0661,2", "a", "not a number"),
    "a word under a header": (CSV, "b,a\n1,1\nx,1", "b", "not a number"),
    "true": (JSON, "[[1, 2], [1, true]]", "b", "true is not a number"),
    "a string": (JSON, '[{"a": 1, "b": 2}, {"a": "1", "b": 2}]', "a", '"1" is not a number'),
    "a list": (JSON, '{"columns": {"a": [1, [2]], "b": [1, 1]}}', "a", "a list is not a number"),
    "an object in a line": (LINES, "[1, 2]\n[{}, 2]", "a", "an object is not a number"),
}


@pytest.mark.parametrize("offence", CELLS)
def test_cell_that_is_no_number_is_named(offence):
    content_type, body, column, reason = CELLS[offence]

    with pytest.raises(ProblemError) as refusal:
        read(NUMBERS, content_type, body)

    assert refusal.value.status == 400
    assert [(each["row"], each["column"]) for each in refusal.value.errors] == [(2, column)]
    assert reason in refusal.value.detail
    assert refusal.value.detail.endswith("send one, such as 12.5")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [(JSON, '[[1, "red"], [1, "blue"]]'), (LINES, '[1, "red"]\n[1, "blue"]'), (CSV, "1,red\n1,blue")],
)
def test_unknown_category_is_named_with_those_that_are_known(content_type, body):
    with pytest.raises(
        ProblemError, match=r"row 2, column 'colour': .blue. is not one of the categories: 'red', 'green"
    ):
        read(LABELS, content_type, body)


def test_number_for_a_category_of_strings_is_refused():
    with pytest.raises(ProblemError, match="1 is not one of the categories"):
        read(LABELS, JSON, "[[1, 1]]")


MALFORMED = {
    "NaN": (JSON, "[[NaN, 1]]", "not JSON"),
    "Infinity": (JSON, "[[Infinity, 1]]", "not JSON"),
    "two bodies": (JSON, "[[1, 2]] [[1, 2]]", "not JSON"),
    "a missing column": (JSON, '[{"a": 1}]', "row 1 lacks column 'b'"),
    "a foreign column": (JSON, '[{"a": 1, "b": 1, "c": 1}]', "'c'"),
    "a short row": (JSON, "[[1, 2], [1]]", "row 2 has 1 columns; the model takes 2"),
    "no form": (JSON, '{"rows": []}', "instances"),
    "no row": (JSON, "[]", "no row"),
    "uneven columns": (JSON, '{"columns": {"a": [1], "b": []}}', "differ in length"),
    "a flat list": (JSON, "[33.6, 2]", "row 1 is 33.6 and not a list of 2 values; send a single row as [[33.6, ...]]"),
    "flat instances": (JSON, '{"instances": ["x", 2]}', 'as {"instances": [["x", ...]]}'),
    "a flat list of more values than rows are allowed": (JSON, "[1, 2, 3, 4]", "send a single row as [[1, ...]]"),
    "a torn line": (LINES, "[1, 2]\n[1,", "line 2, column 4 is not JSON: unexpected end of data; send a list or an"),
    "a torn line after blank ones": (LINES, "\n \n[1, 2]\n\n[1,", "line 5, column 4 is not JSON"),
    "two rows in a line": (LINES, "[1, 2] [1, 2]", "line 1, column 8 is not JSON"),
    "a row in two lines": (LINES, "[1,\n2]", "line 1, column 4 is not JSON"),
    "CSV in JSON Lines": (LINES, "1, 2", "line 1, column 2 is not JSON"),
    "no line": (LINES, "\n \n", "no row"),
    "JSON in CSV": (CSV, "1,2],[1,2", "row 1 has 4 columns"),
    "a short line": (CSV, "1,2\n1", "row 2 has 1 columns; the model takes 2"),
    "a row over two lines": (CSV, "1,\r2", "row 2 has 1 columns"),
    "semicolons": (CSV, "1;2", "the first line has semicolons between its cells; separate them with commas, and"),
    "semicolons and decimal commas": (CSV, "33,6;28,7", "row 1 has semicolons between its cells"),
    "semicolons in a later row": (CSV, "1,2\n1;2;", "row 2 has semicolons between its cells"),
    "semicolons under a header": (CSV, "b;a\n1;2", "the first line has semicolons between its cells"),
    "too many semicolons": (CSV, "b;a;c;d\n1;2;3;4", "the first line has semicolons between its cells"),
    "semicolons and quotes": (CSV, '"1";"2"', "the first line has semicolons between its cells"),
    "tabs": (CSV, "1\t2", "the first line has tabs between its cells; separate them with commas"),
    "unclosed quotes": (CSV, '1,"2', "quotes"),
    "a foreign header": (CSV, "a,c\n1,2", "names a, c; the model takes a, b"),
    "a header alone": (CSV, "a,b\n", "no row"),
    "another shape": (NPY, npy([[1, 2, 3]]), "shape (1, 3); the model takes (rows, 2)"),
    "booleans": (NPY, npy([[True, False]]), "dtype bool"),
    "no array": (NPY, b"", "not an .npy array"),
    "data cut short": (NPY, npy([[1.0, 2.0]])[:-1], "asks for 16 bytes of data; the body has 15"),
    "an array of no rows": (NPY, npy(np.empty((0, 2))), "no row"),
    "a version to come": (NPY, npy_header_of(HEADER, version=4) + ONES, "not an .npy array"),
}


@pytest.mark.parametrize("offence", MALFORMED)
def test_malformed_body_is_refused_saying_what_is_wrong(offence):
    content_type, body, reason = MALFORMED[offence]

    with pytest.raises(ProblemError) as refusal:
        read(NUMBERS, content_type, body)

    assert refusal.value.status == 400
    assert reason in refusal.value.detail


@pytest.mark.parametrize("body", ["[[[1, 2]]]", "[[[1], [2]]]", "[[1, 2, 3, 4]]", '{"columns": {"x": [1]}}', "[1]"])
def test_tensor_of_another_shape_is_refused_naming_the_right_one(body):
    with pytest.raises(ProblemError, match=r"takes rows of shape \(2, 2\)"):
        read(IMAGE, JSON, body)


def test_error_in_a_line_gives_its_place_once():
    with pytest.raises(ProblemError) as refusal:
        read(NUMBERS, LINES, "[1, 2]\n[x, 2]")

    place, _, rest = refusal.value.detail.partition(" is ")
    assert place == "line 2, column 2"
    assert "line" not in rest.replace("on each line", "")
    assert "char" not in rest.replace("character", "")


def test_too_few_semicolons_are_known_where_there_are_no_commas():
    model = signature(columns=[{"name": name, "dtype": "float32"} for name in "abc"], sample=[[1, 2, 3]])

    with pytest.raises(ProblemError, match="the first line has semicolons between its cells"):
        read(model, CSV, "a;b\n1;2")


def test_semicolon_within_a_category_is_no_separator():
    with pytest.raises(ProblemError, match=r"^input refused: row 1, column 'colour': 'red; green' is not one"):
        read(LABELS, CSV, "1,red; green")


TOO_MANY = {
    "json": (JSON, json.dumps([[1, 2]] * 4)),
    "records": (JSON, json.dumps([{"a": 1, "b": 2}] * 4)),
    "columns": (JSON, json.dumps({"columns": {"a": [1] * 4, "b": [1] * 4}})),
    "lines": (LINES, "[1, 2]\n" * 4),
    "csv": (CSV, "1,2\n" * 4),
    "csv under a header": (CSV, "a,b\n" + "1,2\n" * 4),
    "quoted csv": (CSV, '"1",2\n' * 4),
    "npy": (NPY, npy(np.zeros((4, 2)))),
    "a claim of npy": (NPY, npy_header_of(HEADER.replace("1", "9" * 17) + "\n")),
    "empty rows, before they are parsed": (JSON, "[" + "[]," * 5_000),
    "empty lines, before they are parsed": (LINES, "\n" * 5_000),
    "commas in quotes": (CSV, '"' + "," * 5_000),
}


@pytest.mark.parametrize("form", TOO_MANY)
def test_more_rows_than_allowed_are_refused(form):
    with pytest.raises(ProblemError, match=r"more than 3 rows \(TIDEGATE_MAX_ROWS\)") as refusal:
        read(NUMBERS, *TOO_MANY[form])
    assert refusal.value.status == 413


@pytest.mark.parametrize("form", [JSON, LINES, CSV, NPY])
@pytest.mark.parametrize("model", [NUMBERS, LABELS, IMAGE])
def test_as_many_rows_as_allowed_are_read(form, model):
    values = [0.5, "green, dark"] if model is LABELS and form != NPY else [0.5] * model.width
    row = [values[:2], values[2:]] if model is IMAGE else values
    cells = ",".join(f'"{value}"' for value in values)
    bodies = {
        JSON: json.dumps([row] * 500),
        LINES: (json.dumps(row) + "\n") * 500,
        CSV: (cells + "\n") * 500,
        NPY: npy([row] * 500) if form == NPY else b"",
    }
    assert len(read(model, form, bodies[form], max_rows=500)) == 500


def test_exchanges_are_kept_by_their_headers_and_only_of_short_ones():
    known = formats(NUMBERS)

    assert known.exchange(JSON, CSV) is known.exchange(JSON, CSV)
    assert known.exchange(JSON, "text/csv" + " " * 300) is not known.exchange(JSON, "text/csv" + " " * 300)


@pytest.mark.parametrize(
    ("content_type", "accept", "status"), [("image/png", "", 415), ("", "", 415), (JSON, "image/png", 406)]
)
def test_unknown_types_are_refused_naming_the_known_ones(content_type, accept, status):
    with pytest.raises(ProblemError, match="application/x-npy, application/jsonlines") as refusal:
        formats(NUMBERS).exchange(content_type, accept)
    assert refusal.value.status == status
