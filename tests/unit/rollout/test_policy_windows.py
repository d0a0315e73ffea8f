"""Windows open and close by the clocks of their time zone, also on the days when those change."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lambdas.rollout.policy import Policy, Window

OFFICE = (Window(("mon", "tue", "wed", "thu"), "08:00", "18:00"), Window(("fri",), "08:00", "12:00"))
BERLIN = ZoneInfo("Europe/Berlin")


def opens(windows: Any, local: str, timezone: str = "Europe/Berlin") -> str | None:
    """Return when the next window opens, seen from a local time; None while one is open."""
    policy = Policy(60, 3600, "blue-green", windows=tuple(windows), timezone=timezone)
    zone = ZoneInfo(timezone)
    opening = policy.opens_at(datetime.fromisoformat(local).replace(tzinfo=zone).timestamp())
    return None if opening is None else datetime.fromtimestamp(opening, zone).strftime("%a %Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-07-13 08:00", None),
        ("2026-07-13 17:59:59", None),
        ("2026-07-13 18:00", "Tue 2026-07-14 08:00"),
        ("2026-07-17 11:59", None),
        ("2026-07-17 12:00", "Mon 2026-07-20 08:00"),
        ("2026-07-17 22:00", "Mon 2026-07-20 08:00"),
        ("2026-07-19 23:59", "Mon 2026-07-20 08:00"),
    ],
)
def test_not_on_a_friday_night(now: str, expected: str | None) -> None:
    assert opens(OFFICE, now) == expected


def test_without_windows_it_is_always_open() -> None:
    assert opens((), "2026-07-18 03:00") is None


def test_hours_are_those_of_the_time_zone() -> None:
    assert opens(OFFICE, "2026-07-13 07:30", "Asia/Tokyo") == "Mon 2026-07-13 08:00"
    assert opens(OFFICE, "2026-07-13 07:30", "UTC") == "Mon 2026-07-13 08:00"
    tokyo = Policy(60, 3600, "blue-green", windows=OFFICE, timezone="Asia/Tokyo")
    assert tokyo.opens_at(datetime(2026, 7, 13, 7, 30, tzinfo=BERLIN).timestamp()) is None


NIGHT = (Window(("fri",), "22:00", "04:00"),)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-07-17 21:59", "Fri 2026-07-17 22:00"),
        ("2026-07-17 23:00", None),
        ("2026-07-18 03:59", None),
        ("2026-07-18 04:00", "Fri 2026-07-24 22:00"),
        ("2026-07-17 03:00", "Fri 2026-07-17 22:00"),
    ],
)
def test_window_that_ends_before_it_starts_goes_past_midnight(now: str, expected: str | None) -> None:
    assert opens(NIGHT, now) == expected


def test_window_may_be_the_whole_day() -> None:
    sunday = (Window(("sun",), "00:00", "24:00"),)
    assert opens(sunday, "2026-07-18 23:59:59") == "Sun 2026-07-19 00:00"
    assert opens(sunday, "2026-07-19 23:59:59") is None
    assert opens(sunday, "2026-07-20 00:00") == "Sun 2026-07-26 00:00"


def test_next_window_may_be_a_week_away() -> None:
    assert opens((Window(("mon",), "08:00", "09:00"),), "2026-07-13 09:00") == "Mon 2026-07-20 08:00"


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_hours_stay_the_same_on_the_days_when_the_clocks_change(day: str) -> None:
    sunday = (Window(("sun",), "08:00", "10:00"),)
    assert opens(sunday, f"{day} 07:59:59") == f"Sun {day} 08:00"
    assert opens(sunday, f"{day} 08:00") is None
    assert opens(sunday, f"{day} 09:59:59") is None
    assert opens(sunday, f"{day} 10:00") is not None


@pytest.mark.parametrize("now", ["2026-03-28 22:00", "2026-03-29 01:59", "2026-03-29 03:00"])
def test_window_in_the_hour_that_is_left_out_opens_a_week_later(now: str) -> None:
    assert opens((Window(("sun",), "02:00", "03:00"),), now) == "Sun 2026-04-05 02:00"


def test_window_in_the_hour_that_comes_twice_is_open_in_both() -> None:
    twice = (Window(("sun",), "02:00", "03:00"),)
    policy = Policy(60, 3600, "blue-green", windows=twice, timezone="Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN).timestamp()
    assert policy.opens_at(first) is None
    assert policy.opens_at(first + 3600) is None, "the clock says 02:30 again"
    assert policy.opens_at(first + 5400) is not None
