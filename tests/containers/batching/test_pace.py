"""How long a newcomer is told to expect."""

import pytest

from model_containers.serving.serving.batching.pace import Pace


def test_nothing_is_expected_before_anything_was_run():
    assert Pace(64).seconds_for(1000) == 0.0


def test_full_batches_tell_how_long_a_crowd_waits():
    pace = Pace(10)
    pace.learn(10, 0.5)

    # The batch under way, and those of the rows themselves.
    assert pace.seconds_for(20) == pytest.approx(1.5)


def test_lone_rows_say_nothing_of_a_crowd_once_there_was_one():
    pace = Pace(10)
    pace.learn(1, 0.1)
    assert pace.seconds_for(10) == pytest.approx(0.2)

    pace.learn(10, 0.5)
    pace.learn(1, 0.1)

    assert pace.seconds_for(10) == pytest.approx(1.0, rel=0.05)


def test_a_crowd_is_not_refused_for_ever_because_the_device_once_was_slow():
    pace = Pace(64)
    pace.learn(64, 3.0)
    for _ in range(100):
        pace.learn(4, 0.002)

    assert pace.seconds_for(64) < 0.1


def test_a_change_of_pace_is_believed_gradually():
    pace = Pace(10)
    pace.learn(10, 1.0)
    pace.learn(10, 2.0)
    assert pace.seconds_for(0) == pytest.approx(1.2)
    for _ in range(20):
        pace.learn(10, 2.0)
    assert pace.seconds_for(0) == pytest.approx(2.0, rel=0.01)
