"""Bodies of requests for predictions: what is read, and how the rest is refused."""

import gzip
import json
import time
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.inference.bodies import instances
from lambdas.inference.http import Headers, HttpRequest
from lambdas.inference.problems import Problem
from lambdas.inference.settings import FrontDoor
from lambdas.inference.strict_json import DEEPEST, loads

SETTINGS = FrontDoor("rain-test", "api_key", {}, largest_body_bytes=2000, most_rows=3)
BODY = b'{"instances": [[1, 2.5, null, "red"]]}'


def asked(body: bytes, **headers: str) -> HttpRequest:
    given_headers = {"Content-Type": "application/json"} | {
        name.replace("_", "-").title(): value for name, value in headers.items()
    }
    return HttpRequest("POST", "/predictions", headers=Headers(given_headers.items()), body=body)


def refused(body: bytes, **headers: str) -> Problem:
    with pytest.raises(Problem) as raised:
        instances(asked(body, **headers), SETTINGS)
    return raised.value


def test_instances_are_returned_as_they_were_sent() -> None:
    assert instances(asked(BODY), SETTINGS) == [[1, 2.5, None, "red"]]


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_in_utf8_is_read(kind: str) -> None:
    assert instances(asked(BODY, content_type=kind), SETTINGS)


@pytest.mark.parametrize(
    "kind",
    ["", "text/csv", "application/json, application/json", "application/json; charset=latin-1", "application/jsonx"],
)
def test_another_format_is_refused(kind: str) -> None:
    problem = refused(BODY, content_type=kind)

    assert (problem.slug, problem.status) == ("unsupported-media-type", 415)
    assert "application/json" in problem.detail


def test_a_body_without_a_format_is_refused() -> None:
    with pytest.raises(Problem, match="not given"):
        instances(HttpRequest("POST", "/predictions", body=BODY), SETTINGS)


def test_a_compressed_body_is_refused() -> None:
    assert refused(gzip.compress(BODY), Content_Encoding="gzip").status == 415


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "line 1, column 2"),
        (b'{"instances": [[1]]} x', "Extra data"),
        (b'{"instances": [[NaN]]}', "NaN"),
        (b'{"instances": [[-Infinity]]}', "-Infinity"),
        (b'{"instances": [[1e400]]}', "1e400"),
        (b'{"instances": [[' + b"9" * 1900 + b"." + b"0]]}", "999"),
        (b'{"instances": [], "instances": [[1]]}', "'instances' comes twice"),
        (b'{"instances": [{"a": 1, "a": 2}]}', "'a' comes twice"),
        (b'{"instances": [{"a": 1, "\\u0061": 2}]}', "'a' comes twice"),
        (b'{"instances": [["\xff"]]}', "byte 18 is not UTF-8"),
        (b'{"instances": [["\xed\xa0\x80"]]}', "not UTF-8"),
        (b'{"instances": [["\\ud800"]]}', "half of a character"),
        ('{"instances": [[1]]}'.encode("utf-16"), "not UTF-8"),
        ('\ufeff{"instances": [[1]]}'.encode(), "line 1, column 1"),
        (b"[" * 900 + b"]" * 900, "levels"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "levels"),
        (b"[" * 1900, "levels"),
        (b"\x00", "line 1"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes, said: str) -> None:
    problem = refused(body)

    assert (problem.slug, problem.status) == ("invalid-json", 400)
    assert said in problem.detail


def test_a_key_that_comes_twice_is_found_among_many_at_once() -> None:
    keys = [f'"k{number}": 1' for number in range(20_000)]
    body = f"{{{', '.join([*keys, keys[-1]])}}}".encode()
    began = time.process_time()
    with pytest.raises(Problem, match="'k19999' comes twice"):
        loads(body)
    assert time.process_time() - began < 1


def test_an_integer_of_more_digits_than_python_reads_is_refused() -> None:
    with pytest.raises(Problem, match="too many digits"):
        loads(b'{"instances": [[' + b"9" * 5000 + b"]]}")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[[1]]", "not an object"),
        (b"null", "not an object"),
        (b"{}", "missing"),
        (b'{"instances": null}', "no list"),
        (b'{"instances": {"a": 1}}', "no list"),
        (b'{"instances": []}', "empty"),
        (b'{"instances": [[1]], "columns": {}}', "'columns'"),
    ],
)
def test_json_of_another_form_is_refused(body: bytes, said: str) -> None:
    problem = refused(body)

    assert (problem.slug, problem.status) == ("invalid-input", 422)
    assert said in problem.detail
    assert '{"instances": ' in problem.detail


def test_too_many_rows_are_refused() -> None:
    assert len(instances(asked(b'{"instances": [[1],[2],[3]]}'), SETTINGS)) == 3
    problem = refused(b'{"instances": [[1],[2],[3],[4]]}')

    assert (problem.slug, problem.status) == ("too-large", 413)
    assert "there are 4 rows; send at most 3" in problem.detail


def test_too_many_bytes_are_refused_unread() -> None:
    just = BODY.ljust(SETTINGS.largest_body_bytes)

    assert instances(asked(just), SETTINGS)
    problem = refused(b"\xff" * (SETTINGS.largest_body_bytes + 1))
    assert problem.slug == "too-large"
    assert "2001 bytes" in problem.detail


@pytest.mark.parametrize("is_base64", [False, True])
def test_the_body_of_an_event_is_text_or_base64(is_base64: bool) -> None:
    text = '{"instances": [["größe"]]}'
    event: dict[str, Any] = {
        "httpMethod": "POST",
        "resource": "/predictions",
        "headers": {"content-type": "application/json"},
        "body": b64encode(text.encode()).decode() if is_base64 else text,
        "isBase64Encoded": is_base64,
    }

    assert instances(HttpRequest.of(event), SETTINGS) == [["größe"]]


@pytest.mark.parametrize("levels", [DEEPEST, DEEPEST + 1])
@pytest.mark.parametrize("filling", [b"", b'"]"', b'"\\"]"', b'"\\\\", "]"', b'{"]\\\\\\"": 1}', b'[{"a": {}}, "]"]'])
def test_depth_is_bound_to_the_level(levels: int, filling: bytes) -> None:
    own = 3 if filling.startswith(b"[") else 1 if filling.startswith(b"{") else 0
    around = levels - own
    body = b"[" * around + filling + b"]" * around

    if levels <= DEEPEST:
        assert loads(body) == json.loads(body)
    else:
        with pytest.raises(Problem, match="levels"):
            loads(body)


TEXTS = st.text(st.sampled_from('[]{}"\\,:aß\n')) | st.text()
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=200,
)


@settings(deadline=None)
@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_json_is_read_as_python_reads_it(value: Any, is_ascii: bool, indent: int | None) -> None:
    # The brackets in front have the depth looked at.
    text = json.dumps([[[]] * DEEPEST, value], ensure_ascii=is_ascii, indent=indent)

    assert loads(text.encode()) == [[[]] * DEEPEST, value]


@settings(deadline=None)
@given(st.binary() | st.text(st.sampled_from('[]{}"\\,:1eE.-ntu ')).map(str.encode))
def test_whatever_comes_is_read_or_is_a_problem(body: bytes) -> None:
    try:
        found = loads(body)
    except Problem as problem:
        json.dumps(problem.document(), allow_nan=False)
    else:
        assert json.dumps(found, allow_nan=False) == json.dumps(json.loads(body))
