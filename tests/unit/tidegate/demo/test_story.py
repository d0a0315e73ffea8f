from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.unit.tidegate.demo.strokes import EVIDENCE, answered, first_step
from tidegate.demo.bad_luck import BadLuck
from tidegate.demo.display import Display
from tidegate.demo.models import Models
from tidegate.demo.observations import FAILED_ON_PURPOSE, Observations, Sighting
from tidegate.demo.story import LONGEST_ROLLOUT_SECONDS, Story, Timing
from tidegate.registry import MODEL_FILES
from tidegate.rollouts import AuditEntry, Rollout
from tidegate.settings import EndpointSettings


class FakePace:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def models(tmp_path: Path) -> Models:
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        folder = tmp_path / version
        folder.mkdir()
        (folder / "model_card.json").write_text("{}")
        with tarfile.open(folder / "model.tar.gz", "w:gz") as file:
            for name in (*MODEL_FILES, version):
                file.add(folder / "model_card.json", arcname=name)
    return Models(tmp_path)


def rollout(version: str, outcome: str = "PROMOTED") -> Rollout:
    return Rollout(f"r-{version}", "model", version, "green", outcome or "BAKE", outcome, "", "", "")


class Teller:
    """Tells the story to an engine that ends each rollout some seconds after its approval."""

    def __init__(self, account: Any, endpoint: EndpointSettings, models: Models, takes: float) -> None:
        self.pace = FakePace()
        self.seen = Observations(started=1000.0, endpoint="rain-local", rate=40.0)
        self.chapters: list[tuple[str, float]] = []
        self.failed: list[tuple[str, str, int, str]] = []
        self._takes = takes
        self.story = Story(
            account.aws,
            endpoint,
            models,
            self.seen,
            show=self.show,
            bad_luck=BadLuck(self.fail, replace(endpoint, evidence=EVIDENCE), self.seen),
            pace=self.pace,
            timing=Timing(10, 8, 6),
        )

    def fail(self, endpoint: str, variant: str, times: int, reason: str) -> None:
        self.failed.append((endpoint, variant, times, reason))

    def show(self, chapter: str, now: float) -> None:
        if not self.chapters or self.chapters[-1][0] != chapter:
            self.chapters.append((chapter, now))
        self.seen.rollouts = [
            rollout(given.version, "PROMOTED" if now >= given.at + self._takes else "") for given in self.seen.approvals
        ]


def test_versions_are_approved_one_after_the_other(account: Any, endpoint: EndpointSettings, models: Models) -> None:
    teller = Teller(account, endpoint, models, takes=50)
    teller.story.tell()
    approvals = teller.seen.approvals
    assert [given.version for given in approvals] == ["1.1.0", "1.3.0", "1.2.0"]
    assert [given.at for given in approvals] == pytest.approx([1010, 1068, 1126], abs=2)
    assert teller.pace.time == pytest.approx(1182, abs=2)
    assert [update["ModelApprovalStatus"] for update in account.sagemaker.updates] == ["Approved"] * 3
    assert len(teller.chapters) == 7


def test_the_good_version_has_bad_luck_at_its_first_step(
    account: Any, endpoint: EndpointSettings, models: Models
) -> None:
    teller = Teller(account, endpoint, models, takes=50)
    teller.seen.audit.append(first_step("r-1.1.0", 1020.0))
    teller.seen.requests = [answered(at / 10) for at in range(10_000, 11_000)]
    teller.story.tell()
    assert teller.failed == [("rain-local", "green", 1, FAILED_ON_PURPOSE)] * 2
    assert [stroke.at for stroke in teller.seen.misfortunes] == pytest.approx([1020, 1030], abs=1)


def test_a_rollout_that_never_ends_does_not_hold_the_demo_for_ever(
    account: Any, endpoint: EndpointSettings, models: Models
) -> None:
    teller = Teller(account, endpoint, models, takes=10_000)
    teller.story.tell()
    assert teller.pace.time == pytest.approx(1032 + 3 * LONGEST_ROLLOUT_SECONDS, abs=2)


def test_without_a_terminal_each_sentence_is_said_once_and_numbers_every_few_seconds(run: Any) -> None:
    out = io.StringIO()
    seen = run.seen
    display = Display(Console(file=out, width=200), seen)
    with display:
        for quarter in range(41):
            display.show("a chapter", seen.started + seen.sightings[-1].at - seen.started + quarter / 4)
    said = out.getvalue()
    assert said.count("Rolling back 1.2.0 on rain-local") == 1
    assert said.count("req/s") == 3
    assert "InService: 1.1.0 at 100 %" in said


def test_on_a_terminal_versions_weights_and_sentences_are_shown() -> None:
    out = io.StringIO()
    seen = Observations(started=1000.0, endpoint="rain-local", rate=40.0)
    seen.configs = {"mixed": {"blue": "1.0.0", "green": "1.1.0"}}
    seen.sightings = [Sighting(1000, 1000, "InService", "mixed", {"blue": 90.0, "green": 10.0})]
    seen.audit = [AuditEntry("AUDIT#r1#1", "2026-01-01T10:00:00+00:00", "r1", "BAKE", "step", "Bakes at 10 percent.")]
    with Display(Console(file=out, width=120, force_terminal=True, color_system=None), seen) as display:
        display.show("on its way", 1065.0)
    for expected in ("1:05", "on its way", "1.0.0", "1.1.0", "90%", "10%", "Bakes at 10 percent.", "InService"):
        assert expected in out.getvalue()
