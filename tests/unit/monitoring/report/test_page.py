import re
from html.parser import HTMLParser

import numpy as np
import pytest

from lambdas.monitoring.assessment import Severity, assess
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.number_tally import NumberTally
from lambdas.monitoring.profile.quality import Quality
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.report import page
from lambdas.monitoring.report.shapes import even
from tests.unit.monitoring.assessment.windows import END, START, baseline, fill, normal, summary, window

EVIL = "<script>alert('x')</script>"
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Checker(HTMLParser):
    """Collects what a page holds, and fails where tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _checked(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


@pytest.fixture(scope="module")
def of() -> Baseline:
    columns = {**normal(5_000, 3, seed=1), "sky": np.random.default_rng(2).choice(["sun", "fog"], 5_000).tolist()}
    return baseline(
        columns,
        levels={"sky": ["sun", "fog"]},
        outputs={"f1": np.random.default_rng(3).random(5_000)},
        quality=Quality(0.9, None, 500),
    )


def _drifted(of: Baseline) -> WindowCounts:
    columns = {**normal(1_000, 3, seed=4, shift=1.5), "sky": ["sun"] * 700 + [EVIL] * 300}
    columns["f2"] += 0.5
    counts = window(of, columns, {"f1": np.random.default_rng(5).random(1_000)})
    counts.endpoint = EVIL
    counts.malformed.add("not_json", EVIL, 3, EVIL, 2)
    counts.performance.n = counts.performance.calibrated_rows = 1_000
    counts.performance.calibrated_over_negative = 300.0
    return counts


def test_it_loads_nothing_and_runs_nothing(of: Baseline) -> None:
    counts = _drifted(of)
    html = page(assess(of, counts), of, counts)
    checker = _checked(html)
    assert not checker.tags & {"script", "link", "img", "iframe", "object", "embed", "base"}
    assert not any(name.startswith("on") or name in {"src", "href", "xlink:href"} for name, _ in checker.attributes)
    assert "url(" not in html
    assert "@import" not in html
    assert "prefers-color-scheme:dark" in html


def test_whatever_comes_from_data_is_escaped(of: Baseline) -> None:
    counts = _drifted(of)
    html = page(assess(of, counts), of, counts, [summary(3, of, model_version=EVIL)])
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 4


def test_which_how_and_since_when_the_worst_first(of: Baseline) -> None:
    counts = _drifted(of)
    history = [summary(hour, of, severity=Severity.SEVERE, drifted=("f0",), psi={"f0": 0.9}) for hour in (11, 12)]
    history.append(summary(13, of, severity=Severity.SUSPECT, psi={"f0": 0.9}))
    html = page(assess(of, counts), of, counts, history)
    cards = html.split('<article class="card moved')[1:]
    assert [re.search("<h3>(.*?) <span", card).group(1) for card in cards] == ["sky", "f0", "f2"]  # type: ignore[union-attr]
    assert 'class="now"' in cards[1]
    assert "Since at least 2026-03-01 11:00 UTC (3 windows in a row)." in cards[1]
    assert "2026-03-01T12:00Z: PSI 0.900" in cards[1]
    assert "2026-03-01T13:00Z: not judged" in cards[1]
    assert "standard deviations up" in cards[1]
    assert "(unseen)" in cards[0]


def test_an_output_named_like_a_column_is_not_taken_for_it(of: Baseline) -> None:
    counts = _drifted(of)
    found = assess(of, counts)
    assert found.outputs["f1"].psi != found.features["f1"].psi
    html = page(found, of, counts, [summary(12, of, psi={"f1": 0.111}, output_psi={"f1": 0.222})])
    features, answers = html.split("<h2>All features</h2>")[1].split("<h2>Answers</h2>")
    assert "PSI 0.111" in features
    assert "PSI 0.222" not in features
    assert "PSI 0.222" in answers


def test_quality_is_shown_with_intervals(of: Baseline) -> None:
    counts = _drifted(of)
    html = page(assess(of, counts), of, counts)
    assert "accuracy at training" in html
    assert "accuracy, estimated" in html
    assert "0 of 1,000 rows have a label" in html


def test_a_quiet_window_says_so(of: Baseline) -> None:
    sky = np.random.default_rng(7).choice(["sun", "fog"], 1_000).tolist()
    counts = window(of, {**normal(1_000, 3, seed=8), "sky": sky})
    html = page(assess(of, counts), of, counts)
    assert "None of 4 features has moved. Nothing needs to be done." in html
    assert "all quiet" in html
    _checked(html)


def test_a_suspect_window_says_why_before_anything_else(of: Baseline) -> None:
    counts = _drifted(of)
    counts.unknown_columns.add("nobody", 1_000)
    html = page(assess(of, counts), of, counts)
    assert "look broken rather than drifted (schema change: <code>columns</code>)" in html
    assert html.index("<h2>Findings</h2>") < html.index("What else is different, and not counted as drift")
    assert "Which, how, since when" not in html
    _checked(html)


@pytest.mark.parametrize("with_baseline", [True, False])
def test_nothing_to_draw_is_no_reason_to_fail(of: Baseline, with_baseline: bool) -> None:
    empty = WindowCounts.of(of, "rain-dev", START, END) if with_baseline else WindowCounts("rain-dev", START, END, "")
    base = of if with_baseline else None
    _checked(page(assess(base, empty), base, empty))


def test_columns_hold_all_rows_wherever_bins_end() -> None:
    draw = np.random.default_rng(9)
    for values, others in (
        (draw.normal(size=3_000), draw.normal(3, 1, 500)),
        (np.where(draw.random(3_000) < 0.8, 0, draw.gamma(1, 2, 3_000)), draw.gamma(1, 2, 500)),
        (np.full(3_000, 7.0), np.full(500, 1e6)),
        (draw.normal(size=3_000), np.concatenate([draw.normal(size=499), [1e9]])),
    ):
        of = baseline({"x": values})
        old = of.columns["x"].tally
        new = of.columns["x"].empty()
        assert isinstance(old, NumberTally)
        assert isinstance(new, NumberTally)
        fill(new, others)
        low, high, before, now = even(old, new)
        assert low < high < 2e6
        assert sum(before) == pytest.approx(1)
        assert sum(now) == pytest.approx(1)
