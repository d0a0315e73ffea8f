"""Broken data end the retraining with a named finding, and nothing is handed on to training."""

import json
from pathlib import Path
from typing import Any

import pytest

from model_containers.training import replay
from tests.containers.training.jobs import Edit, Retraining, label

ROWS = range(11_000, 11_700)


def column(place: int, text: str, every: int = 1) -> Edit:
    """Put a text into a column of every so many requests."""

    def edit(row: int, captured: dict[str, Any]) -> str:
        if row % every == 0:
            cells = captured["captureData"]["endpointInput"]["data"].split(",")
            cells[place] = text
            captured["captureData"]["endpointInput"]["data"] = ",".join(cells)
        return json.dumps(captured)

    return edit


def truncated(row: int, captured: dict[str, Any]) -> str:
    line = json.dumps(captured)
    return line[: len(line) // 2] if row % 20 == 0 else line


def narrower(_: int, captured: dict[str, Any]) -> str:
    part = captured["captureData"]["endpointInput"]
    return json.dumps(captured | {"captureData": {"endpointInput": part | {"data": part["data"].rpartition(",")[0]}}})


def nothing(_: int, captured: dict[str, Any]) -> None:
    """Capture nothing."""


CAPTURES: dict[str, tuple[Edit, str]] = {
    "truncated lines": (truncated, "malformed_records"),
    "a column too few": (narrower, "schema_change"),
    "a column all missing": (column(1, ""), "missing_values"),
    "NaN": (column(2, "nan", every=20), "not_finite"),
    "text for a number": (column(2, "dry", every=20), "malformed_records"),
    "no traffic": (nothing, "empty_window"),
}

wet = dict(zip(ROWS, replay.labels(ROWS.start, ROWS.stop), strict=True))
LABELS: dict[str, tuple[list[str], str]] = {
    "unknown ids": ([label(row + 1_000_000, value) for row, value in wet.items()], "unknown_labels"),
    "too few": ([label(row, value) for row, value in list(wet.items())[:499]], "too_few_rows"),
    "values": ([label(row, value if row % 10 else "maybe") for row, value in wet.items()], "label_values"),
    "one class": ([label(row, 0) for row in wet], "label_values"),
    "cut off": ([label(row, value)[: None if row % 10 else 40] for row, value in wet.items()], "malformed_labels"),
}


def refused(run: Retraining, finding: str) -> None:
    run.put_data()
    assert run.prepare() == 1, run.told[-1]
    assert finding in run.findings()
    assert f"{finding}: " in run.message("Prepare")
    assert run.report()["fit"] is False
    assert not list((run.folder / "Prepare").glob("processing/output/*/*.csv"))


@pytest.mark.parametrize(("edit", "finding"), CAPTURES.values(), ids=CAPTURES)
def test_broken_captures_are_named(tmp_path: Path, edit: Edit, finding: str) -> None:
    refused(Retraining(tmp_path, ROWS, edit=edit), finding)


@pytest.mark.parametrize(("labels", "finding"), LABELS.values(), ids=LABELS)
def test_broken_labels_are_named(tmp_path: Path, labels: list[str], finding: str) -> None:
    refused(Retraining(tmp_path, ROWS, labels=labels), finding)


def test_a_few_strange_lines_are_left_out_and_reported(tmp_path: Path) -> None:
    labels = [label(row, value) for row, value in wet.items()]
    strangers = [label(1_000_000 + row, 1) for row in range(50)]
    run = Retraining(tmp_path, ROWS, edit=column(2, "nan", every=200), labels=[*labels, labels[0], *strangers])
    run.put_data()

    assert run.prepare() == 0, run.told[-1]
    assert run.findings("info") == ["unknown_labels"]
    report = run.report()
    assert report["unknown_labels"] == 50
    assert report["train"]["rows"] + report["heldout"]["rows"] == len(ROWS) - 4


def test_requests_captured_twice_count_once(tmp_path: Path) -> None:
    run = Retraining(tmp_path, ROWS, edit=lambda _, captured: "\n".join([json.dumps(captured)] * 2))
    run.put_data()

    assert run.prepare() == 0
    assert run.report()["repeated"] == len(ROWS)
    assert run.report()["requests"] == len(ROWS)


def test_what_was_answered_after_the_end_is_left_out(tmp_path: Path) -> None:
    run = Retraining(tmp_path, ROWS)
    run.put_data()

    assert run.prepare("--until", "2026-11-01T01:30:00Z") == 0, run.told[-1]
    assert run.report()["heldout"]["last"] == "2026-11-01T01:30:00Z"
    assert run.prepare("--until", "tomorrow") == 1
    assert "--until is 'tomorrow'" in run.message("Prepare")


def test_a_baseline_that_is_none_is_refused(tmp_path: Path) -> None:
    run = Retraining(tmp_path, ROWS)
    run.put_data()
    (tmp_path / "Prepare/processing/input/baseline/baseline.json").write_text('{"schema_version": 1}')

    assert run.prepare() == 1
    assert "baseline." in run.message("Prepare")
