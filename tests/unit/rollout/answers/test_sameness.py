"""When two answers are the same."""

import json
from typing import Any

import pytest

from lambdas.rollout.answers.captures import Reply
from lambdas.rollout.answers.sameness import FieldlessError, UnreadableError, differ, same
from lambdas.rollout.judge.incomparable import Name
from lambdas.rollout.policy import Answers

HUGE = 10**400

ALL = Answers(5.0)
RAIN = Answers(5.0, field="rain", tolerance=0.01)


def of_json(value: Any) -> Reply:
    return Reply("application/json", json.dumps(value).encode())


def of_csv(text: str) -> Reply:
    return Reply("text/csv; charset=utf-8", text.encode())


@pytest.mark.parametrize(
    ("one", "other", "tolerance", "alike"),
    [
        (1, 1.0, 0, True),
        (1, 1.01, 0, False),
        (1.0, 1.01, 0.02, True),
        (0.51, 0.50, 0.01, True),
        (0.511, 0.50, 0.01, False),
        (float("nan"), 1.0, 1.0, False),
        (float("inf"), float("-inf"), 1.0, False),
        (float("nan"), float("nan"), 0, True),
        (float("inf"), float("inf"), 0, True),
        (float("inf"), 1.0, 1.0, False),
        (HUGE, 1.0, 1.0, False),
        (HUGE, HUGE, 0, True),
        (True, 1, 1.0, False),
        (True, True, 0, True),
        (None, 0, 1.0, False),
        (None, None, 0, True),
        ("1", 1, 1.0, False),
        ("a", "a", 0, True),
        ([1, 2], [1, 2, 3], 1, False),
        ([1, [2]], [1, [2.5]], 1, True),
        ({"a": 1}, {"a": 1, "b": 2}, 0, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, 0, True),
        ({"a": [1]}, {"a": {"0": 1}}, 0, False),
    ],
    ids=range(23),
)
def test_values(one: Any, other: Any, tolerance: float, alike: bool) -> None:
    assert same(one, other, tolerance) is alike
    assert same(other, one, tolerance) is alike


def test_only_the_field_counts_wherever_it_stands() -> None:
    live = of_json({"predictions": [{"rain": 0.500, "ms": 3}, {"rain": 0.7, "ms": 4}], "version": "1.0.0"})
    near = of_json({"predictions": [{"rain": 0.505, "ms": 9}, {"rain": 0.7, "ms": 1}], "version": "1.1.0"})
    far = of_json({"predictions": [{"rain": 0.505}, {"rain": 0.9}]})
    assert not differ(live, near, RAIN)
    assert differ(live, far, RAIN)
    assert differ(live, near, ALL)


def test_a_field_that_is_gone_or_an_answer_that_cannot_be_read_is_another_answer() -> None:
    live = of_json({"rain": 0.5})
    assert differ(live, of_json({"snow": 0.5}), RAIN)
    assert differ(live, Reply("application/json", b'{"rain": 0.5'), RAIN)
    assert differ(live, Reply("application/json", b""), ALL)
    assert differ(live, Reply("application/json", b"[" * 100_000), ALL)


def test_another_type_of_answer_is_another_answer() -> None:
    assert differ(of_json(0.5), of_csv("0.5\n"), ALL)
    assert differ(of_json([0.5]), Reply("application/jsonlines", b"0.5\n"), ALL)
    assert not differ(of_json(0.5), Reply("application/json; charset=utf-8", b"0.5"), ALL)


@pytest.mark.parametrize(
    "live",
    [
        of_json({"snow": 1}),
        Reply("application/json", b"{"),
        of_csv("1,2\n"),
        of_csv(""),
        Reply("application/x-npy", b"\x00"),
    ],
)
def test_nothing_is_said_where_the_live_answer_has_nothing_to_compare(live: Reply) -> None:
    """Neither alike nor different: a wrong name of a field must not pass for agreement, nor roll anything back."""
    with pytest.raises(UnreadableError):
        differ(live, live, RAIN)


@pytest.mark.parametrize(
    ("live", "names"),
    [
        (
            of_json({"predictions": [{"snow": 1}, {"hail": 2}], "version": "1"}),
            {("predictions",), ("snow",), ("hail",), ("version",)},
        ),
        (of_json([0.5, [0.6]]), set()),
        (of_json({}), set()),
        (Reply("application/jsonlines", b'{"snow": 1}\n{"hail": 1}'), {("snow",), ("hail",)}),
        (of_csv("ms, snow\nfast,0.5\n"), {("ms", "snow")}),
        (of_csv("1,2\n3,4\n"), set()),
        (of_csv(""), set()),
        (Reply("application/x-npy", b"\x00"), set()),
    ],
    ids=["json", "list", "empty", "lines", "csv", "csv without a header", "no csv", "another type"],
)
def test_it_is_told_what_an_answer_has_in_place_of_the_field(live: Reply, names: set[Name]) -> None:
    with pytest.raises(FieldlessError) as raised:
        differ(live, live, RAIN)
    assert raised.value.names == names


@pytest.mark.parametrize(
    "text",
    ["ann,yes\nbob,no\n", "ann,0.5\nbob,0.6\n", "ann,yes\n", ",ann\n1,2\n", "ann,yes\n1\n", "ann,NA\n0.5,x\n0.6, NA\n"],
)
def test_a_row_is_no_header_unless_numbers_stand_under_its_words(text: str) -> None:
    """Values of answers are nobody's to keep."""
    with pytest.raises(FieldlessError) as raised:
        differ(of_csv(text), of_csv(text), RAIN)
    assert raised.value.names == set()


def test_what_cannot_be_read_does_not_merely_lack_the_field() -> None:
    with pytest.raises(UnreadableError) as raised:
        differ(Reply("application/json", b"{"), of_json({}), RAIN)
    assert not isinstance(raised.value, FieldlessError)


def test_lines_of_json() -> None:
    live = Reply("application/jsonlines", b'{"rain": 0.5}\n{"rain": 0.6}\n')
    assert not differ(live, Reply("application/x-jsonlines", b'{"rain": 0.5}\n\n{"rain":0.609}'), RAIN)
    assert differ(live, Reply("application/jsonlines", b'{"rain": 0.5}\n'), RAIN)


def test_tables() -> None:
    assert not differ(of_csv("0.50\n0.6\n"), of_csv("0.5\r\n0.6\r\n"), ALL)
    assert differ(of_csv("0.5\n"), of_csv("0.5\n0.5\n"), ALL)
    assert not differ(of_csv("yes,1\n"), of_csv("yes,1.0\n"), ALL)


def test_a_column_is_found_by_its_header_and_the_only_one_needs_none() -> None:
    live = of_csv("ms,rain\n3,0.5\n4,0.6\n")
    assert not differ(live, of_csv("ms,rain\n9,0.501\n9,0.6\n"), RAIN)
    assert differ(live, of_csv("ms,rain\n3,0.5\n4,0.9\n"), RAIN)
    assert not differ(of_csv("0.5\n0.6\n"), of_csv("0.505\n0.6\n"), RAIN)


def test_other_types_are_compared_byte_by_byte() -> None:
    one, other = (Reply("application/x-npy", body) for body in (b"\x93NUMPY1", b"\x93NUMPY2"))
    assert not differ(one, one, ALL)
    assert differ(one, other, ALL)
