"""Answers in which there is nothing of what is to be compared, in numbers and in words."""

import pytest

from lambdas.rollout.judge.incomparable import (
    ENOUGH,
    LONGEST_NAME,
    MOST_KEPT,
    MOST_SHOWN,
    NONE,
    Incomparable,
    in_file,
    obstacle,
)

UNREAD = Incomparable(unread=1)


def fieldless(*names: str) -> Incomparable:
    return in_file(0, ENOUGH, [(name,) for name in names])


def told(found: Incomparable, field: str = "probabilty") -> str:
    return str(obstacle(found, field))


def test_it_is_told_which_field_is_missing_and_which_there_are() -> None:
    assert told(fieldless("probability", "label")) == (
        "no answer that was captured has the field `probabilty` (judge.answers.field), so nothing can be compared; "
        "they have `label`, `probability`: correct the field in environments/, deploy, abort this rollout and "
        "retry it"
    )


def test_answers_without_any_fields_are_told_as_such() -> None:
    text = told(fieldless())
    assert text.startswith("no answer that was captured has the field `probabilty` (judge.answers.field)")
    assert "they have no field in common (numbers and lists have none, nor has CSV without a header)" in text
    assert "correct the field, or leave it out to compare all of an answer, in environments/, deploy" in text


def test_answers_that_cannot_be_read_are_no_matter_of_the_field() -> None:
    for field in ("", "rain"):
        text = told(Incomparable(unread=ENOUGH), field)
        assert text.startswith("no answer that was captured can be read as what its content type says")
        assert "`" not in text


def test_both_are_told_together() -> None:
    text = told(UNREAD + fieldless("label"))
    assert text.startswith("no answer that was captured can be compared: some cannot be read as what their content ")
    assert "none of the others has the field `probabilty` (judge.answers.field); the others have `label`" in text


def test_where_nothing_has_come_there_is_no_obstacle() -> None:
    assert obstacle(NONE, "rain") is None


@pytest.mark.parametrize("one", [UNREAD, in_file(0, 1, [("label",)])])
def test_a_handful_of_answers_has_to_say_so(one: Incomparable) -> None:
    """One odd answer in a quiet hour is no reason to change a policy."""
    assert obstacle(sum([one] * (ENOUGH - 1), NONE), "rain") is None
    assert obstacle(sum([one] * ENOUGH, NONE), "rain") is not None


def test_names_are_known_only_where_a_file_has_enough_answers_that_share_them() -> None:
    """What differs from answer to answer is data, and may name customers; a single one shares all with itself."""
    few = in_file(0, ENOUGH - 1, [("customer",)])
    assert few == Incomparable(fieldless=ENOUGH - 1)
    text = told(few + few)
    assert f"; what they have is told once a file has {ENOUGH} of them: correct the field, or leave it out" in text


def test_of_several_files_the_names_that_all_have_are_known() -> None:
    few, both = in_file(0, 1, [("customer",)]), fieldless("scores", "a") + fieldless("scores", "b")
    assert both == Incomparable(fieldless=2 * ENOUGH, names=("scores",))
    assert (both + fieldless()).names == ()
    for nothing in (UNREAD, few, NONE):
        assert (nothing + both).names == (both + nothing).names == ("scores",)


def test_what_is_kept_and_shown_has_bounds() -> None:
    kept = fieldless(*(f"{n:04d}{'x' * 1000}" for n in range(5000)))
    assert (kept.fieldless, len(kept.names or ()), kept.many) == (ENOUGH, MOST_KEPT, True)
    assert (kept.names or ("",))[0] == f"0000{'x' * (LONGEST_NAME - 5)}…"
    text = told(kept)
    assert text.count("…`") == MOST_SHOWN
    assert "…` and more: correct the field" in text
    assert len(text) < 800


def test_nothing_is_said_to_be_lacking_that_may_have_been_cut() -> None:
    one, other = (fieldless(*(f"{first}{n:02d}" for n in range(MOST_KEPT)), "z") for first in "ab")
    for cut in (one + other, one + fieldless("y"), fieldless("y") + one):
        assert "they have more fields than are kept, see the log of `compare` for some of each file's" in told(cut)
    exact = fieldless(*(f"{n:02d}" for n in range(MOST_KEPT)))
    assert "they have no field in common" in told(exact + fieldless("z"))


@pytest.mark.parametrize("name", ["\ud800", "a\nb", "\x1b[31m", "\u202e"])
def test_a_name_is_kept_so_that_it_can_be_stored_and_shown(name: str) -> None:
    [kept] = fieldless(name).names or ()
    assert kept.isprintable()
    kept.encode()
