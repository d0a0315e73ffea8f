import pytest

from lambdas.monitoring.assessment import wording


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (12_340, "12,340"),
        (1_018.23, "1,018.2"),
        (-1.2849, "-1.285"),
        (0.02714, "0.0271"),
        (3.2e-9, "3.2e-09"),
    ],
)
def test_numbers_have_four_digits(value: float, said: str) -> None:
    assert wording.number(value) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (1, "100 %"), (0.314, "31 %"), (0.004, "0.4 %"), (0.9997, "99.97 %"), (1e-7, "under 0.01 %")],
)
def test_shares_can_be_told_from_nothing_and_all(share: float, said: str) -> None:
    assert wording.percent(share) == said


@pytest.mark.parametrize(
    ("p_value", "said"), [(0.27, "0.27"), (1 / 2_300, "1 in 2,300"), (0.0, "less than 1 in a billion")]
)
def test_chances_are_odds(p_value: float, said: str) -> None:
    assert wording.chance(p_value) == said


def test_long_lists_are_cut() -> None:
    assert wording.listed(["a", "b"]) == "`a`, `b`"
    assert wording.listed(list("abcdefg")) == "`a`, `b`, `c`, `d`, `e` and 2 more"
