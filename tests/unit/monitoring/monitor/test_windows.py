"""Every file is fresh at one window's look, and every moment lies in one window."""

import pytest

from lambdas.monitoring.jobs import job_name
from lambdas.monitoring.times import epoch
from lambdas.monitoring.versions import Timeline, Version
from lambdas.monitoring.windows import (
    MOST_BEHIND,
    SETTLE_SECONDS,
    Window,
    backlog,
    capture_horizon,
    capture_hours,
    containing,
    label_horizon,
    label_hours,
)

START = int(epoch("2026-11-22T03:00:00Z"))
HOUR = Window(START, START + 3600)


def test_names() -> None:
    assert (HOUR.id, HOUR.key) == ("2026-11-22T03:00Z", "20261122T030000Z")
    assert containing(START + 3599.9, 3600) == HOUR
    assert HOUR.later(2).start == START + 7200


@pytest.mark.parametrize("length", [60, 3600, 86_400])
def test_a_window_is_due_when_it_has_ended_and_the_delay_is_over(length: int) -> None:
    due = START + length + 600 + SETTLE_SECONDS
    assert backlog(START, length, 600, due - 1).due == ()
    assert backlog(START, length, 600, due).due == (Window(START, START + length),)


def test_a_long_outage_is_caught_up_with_as_far_as_is_reasonable() -> None:
    waiting = backlog(START, 60, 0, START + 365 * 86_400)
    assert len(waiting.due) == MOST_BEHIND
    assert waiting.given_up is not None
    assert (waiting.given_up.start, waiting.given_up.end) == (START, waiting.due[0].start)
    assert waiting.behind == MOST_BEHIND + waiting.given_up.seconds // 60


@pytest.mark.parametrize("delay", [0, 60, 600])
def test_every_file_is_fresh_at_one_look(delay: int) -> None:
    windows = [Window(START, START + 60).later(n) for n in range(-20, 20)]
    for modified_at in range(START, START + 300, 7):
        taking = [window for window in windows if capture_horizon(window, delay).takes(modified_at)]
        fresh = [window for window in taking if capture_horizon(window, delay).is_fresh(modified_at)]
        assert len(fresh) == 1
        assert (
            containing(modified_at - 1, 60) in taking
        )  # a request just before the file was written is looked for in it
        for later in (0, 3):
            assert sum(label_horizon(w, delay, later).is_fresh(modified_at) for w in windows) == 1


def test_hours_reach_from_before_the_window_to_the_deadline() -> None:
    assert capture_hours(HOUR, 600) == ["2026/11/22/02/", "2026/11/22/03/", "2026/11/22/04/"]
    assert capture_hours(Window(START, START + 60), 60) == ["2026/11/22/02/", "2026/11/22/03/"]
    assert len(label_hours(HOUR, 600, 24)) == 26


def test_names_of_jobs_fit_and_differ() -> None:
    names = {job_name("e" * 63, HOUR, "labels"), job_name("e" * 62, HOUR, "labels"), job_name("e" * 62, HOUR, "first")}
    assert len(names) == 3
    assert all(len(name) <= 63 and name.replace("-", "").isalnum() and "--" not in name for name in names)


def test_versions_of_a_window() -> None:
    first, second = Version("1", None, "blue", until=START + 100), Version("2", "arn:2", "green", until=START + 200)
    lives = Timeline((first, second, Version("3", "arn:3", "blue")), Version("4", "arn:4", "green", mirrored=True))
    assert [lives.at(START + at).version for at in (0, 99, 100, 199, 200, 9999)] == ["1", "1", "2", "2", "3", "3"]
    held = lives.during(Window(START, START + 60))
    assert {slot: version.version for slot, version in held.items()} == {"blue": "1", "green": "2"}
    assert lives.mirrors == {"green"}
    assert Timeline((first,)).mirrors == frozenset()
