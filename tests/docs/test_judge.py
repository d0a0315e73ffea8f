"""The page on the judge says what the judge does, and its pictures are what the judge draws."""

import re
from dataclasses import fields, replace
from math import log
from pathlib import Path
from typing import get_args

import pytest

from bench.judge import pictures
from lambdas.rollout import observe
from lambdas.rollout.adapters import metrics
from lambdas.rollout.judge import Finding, Limits, Series, Stratum, Tally, Verdict, judge
from lambdas.rollout.judge.dispersion import UNMEASURED
from lambdas.rollout.judge.mixtures import AS_GOOD, WORSE
from lambdas.rollout.judge.planning import Traffic, seconds_to_see, seconds_to_trust
from lambdas.rollout.policy import Answers, Judging
from lambdas.rollout.policy.judging import Inconclusive

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "judge.md").read_text()
FLAT = " ".join(PAGE.split())
LIMITS = Limits()
DEFAULTS = {field.name: field.default for field in fields(Judging)}
ONE_PERCENT, ONE_PERMILLE = Traffic(100, 0.01, 0.05), Traffic(100, 0.001, 0.05)
WORDS = {3: "three", 5: "five", 6: "six"}


def rows(header: str) -> dict[str, str]:
    """Return the first two cells of each row of a table."""
    table = PAGE.partition(f"| {header} |")[2].partition("\n\n")[0]
    lines = [line.split("|") for line in table.splitlines()[2:]]
    return {cells[1].strip().strip("`"): cells[2].strip().strip("`") for cells in lines}


def test_every_setting_is_in_the_table_with_its_default() -> None:
    told = {name: default for name, default in rows("setting").items() if not name.startswith("answers.")}
    assert told == {name: str(default) for name, default in DEFAULTS.items() if name != "answers"}


@pytest.mark.parametrize("name", re.findall(r"answers\.(\w+)", PAGE))
def test_settings_of_answers_exist(name: str) -> None:
    assert name in {field.name for field in fields(Answers)}


def test_sample_is_one_of_them() -> None:
    assert "`sample`" in PAGE
    assert Answers(tolerated_percent=5).sample > 0


def test_every_verdict_is_in_the_table() -> None:
    assert list(rows("verdict")) == [Verdict.ROLLBACK, Verdict.PROMOTE, Verdict.HOLD, "inconclusive"]


def test_what_becomes_of_an_inconclusive_step() -> None:
    told = [name.replace("` (default)", "") for name in rows("`inconclusive:`")]
    assert sorted(told) == sorted(get_args(Inconclusive))
    assert f"`{DEFAULTS['inconclusive']}` (default)" in PAGE


def test_the_line_that_is_explained_is_written_so() -> None:
    finding = Finding("5xx", Tally(31, 1204), Tally(204, 22870), 8, log(412), log(412), -1.0, 1.0)
    assert f"Rolled back at minute 8: {finding.against}." in PAGE


@pytest.mark.parametrize(
    "told",
    [
        f"a metric shows {LIMITS.level:g}:1 that it is worse, after {WORDS[LIMITS.least_looks]} minutes with data",
        f"{LIMITS.breaker:,.0f}:1 sooner, on the guess that the service is noisy (φ = {UNMEASURED:g})",
        f"that reach {LIMITS.level:g} K/k",
        f"ever* reaches {LIMITS.level:g} is 1/{LIMITS.level:g} at most",
        f"ψ = {', '.join(f'{psi:g}' for psi in WORSE)}",
        f"ψ = {', '.join(f'{psi:g}' for psi in AS_GOOD)}",
        f"Below {metrics._LEAST_REQUESTS:,} requests there is none",
    ],
)
def test_numbers_are_those_of_the_code(told: str) -> None:
    assert told in FLAT


def test_what_does_not_count_of_a_cold_start() -> None:
    assert observe._WARM_UP_SECONDS == 60
    assert "The first minute of traffic is left out of latency, not of 5xx" in FLAT


@pytest.mark.parametrize(
    "told",
    [
        "rolled back even below them: 0.4 % errors beside 0.1 % are, at a tolerated 1 %",
        "that is calibrated, not guaranteed",
    ],
)
def test_what_the_settings_and_the_odds_do_not_promise(told: str) -> None:
    assert told in FLAT


def test_what_is_tolerated_is_rolled_back_when_it_is_worse() -> None:
    periods = [Stratum(60.0 * n, Tally(12, 3000), Tally(27, 27000)) for n in range(60)]
    judgement = judge(Series(60, errors=tuple(periods)), LIMITS)
    assert (judgement.verdict, LIMITS.tolerated_error > 12 / 3000) == (Verdict.ROLLBACK, True)


def test_how_long_it_takes_is_what_the_planner_says() -> None:
    seen = [seconds_to_see(traffic, 2, LIMITS) / 60 for traffic in (ONE_PERCENT, ONE_PERMILLE)]
    assert (
        f"twice the errors show after {seen[0]:.0f} minutes if 1 % is usual "
        f"(the judge takes {WORDS[LIMITS.least_looks]}), and after {seen[1]:.0f} if 0.1 % is"
    ) in FLAT
    sure = [seconds_to_trust(each, LIMITS, LIMITS.tolerated_error) / 60 for each in (ONE_PERCENT, ONE_PERMILLE)]
    assert f"passes after {sure[0]:.0f} minutes by the ratio, or after {sure[1]:.0f} if 0.1 % is usual" in FLAT


def test_what_a_margin_costs_is_what_the_planner_says() -> None:
    takes = {
        margin: seconds_to_trust(ONE_PERCENT, replace(LIMITS, margin=margin), LIMITS.tolerated_error)
        for margin in (1.2, LIMITS.margin, 2)
    }
    assert f"1.2 takes {WORDS[round(takes[1.2] / takes[1.5])]} times as long as 1.5, and 2 a third" in FLAT
    assert takes[2] / takes[1.5] == pytest.approx(1 / 3, abs=0.05)


def test_every_picture_is_shown_and_there_is_no_other() -> None:
    shown = re.findall(r"\]\(judge/([\w.]+)\)", PAGE)
    assert sorted(shown) == sorted(pictures.PICTURES) == sorted(path.name for path in pictures.FOLDER.iterdir())


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_pictures_are_current(name: str) -> None:
    drawn = pictures.PICTURES[name]()
    assert (pictures.FOLDER / name).read_text() == drawn, "run: make docs"


def test_the_section_of_the_policies_is_there() -> None:
    assert "policies.md#the-judge" in PAGE
    assert "\n## The judge\n" in (pictures.FOLDER.parent / "policies.md").read_text()
