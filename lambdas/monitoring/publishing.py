"""What becomes of a judged window: files, metrics, an item in the table, and an event. All are keyed by the window."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lambdas.contract import DRIFT_WINDOW_DETAIL_TYPE, MONITORING_PREFIX
from lambdas.monitoring.assessment import Assessment, Summary
from lambdas.monitoring.assessment.finding import Kind, Severity
from lambdas.monitoring.budget import Size, all_features, escaped, fitting, plain, worst_features
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

ALARMED = frozenset({"DriftedFeatures", "SeverelyDriftedFeatures", "SuspectWindows", "AccuracyDrops"})
"""Metrics of the time of the look: an alarm sees the last windows' time only, and a window's own may be long past."""

_MOST_FINDINGS, _LONGEST_TEXT = 50, 500

_EVENT_BYTES, _ITEM_BYTES = 240_000, 360_000
"""An event takes 256 KiB, and an item 400 KiB."""

_FINDINGS_BYTES, _KINDS_BYTES, _OUTPUTS_BYTES = 100_000, 50_000, 50_000
"""What findings and outputs may take of that; features take the rest."""

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
        now, end = self._ports.clock.now(), judged.window.end
        data = _sent(judged)
        timed = {now: [each for each in data if each.name in ALARMED]}
        if now - end < _OLDEST_METRIC_SECONDS:
            timed[end] = [*timed.get(end, ()), *(each for each in data if each.name not in ALARMED)]
        for at, values in timed.items():
            if values:
                self._ports.metrics.put(self._settings.endpoint, at, values)

    def _record(self, judged: Judged, report: str) -> None:
        self._ports.records.put_window(
            self._settings.endpoint, judged.window.key, _sound(recorded(judged, report, self._settings.endpoint))
        )


def _sound(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a value whose texts are all Unicode: half a surrogate pair, which JSON may hold, no service takes."""
    sound: Mapping[str, Any] = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    return sound


def detail(judged: Judged, report: str) -> Mapping[str, Any]:
    """Return the event's detail: the same for the same look at the same window."""
    assessment = judged.assessment
    found = findings(assessment, escaped)
    told = {
        "endpoint": assessment.endpoint,
        "window": assessment.window,
        "start": assessment.start,
        "end": assessment.end,
        "look": judged.look,
        "severity": str(assessment.severity),
        "model_version": assessment.model_version,
        "rows": assessment.rows,
        "accuracy": assessment.accuracy,
        "estimated_accuracy": assessment.estimated_accuracy,
        "report": report,
        "findings": found,
    }
    names = worst_features(assessment, _EVENT_BYTES - escaped(told), escaped)
    kept = set(names)
    return {
        **told,
        "drifted": [name for name in assessment.drifted if name in kept],
        "severe": [name for name in assessment.severe if name in kept],
        "features": {name: round(assessment.features[name].psi, 6) for name in names if name in assessment.features},
        "left_out": _left_out(assessment, found, names),
    }


def recorded(judged: Judged, report: str, endpoint: str) -> Mapping[str, Any]:
    """Return the window's item in the table."""
    window, assessment = judged.window, judged.assessment
    found = findings(assessment, plain)
    told = {
        "endpoint": endpoint,
        "window": window.id,
        "start": stamp(window.start),
        "end": stamp(window.end),
        "status": judged.status,
        "look": judged.look,
        "report": report,
        "findings": found,
        "expires": window.end + _KEPT_SECONDS,
    }
    whole = assessment.summary()
    outputs = sorted(whole.output_psi, key=lambda name: -whole.output_psi[name])
    shown = set(fitting(outputs, _OUTPUTS_BYTES, lambda name: plain({name: whole.output_psi[name]})))
    summary = replace(
        whole,
        drifted=(),
        severe=(),
        psi={},
        output_psi={name: psi for name, psi in whole.output_psi.items() if name in shown},
        kinds=tuple(fitting(whole.kinds, _KINDS_BYTES, plain)),
    )
    names = worst_features(assessment, _ITEM_BYTES - plain({**told, "summary": summary.to_json()}), plain)
    kept = set(names)
    summary = replace(
        summary,
        drifted=tuple(name for name in whole.drifted if name in kept),
        severe=tuple(name for name in whole.severe if name in kept),
        psi={name: psi for name, psi in whole.psi.items() if name in kept},
    )
    return {**told, "summary": summary.to_json(), "left_out": _left_out(assessment, found, names)}


def _left_out(assessment: Assessment, found: Sequence[Any], names: Sequence[str]) -> dict[str, int]:
    """Return how many there was no room for; the file `assessment.json` has them all."""
    return {
        "features": len(all_features(assessment)) - len(names),
        "findings": len(assessment.findings) - len(found),
    }


def findings(assessment: Assessment, size: Size) -> list[dict[str, str]]:
    """Return what was found in words, the worst first, as events and the table carry it."""
    said = [
        {
            "kind": str(each.kind),
            "severity": str(each.severity),
            "subject": each.subject,
            "text": each.text[:_LONGEST_TEXT],
        }
        for each in assessment.findings[:_MOST_FINDINGS]
    ]
    return fitting(said, _FINDINGS_BYTES, size)


def _sent(judged: Judged) -> list[Datum]:
    if judged.status != ASSESSED:  # a zero would be taken for what was counted
        return [Datum("SuspectWindows", 1, "Count")]
    return measured(judged) if judged.look == LABELS else metrics(judged)


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
