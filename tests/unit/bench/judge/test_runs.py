"""A short simulation shows what the long one measures; goals, tables and pictures are made of it."""

import io
from collections.abc import Mapping
from xml.etree import ElementTree

import pytest
from rich.console import Console

from bench.judge import plot, report
from bench.judge.cases import CASES, Case, Wanted
from bench.judge.costs import Costs
from bench.judge.goals import reached
from bench.judge.runs import CHI_SQUARE, JUDGE, KAYENTA_ONCE, METHODS, Outcome, play

RUNS = 40
CHEAP = Costs(1.0, 40.0, 12.0)
SVG = "{http://www.w3.org/2000/svg}"


def case(name: str) -> Case:
    (found,) = [each for each in CASES if each.name == name]
    return found


@pytest.fixture(scope="module")
def outcomes() -> Mapping[str, Mapping[str, Outcome]]:
    names = ("as good, 1 % errors", "as good, weights 5/25/50 %, errors rise 1 to 3 %", "errors 1 to 2 %",
             "half fails, minutes 20 to 26", "sparse: 10 req/s, 0.01 to 1 %")  # fmt: skip
    return {name: play(case(name), 0, RUNS) for name in names}


def test_the_judge_does_not_cry_wolf_where_looking_on_does(outcomes: Mapping[str, Mapping[str, Outcome]]) -> None:
    good = outcomes["as good, 1 % errors"]
    assert good[JUDGE].share <= 0.05
    assert good[CHI_SQUARE].share >= 0.15
    assert sum(map(bool, good[JUDGE].promoted)) >= 0.9 * RUNS
    ramped = outcomes["as good, weights 5/25/50 %, errors rise 1 to 3 %"]
    assert ramped[JUDGE].share <= 0.05
    assert ramped[CHI_SQUARE].share == 1


def test_the_judge_finds_what_is_bad_and_kayenta_passes_some_of_it(
    outcomes: Mapping[str, Mapping[str, Outcome]],
) -> None:
    for name in ("errors 1 to 2 %", "half fails, minutes 20 to 26", "sparse: 10 req/s, 0.01 to 1 %"):
        assert outcomes[name][JUDGE].share == 1
    assert outcomes["half fails, minutes 20 to 26"][KAYENTA_ONCE].share == 0
    assert outcomes["sparse: 10 req/s, 0.01 to 1 %"][KAYENTA_ONCE].share < 0.7


def test_the_same_chunk_is_the_same_again_and_another_is_not() -> None:
    some = case("as good, noise CV 0.3")
    assert play(some, 0, 5) == play(some, 0, 5)
    assert play(some, 0, 5)[CHI_SQUARE] != play(some, 50, 5)[CHI_SQUARE]


def test_what_was_rolled_back_before_it_happened_is_left_out() -> None:
    outcome = Outcome((5.0, 20.0, 21.0, 0.0), (0.0, 0.0, 11.0, 12.0))
    assert outcome.since(20) == Outcome((1.0, 0.0), (11.0, 12.0))
    assert outcome.since(0) == outcome


@pytest.mark.parametrize(
    ("wanted", "outcome", "met"),
    [
        (Wanted("rolled back at most", 0.5), Outcome((3.0, 0.0), (0.0, 0.0)), True),
        (Wanted("rolled back at most", 0.4), Outcome((3.0, 0.0), (0.0, 0.0)), False),
        (Wanted("rolled back at least", 1.0), Outcome((3.0, 0.0), (0.0, 0.0)), False),
        (Wanted("rolled back at least", 1.0), Outcome((3.0, 9.0), (0.0, 0.0)), True),
        (Wanted("promoted at least", 0.95), Outcome((0.0, 0.0), (4.0, 0.0)), False),
        (Wanted("promoted at most", 0.5), Outcome((0.0, 0.0), (4.0, 0.0)), True),
        (Wanted("minutes", 6), Outcome((6.0, 5.0, 9.0), (0.0, 0.0, 0.0)), True),
        (Wanted("minutes", 6), Outcome((7.0, 5.0, 9.0), (0.0, 0.0, 0.0)), False),
        (Wanted("minutes", 6), Outcome((0.0, 0.0), (0.0, 0.0)), False),
    ],
)
def test_goals(wanted: Wanted, outcome: Outcome, met: bool) -> None:
    some = Case("some", CASES[0].traffic, (wanted,))
    assert [goal.met for goal in reached([some], {"some": outcome}, CHEAP)] == [met, True, True]


@pytest.mark.parametrize("costs", [Costs(5.1, 40.0, 12.0), Costs(1.0, 90.0, 30.1)])
def test_what_it_costs_is_a_goal(costs: Costs) -> None:
    assert [goal.met for goal in reached([], {}, costs)].count(False) == 1


def test_tables_and_pictures_name_every_case_and_method(outcomes: Mapping[str, Mapping[str, Outcome]]) -> None:
    cases = [case(name) for name in outcomes]
    goals = reached(cases, {name: each[JUDGE] for name, each in outcomes.items()}, CHEAP)
    printed = io.StringIO()
    report.show(Console(file=printed, width=250), cases, outcomes, goals)
    pictures = (plot.false_alarms(cases, outcomes), plot.found(cases, outcomes))
    for picture in pictures:
        assert ElementTree.fromstring(picture).tag == f"{SVG}svg"
        assert all(method in picture for method in METHODS)
    for name in outcomes:
        assert name in printed.getvalue()
        assert any(name in picture for picture in pictures)
    assert all(method in printed.getvalue() for method in METHODS)
