"""Recorded traffic at other weights keeps what matters of it."""

from __future__ import annotations

from random import Random
from statistics import mean, pvariance

import pytest

from tests.unit.tidegate.rehearsal.recordings import recording
from tidegate.rehearsal.recording import Answered
from tidegate.rehearsal.traffic import AsLive, AsRecorded, AsStated, Pool, Traffic


def test_requests_are_divided_by_weight_and_none_is_lost() -> None:
    recorded = recording(new=Answered(300, 6, 3))
    for version in (AsRecorded(recorded), AsLive(recorded), AsStated(recorded, 0.02, None)):
        drawn = Traffic(recorded, version).at(Random(1), 3, 25)
        assert (drawn.new.requests, drawn.live.requests) == (1500, 4500)


def test_at_the_recorded_weight_the_recording_is_what_comes() -> None:
    recorded = recording(new=Answered(300, 6, 3))
    drawn = Traffic(recorded, AsRecorded(recorded)).at(Random(1), 7, 5)
    assert (drawn.new, drawn.live) == (Answered(300, 6, 3), Answered(5700, 28, 57))


def test_a_version_as_good_as_the_live_one_is_part_of_it() -> None:
    recorded = recording()
    random = Random(1)
    drawn = [Traffic(recorded, AsLive(recorded)).at(random, 0, 10) for _ in range(2000)]
    assert all(period.new + period.live == Answered(5700, 28, 57) for period in drawn)
    errors = [period.new.errors for period in drawn]
    assert mean(errors) == pytest.approx(2.8, abs=0.15)
    # Hypergeometric: no more noise than dividing these very requests has.
    assert pvariance(errors) == pytest.approx(2.8 * 0.9, abs=0.3)


def test_what_is_too_little_is_taken_from_the_nearest_periods() -> None:
    pool = Pool([Answered(100, 0), Answered(100, 100), Answered(100, 100), Answered(100, 0), Answered(100, 0)])
    assert pool.draw(Random(1), 1, 100).errors == 100
    assert 100 <= pool.draw(Random(1), 1, 250).errors <= 200
    assert pool.draw(Random(1), 4, 200).errors == 0


def test_what_is_too_little_altogether_is_drawn_by_its_share() -> None:
    drawn = Pool([Answered(), Answered(100, 10, 50)]).draw(Random(1), 0, 10_000)
    assert drawn.errors == pytest.approx(1000, abs=150)
    assert drawn.slow == pytest.approx(5000, abs=250)


def test_no_requests_of_a_version_that_was_never_recorded() -> None:
    assert Pool([Answered()] * 3).draw(Random(1), 0, 0) == Answered()


def test_a_version_that_is_stated() -> None:
    recorded = recording()
    drawn = Traffic(recorded, AsStated(recorded, 1.0, None)).at(Random(1), 0, 10)
    assert (drawn.new.requests, drawn.new.errors) == (570, 570)
    assert drawn.new.slow < 20
