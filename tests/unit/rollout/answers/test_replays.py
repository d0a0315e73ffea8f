"""What was put to the new version is no live traffic, and is taken out of the counts of errors."""

from lambdas.rollout.answers import paired
from lambdas.rollout.answers.replays import LEAST, most, noted, told_apart, without
from lambdas.rollout.judge.counts import Paired, Replays, Series, Stratum, Tally


def stratum(at: float, failed: int = 10, new: int = 100, live: int = 900) -> Stratum:
    return Stratum(at, Tally(failed, new), Tally(9, live))


def sent(at: float, failed: int, count: int) -> Replays:
    return Replays(at, Tally(failed, count))


def test_replays_are_noted_by_the_period_in_which_they_were_answered() -> None:
    found = noted((), 1019.9, 10, Tally(0, 1))
    found = noted(found, 1020.0, 10, Tally(1, 1))
    found = noted(found, 1012.0, 10, Tally(1, 1))
    assert found == (sent(1010.0, 1, 2), sent(1020.0, 1, 1))


def test_they_are_taken_from_the_new_version_in_the_period_of_their_time() -> None:
    strata = (stratum(1000.0), stratum(1010.0), stratum(1020.0))
    left = without(strata, 10, [sent(1010.0, 2, 40), sent(1010.0, 1, 10)])
    assert left == (strata[0], stratum(1010.0, 7, 50), strata[2])


def test_longer_periods_lose_all_that_was_sent_in_them() -> None:
    left = without((stratum(1020.0), stratum(1080.0)), 60, [sent(1020.0, 1, 20), sent(1070.0, 2, 30)])
    assert left == (stratum(1020.0, 7, 50), stratum(1080.0))


def test_what_is_long_ago_may_be_counted_in_longer_periods() -> None:
    strata = (stratum(0.0), stratum(300.0), stratum(600.0), stratum(610.0))
    left = without(strata, 10, [sent(590.0, 0, 7), sent(600.0, 0, 8), sent(610.0, 0, 9)])
    assert [each.new.total for each in left] == [100, 93, 92, 91]


def test_what_lies_in_no_period_is_taken_from_none() -> None:
    strata = (stratum(1000.0), stratum(1010.0), stratum(1060.0))
    before, gap, after = sent(990.0, 1, 5), sent(1030.0, 1, 5), sent(1070.0, 1, 5)
    assert without(strata, 10, [before, gap, after]) == strata
    assert without((), 10, [before]) == ()


def test_nothing_falls_below_zero_and_an_empty_period_is_none() -> None:
    strata = (stratum(1000.0, 0, 3), stratum(1010.0, 0, 3, 0))
    left = without(strata, 10, [sent(1000.0, 1, 5), sent(1010.0, 0, 3)])
    assert left == (stratum(1000.0, 0, 0),)


def test_requests_of_files_without_an_answer_are_taken_out_and_are_no_answers() -> None:
    pairs = (Paired(1005.0, 5, 1, (sent(1000.0, 0, 50),)), Paired(1006.0, 0, 0, (sent(1000.0, 3, 3),)))
    series = Series(10, errors=(stratum(1000.0),), latency=(stratum(1000.0),))
    left = told_apart(series, pairs)
    assert left.errors == (stratum(1000.0, 7, 47),)
    assert (left.latency, left.answers) == (series.latency, pairs[:1])
    assert told_apart(series, pairs) == left
    assert told_apart(series, ()) == series


def test_no_more_of_a_file_than_comes_to_the_new_version_by_its_weight() -> None:
    assert [most(900, weight) for weight in (1, 10, 50)] == [9, 100, 900]
    assert most(900, 100) == 900
    assert most(3, 10) == most(0, 100) == LEAST


def test_they_are_read_back_in_their_order_whatever_that_of_the_items_map_is() -> None:
    item = {"at": 1.0, "compared": 0, "differed": 0, "replays": {"1000": [1, 7], "990": [0, 2]}}
    assert paired.read(item).replays == (sent(990.0, 0, 2), sent(1000.0, 1, 7))
