import pytest

from localcloud.physics.cloudwatch.judgement import Criteria, judge

ALARM, OK, NONE, KEEP = "ALARM", "OK", "INSUFFICIENT_DATA", "the state before"

# CloudWatch's guide, "Configuring how CloudWatch alarms treat missing data": 3 of 3, then 2 of 3.
THREE_OF_THREE = [
    ("0-X-X", OK, OK, OK, OK),
    ("----0", OK, OK, OK, OK),
    ("-----", NONE, KEEP, ALARM, OK),
    ("0XX-X", ALARM, ALARM, ALARM, ALARM),
    ("--X--", ALARM, KEEP, ALARM, OK),
]
TWO_OF_THREE = [
    ("0-X-X", ALARM, ALARM, ALARM, ALARM),
    ("00X0X", ALARM, ALARM, ALARM, ALARM),
    ("0-X--", OK, OK, ALARM, OK),
    ("----0", OK, OK, ALARM, OK),
    ("---X-", ALARM, KEEP, ALARM, OK),
]
CASES = [(3, *row) for row in THREE_OF_THREE] + [(2, *row) for row in TWO_OF_THREE]


@pytest.mark.parametrize(("to_alarm", "drawn", "missing", "ignore", "breaching", "not_breaching"), CASES)
def test_missing_data_is_treated_as_the_guide_tabulates(
    to_alarm: int, drawn: str, missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    values = {"0": 1.0, "X": 9.0, "-": None}
    points = [(float(index), values[mark]) for index, mark in enumerate(drawn)]
    treatments = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}
    for treatment, expected in treatments.items():
        criteria = Criteria("GreaterThanThreshold", 5.0, 3, to_alarm, treatment)
        assert judge(criteria, points, KEEP).state == expected, treatment


def test_a_single_late_breach_is_no_alarm_yet() -> None:
    points = [(float(index), None) for index in range(4)] + [(4.0, 9.0)]
    criteria = Criteria("GreaterThanThreshold", 5.0, 3, 3, "missing")
    assert judge(criteria, points, NONE).state == NONE


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [6]),
        ("GreaterThanOrEqualToThreshold", [5, 6]),
        ("LessThanThreshold", [4]),
        ("LessThanOrEqualToThreshold", [4, 5]),
    ],
)
def test_comparisons(comparison: str, breaching: list[int]) -> None:
    criteria = Criteria(comparison, 5.0, 1, 1)
    assert [value for value in (4, 5, 6) if criteria.breaches(value)] == breaching
