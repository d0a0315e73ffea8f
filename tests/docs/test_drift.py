"""The page on drift says what the monitor does."""

import json
import re
import shlex
import tarfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import get_args, get_type_hints

import numpy as np
import onnxruntime
import pytest

from lambdas import contract
from lambdas.monitoring import executions, monitor, publishing, windows
from lambdas.monitoring.assessment import Assessment, FeatureDrift, Kind, Policy, Severity, assess, quality
from lambdas.monitoring.capture.counting import count_file
from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.domain_classifier.separation import LEAST_ROWS
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.levels import MOST_LEVELS, RARE_SHARE
from lambdas.monitoring.profile.sample import SAMPLE_ROWS
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.publishing import FIRST, Judged, detail, metrics
from lambdas.monitoring.statistics import rows_needed
from lambdas.monitoring.statistics.psi import null_mean
from lambdas.monitoring.statistics.sample_size import reference_rows_needed
from lambdas.monitoring.times import stamp
from lambdas.monitoring.windows import Window
from model_containers.training import replay
from stacks.config import ROOT
from stacks.config.model import Fleet
from stacks.config.monitoring import Monitoring
from stacks.constructs import monitored_endpoint
from tests.docs.pages import Page
from tests.docs.settings import told
from tidegate import cli, labels
from tidegate.demo.loop.stream import DRIFT_ROW, ROWS_A_MINUTE

PAGE = Page("drift.md")
POLICY = Policy()
RECENT = ROOT / "model_containers" / "bootstrap" / "rain-recent"
BASELINE = Baseline.of_text((RECENT / "baseline.json").read_text())
MINUTE, START = 60, 1_800_000_000 // 60 * 60
SHOWN_WINDOWS = 5


class Weather:
    """Windows of the weather after the planted drift, as the demo of the loop sends it, answered by its first model."""

    def __init__(self) -> None:
        with tarfile.open(RECENT / "model.tar.gz") as archive:
            model = archive.extractfile("model.onnx")
            assert model is not None
            self._session = onnxruntime.InferenceSession(model.read(), providers=["CPUExecutionProvider"])

    def windows(self) -> Iterator[tuple[WindowCounts, Assessment]]:
        """Yield what each held, and what is made of it with all labels there."""
        for number in range(SHOWN_WINDOWS):
            first, start = DRIFT_ROW + number * ROWS_A_MINUTE, START + number * MINUTE
            counts = WindowCounts.of(BASELINE, "rain-loop", stamp(start), stamp(start + MINUTE))
            truth = {f"{first + row}": label for row, label in enumerate(self._truth(first))}
            reading = Reading(BASELINE, start, start + MINUTE, labels=truth)
            count_file(self._lines(first, start), "captures", counts, reading)
            yield counts, assess(BASELINE, counts, POLICY)

    def _truth(self, first: int) -> list[str]:
        return [str(int(label)) for label in replay.labels(first, first + ROWS_A_MINUTE)]

    def _lines(self, first: int, start: int) -> Iterator[bytes]:
        for place, row in enumerate(replay.rows(first, first + ROWS_A_MINUTE)):
            at = datetime.fromtimestamp(start + place * MINUTE / ROWS_A_MINUTE, UTC).isoformat()
            yield json.dumps(
                {
                    "captureData": {
                        "endpointInput": _part("text/csv", "CSV", row),
                        "endpointOutput": _part("application/json", "JSON", self._answer(row)),
                    },
                    "eventMetadata": {"eventId": f"{first + place}", "inferenceTime": at},
                }
            ).encode()

    def _answer(self, row: str) -> str:
        values = np.array([[float(cell) for cell in row.split(",")]], dtype=np.float32)
        probability = float(self._session.run(["probability"], {"measurements": values})[0][0])
        return json.dumps({"predictions": [{"probability": probability, "rain": int(probability >= 0.5)}]})


def _part(kind: str, encoding: str, data: str) -> dict[str, str]:
    return {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding}


@pytest.fixture(scope="module")
def weather() -> Sequence[tuple[WindowCounts, Assessment]]:
    return list(Weather().windows())


