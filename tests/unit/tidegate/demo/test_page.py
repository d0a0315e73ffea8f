from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from tidegate.demo import html, picture, report, wording
from tidegate.demo.chart import right_share
from tidegate.demo.report import Dot
from tidegate.demo.summary import print_summary

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def folder(run: Any, tmp_path: Path) -> Path:
    report.write(tmp_path, run.report(), run.seen)
    return tmp_path


def page_of(folder: Path) -> str:
    return html.page(report.read_report(folder), report.read_dots(folder))


def parsed(page: str) -> ElementTree.Element:
    # Void elements are written closed, so the page is XML but for its first line and the named style.
    return ElementTree.fromstring(page.partition("\n")[2])


def test_the_page_is_well_formed(folder: Path) -> None:
    assert parsed(page_of(folder)).tag == "html"


def test_the_page_needs_nothing_from_elsewhere(folder: Path) -> None:
    page = page_of(folder)
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|src=|href=", page)
    assert set(re.findall(r"https?://[^\s\"<]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_the_page_shows_each_version_each_event_and_each_criterion(folder: Path, run: Any) -> None:
    text = " ".join(parsed(page_of(folder)).itertext())
    found = run.report()
    for event in found["events"]:
        assert event["text"] in text
    for check in found["checks"]:
        assert check["name"] in text
    assert "all criteria met" in text
    assert "the judge: Promote at second 22: 5xx 2/152 vs 0/684, evidence that it is not worse 31:1." in text
    assert "2 (2 on purpose) failed" in text
    assert "“rain” of its answers to the same captured requests different in less than 25 %" in text
    assert "5 to 10 minutes" in text
    assert "Encrypted." in text


def test_the_page_of_a_failed_run_says_so(run: Any, tmp_path: Path) -> None:
    run.seen.rollouts = []
    report.write(tmp_path, run.report(), run.seen)
    text = " ".join(parsed(page_of(tmp_path)).itertext())
    assert "criteria not met" in text
    assert "not seen" in text


def test_what_the_cloud_said_cannot_become_markup(run: Any, tmp_path: Path) -> None:
    run.setting = type(run.setting)(**{**vars(run.setting), "stream": "<b>&"})
    report.write(tmp_path, run.report(), run.seen)
    assert "&lt;b&gt;&amp;" in page_of(tmp_path)


def test_the_picture_stands_alone_and_draws_a_dot_for_each_answered_request(folder: Path, run: Any) -> None:
    target = folder / "pictures" / "rollout.svg"
    picture.write(folder, target)
    root = ElementTree.parse(target).getroot()
    assert root.tag == f"{SVG}svg"
    clouds = [path for path in root.iter(f"{SVG}path") if path.get("class", "").startswith("dot")]
    drawn = sum(path.get("d", "").count("h0") for path in clouds)
    assert drawn == run.report()["traffic"]["answered"]


def test_the_share_of_right_answers_is_of_what_was_answered() -> None:
    dots = [Dot(0.1, 5.0, "1.3.0", False, right) for right in (True, False, False, False)]
    failed = [Dot(0.2, 5.0, "1.3.0", True, None)]
    assert list(right_share([*dots, *failed])) == [(0.1, 25.0)]


def test_nothing_is_drawn_outside_the_picture(folder: Path) -> None:
    target = folder / "rollout.svg"
    picture.write(folder, target)
    root = ElementTree.parse(target).getroot()
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for rect in root.iter(f"{SVG}rect"):
        assert 0 <= float(rect.get("x", 0)) + float(rect.get("width", 0)) <= width
        assert 0 <= float(rect.get("y", 0)) + float(rect.get("height", 0)) <= height


def test_flags_do_not_cover_each_other(folder: Path) -> None:
    target = folder / "rollout.svg"
    picture.write(folder, target)
    flags = [
        tuple(float(rect.get(name, 0)) for name in ("x", "y", "width"))
        for rect in ElementTree.parse(target).getroot().iter(f"{SVG}rect")
        if rect.get("class", "").startswith("flag")
    ]
    for x, y, width in flags:
        assert not [other for other in flags if other[1] == y and x < other[0] < x + width]


def test_a_policy_without_a_judge_promises_none() -> None:
    assert wording.judging({"steps": []}) == ""


def test_the_summary_tells_what_the_judge_said_and_what_failed_on_purpose(run: Any) -> None:
    out = io.StringIO()
    print_summary(Console(file=out, width=200), run.report())
    printed = out.getvalue()
    assert "0:28  1.1.0  a request is failed on purpose: it is not the version's fault" in printed
    assert "0:42  1.1.0  the judge: Promote at second 22: 5xx 2/152 vs 0/684" in printed
    assert (
        "2:58  1.3.0  the judge: Rolled back at second 18: answers 97/100, evidence that it is worse 412:1" in printed
    )
    assert printed.count("2 (2 on purpose)") == 2
    assert "FAIL" not in printed
