"""What becomes of a judged window: files, metrics, an item in the table, and an event. All are keyed by the window."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.contract import DRIFT_WINDOW_DETAIL_TYPE, MONITORING_PREFIX
from lambdas.monitoring.assessment import Assessment, Summary
from lambdas.monitoring.assessment.finding import Kind, Severity
from lambdas.monitoring.ports import Datum, Ports
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.settings import Settings
from lambdas.monitoring.times import stamp
from lambdas.monitoring.windows import Window

FIRST, LABELS = "first", "labels"
"""Which look at a window: when it has ended, and when its labels have come."""

ASSESSED, GIVEN_UP, FAILED = "assessed", "given_up", "failed"
"""What is recorded of a window."""

_KEPT_SECONDS = 400 * 86_400
_OLDEST_METRIC_SECONDS = 13 * 86_400
"""CloudWatch refuses values of times that lie two weeks back."""

_MOST_FINDINGS, _LONGEST_TEXT, _MOST_FEATURES = 50, 500, 1000
"""An event takes 256 KiB."""

_OF_ACCURACY = (Kind.ACCURACY, Kind.ESTIMATED_ACCURACY, Kind.SLICE_ACCURACY)
_WORSE = (Severity.MODERATE, Severity.SEVERE)

_JSON, _HTML = "application/json", "text/html; charset=utf-8"

Page = Callable[[Assessment, Baseline, WindowCounts, Sequence[Summary]], str]


@dataclass(frozen=True)
class Judged:
    """A look at a window and what it came to; `counts` and `baseline` are None where nothing could be counted."""

    window: Window
    look: str
    assessment: Assessment
    baseline: Baseline | None
    counts: WindowCounts | None
    history: Sequence[Summary]
    status: str = ASSESSED


class Publisher:
    """Writes down what was found, in an order in which a crash leaves nothing that a repetition would not put right.

    Parameters
    ----------
    ports
        Where to.
    settings
        Of the endpoint.
    page
        Makes the report.
    """

    def __init__(self, ports: Ports, settings: Settings, page: Page) -> None:
        self._ports = ports
        self._settings = settings
        self._page = page

    def publish(self, judged: Judged) -> None:
        """Write files, send metrics, record the window, and send the event, in this order."""
        report = self._write_files(judged)
        self._send_metrics(judged)
        self._record(judged, report)
        self._ports.events.put(DRIFT_WINDOW_DETAIL_TYPE, _sound(detail(judged, report)), self._ports.clock.now())
        assessment = judged.assessment
        self._ports.log.info(
            f"window {judged.window.id}: {assessment.severity}, {assessment.rows} rows, "
            f"drifted: {', '.join(assessment.drifted) or 'nothing'}"
        )

    def _write_files(self, judged: Judged) -> str:
        files: dict[str, tuple[str, str]] = {}
        if judged.counts is not None:
            files["counts.json"] = (judged.counts.text(), _JSON)
        files["assessment.json"] = (json.dumps(judged.assessment.to_json(), allow_nan=False), _JSON)
        if judged.counts is not None and judged.baseline is not None:
            page = self._page(judged.assessment, judged.baseline, judged.counts, judged.history)
            files["report.html"] = (page, _HTML)
        folder = f"{MONITORING_PREFIX}/{self._settings.endpoint}/{judged.window.key}/"
        uri = ""
        for name, (text, kind) in files.items():
            uri = self._ports.files.write(self._settings.bucket, f"{folder}{name}", text.encode(errors="replace"), kind)
        return uri

    def _send_metrics(self, judged: Judged) -> None:
        if judged.status != ASSESSED:  # a zero would be taken for what was counted
            return
        if self._ports.clock.now() - judged.window.end < _OLDEST_METRIC_SECONDS:
            data = measured(judged) if judged.look == LABELS else metrics(judged)
            if data:
                self._ports.metrics.put(self._settings.endpoint, judged.window.end, data)

    def _record(self, judged: Judged, report: str) -> None:
        window = judged.window
        item = {
            "endpoint": self._settings.endpoint,
            "window": window.id,
            "start": stamp(window.start),
            "end": stamp(window.end),
            "status": judged.status,
            "look": judged.look,
            "report": report,
            "summary": judged.assessment.summary().to_json(),
            "findings": findings(judged.assessment),
            "expires": window.end + _KEPT_SECONDS,
        }
        self._ports.records.put_window(self._settings.endpoint, window.key, _sound(item))


def _sound(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a value whose texts are all Unicode: half a surrogate pair, which JSON may hold, no service takes."""
    sound: Mapping[str, Any] = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    return sound


def detail(judged: Judged, report: str) -> Mapping[str, Any]:
    """Return the event's detail: the same for the same look at the same window."""
    assessment = judged.assessment
    features = sorted(assessment.features.items(), key=lambda item: -item[1].psi)[:_MOST_FEATURES]
    return {
        "endpoint": assessment.endpoint,
        "window": assessment.window,
        "start": assessment.start,
        "end": assessment.end,
        "look": judged.look,
        "severity": str(assessment.severity),
        "drifted": list(assessment.drifted)[:_MOST_FEATURES],
        "severe": list(assessment.severe)[:_MOST_FEATURES],
        "features": {name: round(drift.psi, 6) for name, drift in features},
        "model_version": assessment.model_version,
        "rows": assessment.rows,
        "accuracy": assessment.accuracy,
        "estimated_accuracy": assessment.estimated_accuracy,
        "report": report,
        "findings": findings(assessment),
    }


def findings(assessment: Assessment) -> list[dict[str, str]]:
    """Return what was found in words, the worst first, as events and the table carry it."""
    return [
        {
            "kind": str(each.kind),
            "severity": str(each.severity),
            "subject": each.subject,
            "text": each.text[:_LONGEST_TEXT],
        }
        for each in assessment.findings[:_MOST_FINDINGS]
    ]


def metrics(judged: Judged) -> list[Datum]:
    """Return the metrics of a window's first look."""
    assessment, counts = judged.assessment, judged.counts
    data = [
        Datum("DriftedFeatures", len(assessment.drifted), "Count"),
        Datum("SeverelyDriftedFeatures", len(assessment.severe), "Count"),
        Datum("SuspectWindows", int(assessment.severity is Severity.SUSPECT), "Count"),
        Datum("WindowRows", assessment.rows, "Count"),
    ]
    if counts is not None:
        data.append(Datum("MalformedRecords", counts.malformed.total, "Count"))
    for name, drift in assessment.features.items():
        data += [Datum("PSI", drift.psi, feature=name), Datum("MissingShare", drift.missing_share, feature=name)]
    return data + measured(judged)


def measured(judged: Judged) -> list[Datum]:
    """Return the metrics of the model's accuracy, which a window's second look brings."""
    assessment = judged.assessment
    known = {"EstimatedAccuracy": assessment.estimated_accuracy, "Accuracy": assessment.accuracy}
    data = [Datum(name, value) for name, value in known.items() if value is not None]
    drops = [each for each in assessment.findings if each.kind in _OF_ACCURACY and each.severity in _WORSE]
    return [*data, Datum("AccuracyDrops", len(drops), "Count")] if data else []