def test_every_kind_of_finding_is_in_the_table_and_no_other() -> None:
    assert sorted(PAGE.names("finding")) == sorted(Kind)


def test_every_severity_of_a_window_is_in_the_table() -> None:
    assert set(PAGE.names("a window is")) == set(Severity) - {Severity.INFO}


def test_every_setting_is_in_the_table_with_default_and_bounds() -> None:
    shown = {name.strip(): row[1:4] for row in PAGE.rows("field") for name in row[0].split(",")}
    assert shown == told(Monitoring)


def test_every_way_of_capture_is_in_the_table() -> None:
    assert set(PAGE.names("`fleet.capture:`")) == set(get_args(get_type_hints(Fleet)["capture"])) - {"off"}
    assert f"`{contract.CAPTURE_PREFIX}/<endpoint>/{contract.CONTAINER_CAPTURES}/" in PAGE.text


def test_every_metric_is_in_the_table_and_no_other(weather: Sequence[tuple[WindowCounts, Assessment]]) -> None:
    counts, assessment = weather[0]
    judged = Judged(Window(START, START + MINUTE), FIRST, assessment, BASELINE, counts, ())
    sent = metrics(judged)
    of_the_endpoint = {datum.name for datum in sent if not datum.feature} | {"WindowsBehind"}
    of_a_column = {datum.name for datum in sent if datum.feature}
    assert set(PAGE.names("metric")) == of_the_endpoint | of_a_column
    each, columns = len(of_the_endpoint), len(BASELINE.columns)
    assert (
        f"{each} for an endpoint and {len(of_a_column)} for each column, so {each + columns * len(of_a_column)} for "
        f"the {columns} columns of `rain`, and {each + 100 * len(of_a_column)} for 100"
    ) in PAGE.flat


def test_the_event_that_the_pattern_matches_is_the_one_that_is_sent(
    weather: Sequence[tuple[WindowCounts, Assessment]],
) -> None:
    counts, assessment = weather[0]
    sent = detail(Judged(Window(START, START + MINUTE), FIRST, assessment, BASELINE, counts, ()), "")
    shown = re.search(r"```json\n(.*?)```", PAGE.text, re.DOTALL)
    assert shown is not None
    pattern = json.loads(shown[1])
    assert pattern["source"] == [contract.MONITORING_EVENT_SOURCE]
    assert pattern["detail-type"] == [contract.DRIFT_WINDOW_DETAIL_TYPE]
    assert sent["severity"] in pattern["detail"]["severity"]
    assert set(pattern["detail"]["severity"]) < set(Severity)


def test_the_finding_that_is_shown_is_written_so(weather: Sequence[tuple[WindowCounts, Assessment]]) -> None:
    (shown,) = re.findall(r"(?:^> .*\n)+", PAGE.text, re.MULTILINE)
    said = " ".join(shown.replace("\n> ", " ").removeprefix("> ").split())
    _, assessment = weather[0]
    assert any(each.text.startswith(said.removesuffix(".")) for each in assessment.findings)


def test_the_estimate_is_as_wrong_as_the_page_says(weather: Sequence[tuple[WindowCounts, Assessment]]) -> None:
    estimated = [each.estimated_accuracy or 0.0 for _, each in weather]
    true = [each.accuracy or 0.0 for _, each in weather]
    shown = [round(100 * share) for share in (min(estimated), max(estimated), min(true), max(true))]
    assert "first five windows is {} to {} % while the truth is {} to {} %".format(*shown) in PAGE.flat
    assert any("concept drift" in each.text for each in weather[0][1].findings)


@pytest.mark.parametrize("row", Page("drift.md").rows("compared"), ids=lambda row: row[0])
def test_the_least_rows_are_those_of_the_formula(row: list[str]) -> None:
    features = int(row[0].split()[0])
    needed = [rows_needed(POLICY.drift.severe, rows, features=features) for rows in (1_000, 10_000, 100_000)]
    reference = reference_rows_needed(POLICY.drift.severe, features=features)
    assert [int(cell) for cell in row[1:]] == [*needed, reference]


