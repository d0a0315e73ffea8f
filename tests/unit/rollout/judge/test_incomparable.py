"""Answers in which there is nothing of what is to be compared, in numbers and in words."""

import pytest

from lambdas.rollout.judge.incomparable import LONGEST_NAME, MOST_NAMES, UNREAD, Incomparable, fieldless, obstacle


def told(found: Incomparable, field: str = "probabilty") -> str:
    return str(obstacle(found, field))


def test_it_is_told_which_field_is_missing_and_which_there_are() -> None:
    assert told(fieldless({"probability", "label"})) == (
        "no answer that was captured has the field `probabilty` (judge.answers.field), so nothing can be compared; "
        "they all have `label`, `probability`: correct the field in environments/, deploy, abort this rollout and "
        "retry it"
    )


def test_answers_without_any_fields_are_told_as_such() -> None:
    text = told(fieldless(()))
    assert text.startswith("no answer that was captured has the field `probabilty` (judge.answers.field)")
    assert "they have no field in common (numbers and lists have none, nor has CSV without a header)" in text
    assert "correct the field, or leave it out to compare all of an answer, in environments/, deploy" in text


def test_answers_that_cannot_be_read_are_no_matter_of_the_field() -> None:
    for field in ("", "rain"):
        text = told(UNREAD, field)
        assert text.startswith("no answer that was captured can be read as what its content type says")
        assert "`" not in text


def test_both_are_told_together() -> None:
    text = told(UNREAD + fieldless({"label"}))
    assert text.startswith("no answer that was captured can be compared: some cannot be read as what their content ")
    assert "none of the others has the field `probabilty` (judge.answers.field); the others all have `label`" in text


def test_where_nothing_has_come_there_is_no_obstacle() -> None:
    assert obstacle(Incomparable(), "rain") is None


def test_only_the_names_that_all_answers_have_are_kept() -> None:
    """What differs from answer to answer is data, and may name customers."""
    both = fieldless({"scores", "customer 1"}) + fieldless({"scores", "customer 2"})
    assert both == Incomparable(fieldless=2, names=("scores",))
    assert (both + fieldless(())).names == ()
    assert (UNREAD + both).names == (both + UNREAD).names == (Incomparable() + both).names == ("scores",)


def test_what_is_kept_has_bounds() -> None:
    names = {f"{n:04d}{'x' * 1000}" for n in range(5000)}
    kept = fieldless(names).bounded
    assert (kept.fieldless, len(kept.names)) == (1, MOST_NAMES)
    assert kept.names[0] == f"0000{'x' * (LONGEST_NAME - 5)}…"
    assert kept.bounded == kept
    assert len(told(kept)) < 800


@pytest.mark.parametrize("name", ["\ud800", "a\nb", "\x1b[31m", "\u202e"])
def test_a_name_is_kept_so_that_it_can_be_stored_and_shown(name: str) -> None:
    [kept] = fieldless({name}).bounded.names
    assert kept.isprintable()
    kept.encode()
