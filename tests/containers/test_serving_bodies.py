"""Every body format in and out, and what is refused, against the real server."""

import io
import json

import numpy as np
import pytest

from model_containers.training import replay

FEATURES = list(replay.FEATURES)
LINES = replay.rows(8_000, 8_003)
ROWS = [[float(cell) for cell in line.split(",")] for line in LINES]
RECORDS = [dict(zip(FEATURES, row, strict=True)) for row in ROWS]
BACKWARDS = FEATURES[::-1]


def npy(array: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()


def csv_under_header(names: list[str]) -> str:
    rows = [",".join(str(record[name]) for name in names) for record in RECORDS]
    return "\n".join([",".join(names), *rows]) + "\n"


def columns(**changes: list[object]) -> str:
    return json.dumps({"columns": {name: [record[name] for record in RECORDS] for name in FEATURES} | changes})


BODIES = {
    "csv": ("text/csv", "\n".join(LINES) + "\n"),
    "csv with charset and CRLF": ("text/csv; charset=utf-8", "\r\n".join(LINES)),
    "csv under a header": ("text/csv", csv_under_header(FEATURES)),
    "csv under a header in another order": ("text/csv", csv_under_header(BACKWARDS)),
    "json rows": ("application/json", json.dumps({"instances": ROWS})),
    "json records": ("application/json", json.dumps({"instances": RECORDS})),
    "bare json list": ("application/json", json.dumps(RECORDS)),
    "json columns": ("application/json", columns()),
    "json lines of rows": ("application/jsonlines", "\n".join(map(json.dumps, ROWS))),
    "json lines of records": ("application/x-ndjson", "\n".join(map(json.dumps, RECORDS))),
    "npy": ("application/x-npy", npy(ROWS)),
    "npy in Fortran order": ("application/x-npy", npy(np.asfortranarray(np.array(ROWS, dtype=np.float32)))),
}


@pytest.mark.parametrize("form", BODIES)
def test_every_body_format_means_the_same(bootstrap, form):
    content_type, body = BODIES[form]
    expected = bootstrap.invoke(BODIES["csv"][1]).json["predictions"]

    reply = bootstrap.invoke(body, content_type)

    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert [each["rain"] for each in reply.json["predictions"]] == [each["rain"] for each in expected]
    assert [each["probability"] for each in reply.json["predictions"]] == pytest.approx(
        [each["probability"] for each in expected], abs=1e-6
    )


def test_answer_comes_in_the_accepted_format(bootstrap):
    predictions = bootstrap.invoke("\n".join(LINES)).json["predictions"]
    as_csv = bootstrap.invoke("\n".join(LINES), Accept="text/csv")
    as_lines = bootstrap.invoke("\n".join(LINES), Accept="application/jsonlines")
    as_npy = bootstrap.invoke("\n".join(LINES), Accept="application/x-npy;q=0.9, text/csv;q=0.1")

    assert as_csv.headers["content-type"] == "text/csv"
    assert as_csv.body.decode() == "".join(f"{each['probability']},{each['rain']}\n" for each in predictions)
    assert as_lines.headers["content-type"] == "application/jsonlines"
    assert [json.loads(line) for line in as_lines.body.splitlines()] == predictions
    assert as_npy.headers["content-type"] == "application/x-npy"
    expected = np.array([[each["probability"], each["rain"]] for each in predictions], dtype=np.float32)
    np.testing.assert_array_equal(np.load(io.BytesIO(as_npy.body)), expected)


@pytest.mark.parametrize(("accept", "media"), [("*/*", "application/json"), ("text/*", "text/csv")])
def test_wildcards_are_accepted(bootstrap, accept, media):
    assert bootstrap.invoke(LINES[0], Accept=accept).headers["content-type"] == media


def test_unknown_formats_are_refused_naming_the_known_ones(bootstrap):
    sent = bootstrap.invoke("<rain/>", "application/xml")
    asked = bootstrap.invoke(LINES[0], Accept="image/png")

    assert (sent.status, asked.status) == (415, 406)
    assert "text/csv" in str(sent.json["detail"])
    assert "text/csv" in str(asked.json["detail"])


def changed(position: int, cell: str) -> str:
    cells = LINES[1].split(",")
    cells[position] = cell
    return "\n".join([LINES[0], ",".join(cells)])


OFFENDING_CELLS = {
    "a word": ("text/csv", changed(1, "damp"), "dew_point"),
    "an empty cell": ("text/csv", changed(3, ""), "visibility"),
    "NOAA's mark for not measured": ("text/csv", changed(2, "9999.9"), "sea_level_pressure"),
    "infinity": ("text/csv", changed(4, "inf"), "average_wind_speed"),
    "too large for a 32-bit float": ("text/csv", changed(4, "1e300"), "average_wind_speed"),
    "null": ("application/json", json.dumps([RECORDS[0], RECORDS[1] | {"temperature": None}]), "temperature"),
    "a string": ("application/json", json.dumps([RECORDS[0], RECORDS[1] | {"temperature": "40"}]), "temperature"),
    "true": ("application/json", json.dumps([RECORDS[0], RECORDS[1] | {"dew_point": True}]), "dew_point"),
    "a NaN": ("application/x-npy", npy([ROWS[0], [*ROWS[1][:7], float("nan")]]), "minimum_temperature"),
}


@pytest.mark.parametrize("offence", OFFENDING_CELLS)
def test_offending_cell_is_named_by_row_and_column(bootstrap, offence):
    content_type, body, column = OFFENDING_CELLS[offence]

    reply = bootstrap.invoke(body, content_type)

    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert f"row 2, column '{column}'" in str(reply.json["detail"])
    assert [(each["row"], each["column"]) for each in reply.json["errors"]] == [(2, column)]


MALFORMED = {
    "nothing": ("text/csv", "", "no row"),
    "a header alone": ("text/csv", ",".join(FEATURES), "no row"),
    "an empty list": ("application/json", '{"instances": []}', "no row"),
    "a short row": ("text/csv", LINES[0] + "\n1,2,3", "row 2 has 3 columns"),
    "a header that names something else": ("text/csv", "humidity\n1", "humidity"),
    "not UTF-8": ("text/csv", b"\xff\xfe", "UTF-8"),
    "not JSON": ("application/json", "{", "not JSON"),
    "no rows in it": ("application/json", '{"rows": 1}', "instances"),
    "a scalar row": ("application/json", "[1]", "row 1"),
    "a record without a column": ("application/json", json.dumps([{"temperature": 1}]), "lacks column 'dew_point'"),
    "a record with one too many": ("application/json", json.dumps([RECORDS[0] | {"hail": 1}]), "'hail'"),
    "columns of different length": ("application/json", columns(temperature=[1]), "differ in length"),
    "JSON nested too deep": ("application/json", "[" * 2_000, "not JSON"),
    "an array too narrow": ("application/x-npy", npy([[1.0, 2.0]]), "(1, 2)"),
    "an array of text": ("application/x-npy", npy([["a"] * 8]), "dtype"),
    "not an array": ("application/x-npy", b"PK\x03\x04", "not an .npy array"),
    "an array cut short": ("application/x-npy", npy(ROWS)[:-8], "asks for 192 bytes"),
    "an array that claims a terabyte": ("application/x-npy", npy(ROWS).replace(b"(3, 8)", b"(9**9, 8)"), "npy array"),
}


@pytest.mark.parametrize("offence", MALFORMED)
def test_malformed_body_is_refused_saying_what_is_wrong(bootstrap, offence):
    content_type, body, expected = MALFORMED[offence]

    reply = bootstrap.invoke(body, content_type)

    assert reply.status == 400
    assert expected in str(reply.json["detail"])


def test_only_the_first_offences_are_listed_and_all_are_counted(bootstrap):
    reply = bootstrap.invoke("\n".join([changed(2, "9999.9")] * 20))

    assert len(reply.json["errors"]) == 10
    assert "19 more" in str(reply.json["detail"])