def test_the_alarm_that_is_shown_is_the_templates() -> None:
    of = f"{monitored_endpoint._DRIFTED_WINDOWS} of {monitored_endpoint._OF_WINDOWS} windows"
    assert f"Requests to rain-prod have drifted severely in {of}: see the windows' reports" in PAGE.flat
    assert f"severe drift in {of}" in PAGE.flat
    assert f"more than {monitored_endpoint._BEHIND} windows behind" in PAGE.flat


NEEDED = rows_needed(POLICY.drift.moderate, 10_000, features=11)


@pytest.mark.parametrize(
    "said",
    [
        f"a sample of at most {SAMPLE_ROWS:,}",
        f"at most {len(Bins.of(range(100_000)))} bins of equal mass",
        f"the levels above {RARE_SHARE * 100:g} %, at most {MOST_LEVELS}, each by itself",
        f"{monitor.MOST_A_RUN} windows a run; what is more than {windows.MOST_BEHIND} windows behind is given up",
        f"in B = {POLICY.groups} groups",
        f"{null_mean(10, 100, 1e12):.2f} on average at 100 rows, {null_mean(10, 10_000, 1e12):.4f} at 10,000".replace(
            "0.", "."
        ),
        f"Benjamini and Hochberg at {POLICY.level:.0%}".replace("%", " %"),
        f"`psi` is {POLICY.drift.moderate:g} or more (moderate), or {POLICY.drift.severe:g} (severe)",
        f"with a chance of {POLICY.power * 100:.0f} %",
        f"{NEEDED:,} of 11 at 10,000",
        f"AUC of {POLICY.least_auc:g} or more, p ≤ {POLICY.quality_level:g}",
        f"by {POLICY.missing.moderate * 100:.0f} points and beyond chance; by more than "
        f"{POLICY.broken_missing * 100:.0f} points: **suspect**",
        f"NaN or infinite; above {POLICY.broken_share:.0%} of a column".replace("%", " %"),
        f"from {POLICY.unseen.moderate * 100:g} % of the rows; severe from {POLICY.unseen.severe * 100:g} %",
        f"{POLICY.volume_factor:g} times the median of the last {POLICY.usual_windows} windows, or less than a fifth",
        f"is {POLICY.accuracy.moderate * 100:g} points or more below the baseline's accuracy (p ≤ "
        f"{POLICY.quality_level:g}); severe from {POLICY.accuracy.severe * 100:g}",
        f"moderate above {quality.MANY_UNKNOWN * 100:g} %",
        f"from {quality.LEAST_IN_SLICE} labelled rows on",
        f"({SAMPLE_ROWS:,} rows each at most, {LEAST_ROWS} at least)",
        f"| {publishing._KEPT_SECONDS // 86_400} days |",
        f"(at most {executions.MOST_PARTS} in all)",
        f"`{contract.MONITORING_PREFIX}/<endpoint>/<window>/`",
        f"`{contract.monitoring_table('<env>')}`",
        f"`{contract.LABELS_PREFIX}/<endpoint>/yyyy/mm/dd/hh/`",
        f"# {labels.ID_COLUMN},{labels.LABEL_COLUMN}",
    ],
)
def test_numbers_and_names_are_those_of_the_code(said: str) -> None:
    assert said in PAGE.flat


def test_the_formulas_are_those_of_the_code(weather: Sequence[tuple[WindowCounts, Assessment]]) -> None:
    drifts: Sequence[FeatureDrift] = list(weather[0][1].features.values())
    assert "psi = max(0, PSI - (B - 1)(1/N + 1/M))" in PAGE.flat
    for each in drifts:
        chance = (each.bins - 1) * (1 / each.rows + 1 / each.reference_rows)
        assert each.psi == pytest.approx(max(0.0, each.psi_observed - chance))


@pytest.mark.parametrize("line", PAGE.commands())
def test_commands_can_be_parsed(line: str) -> None:
    assert cli.build_parser().parse_args(shlex.split(line)).run is not None


def test_the_names_in_the_library_exist() -> None:
    from lambdas.monitoring.profile import build, model_monitor

    assert callable(build.build)
    named = re.findall(r"`(\w+_json)`", PAGE.text)
    assert sorted(named) == sorted(name for name in model_monitor.__all__ if name.endswith("_json"))
