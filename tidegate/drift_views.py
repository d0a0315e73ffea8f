"""Windows of traffic as tables, text and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lambdas.monitoring.settings import Settings
from tidegate import views
from tidegate.documents import moment
from tidegate.drift import Due, Finding, Window

SEVERITY_STYLES = {
    "none": "green",
    "moderate": "yellow",
    "severe": "bold red",
    "suspect": "magenta",
    "undecided": "dim",
    "info": "dim",
}
_MEANINGS = {
    "none": "nothing has drifted",
    "moderate": "something has drifted",
    "severe": "something has drifted severely",
    "suspect": "the data are broken rather than drifted; they count towards no retraining",
    "undecided": "there is too little to conclude anything",
}
_UNJUDGED = {"failed": "it could not be counted", "given_up": "it was not looked at in time, and is given up"}
_MOST_FEATURES = 4

Steps = Mapping[tuple[str, str], str]
"""What to do about findings, by kind and subject."""


def windows_document(
    name: str, settings: Settings | None, due: Due | None, windows: Sequence[Window]
) -> dict[str, Any]:
    """Return what ``drift`` says of an endpoint."""
    return {
        "endpoint": name,
        "monitored": settings is not None,
        "window_seconds": settings.window_seconds if settings else None,
        "next_window": moment(due.window_start) if due else None,
        "next_due": moment(due.at) if due else None,
        "windows": [window_document(each, {}) for each in windows],
    }


def window_document(window: Window, steps: Steps) -> dict[str, Any]:
    """Return what ``drift`` says of a window."""
    return {
        "window": window.id,
        "start": window.start,
        "end": window.end,
        "status": window.status,
        "look": window.look,
        "severity": window.severity,
        "rows": window.rows,
        "model_version": window.model_version or None,
        "drifted": list(window.drifted),
        "severe": list(window.severe),
        "psi": dict(window.psi),
        "accuracy": window.accuracy,
        "estimated_accuracy": window.estimated_accuracy,
        "findings": [asdict(each) | {"next": steps.get((each.kind, each.subject))} for each in window.findings],
        "report": window.page or None,
    }


def windows_table(windows: Sequence[Window]) -> Table:
    """Show windows, a line each; their names are their starts, in UTC."""
    table = views.empty_table("window", "severity", "rows", "drifted (PSI)", "accuracy", "version")
    for column in (*table.columns[:3], *table.columns[4:]):
        column.no_wrap = True
    for each in windows:
        drifted = _UNJUDGED.get(each.status) or _drifted(each)
        table.add_row(each.id, _severity(each.severity), f"{each.rows:,}", drifted, _accuracy(each), each.model_version)
    return table


def _accuracy(window: Window) -> str:
    if window.accuracy is not None:
        return _share(window.accuracy)
    return f"{_share(window.estimated_accuracy)} est." if window.estimated_accuracy is not None else ""


def _drifted(window: Window) -> Text:
    names = sorted(window.drifted, key=lambda name: -window.psi.get(name, 0.0))
    shown = [_feature(window, name) for name in names[:_MOST_FEATURES]]
    more = [Text(f"and {len(names) - len(shown)} more")] if len(names) > len(shown) else []
    return Text(", ").join([*shown, *more])


def _feature(window: Window, name: str) -> Text:
    psi = f" {window.psi[name]:.2f}" if name in window.psi else ""
    return Text(f"{name}{psi}", style=SEVERITY_STYLES["severe" if name in window.severe else "moderate"])


def due_text(due: Due, now: float) -> Text:
    """Say when the next window is looked at."""
    return Text(f"the next window, from {views.clock(moment(due.window_start) or '')}, is due {_when(due, now)}")


def _when(due: Due, now: float) -> str:
    if due.at > now:
        return f"at {views.moment(due.at, now)}"
    return f"since {views.duration(now - due.at)}: the monitor looks at its next run, which its log tells of"


def window(found: Window, steps: Steps) -> RenderableType:
    """Show a window: what was found, what to do about it, and where its report lies."""
    meaning = _UNJUDGED.get(found.status) or _MEANINGS.get(found.severity, "")
    heading = Text.assemble(
        f"{views.clock(found.start)} to {views.clock(found.end)[11:]}: ",
        _severity(found.severity),
        f" ({meaning})" if meaning else "",
    )
    against = f", compared with the training data of {found.model_version}" if found.model_version else ""
    counted = Text(f"{views.count(found.rows, 'row')}{against}; {_quality(found)}", style="dim")
    findings: list[RenderableType] = [_finding(each, steps) for each in found.findings] or [Text("nothing was found")]
    report = found.page or "none, because nothing could be counted"
    return Group(heading, counted, *_moved(found), Text(""), *findings, Text(""), Text(f"report: {report}"))


def _moved(found: Window) -> list[RenderableType]:
    return [Text.assemble("drifted: ", _all_drifted(found))] if found.drifted else []


def _all_drifted(found: Window) -> Text:
    names = sorted(found.drifted, key=lambda name: -found.psi.get(name, 0.0))
    return Text(", ").join([_feature(found, name) for name in names])


def _quality(found: Window) -> str:
    if found.accuracy is not None:
        return f"accuracy {_share(found.accuracy)}, from labels"
    if found.estimated_accuracy is not None:
        return f"accuracy estimated at {_share(found.estimated_accuracy)}, as no labels have come"
    return "no labels have come, and accuracy cannot be estimated"


def _finding(finding: Finding, steps: Steps) -> Text:
    step = steps.get((finding.kind, finding.subject), "")
    parts: list[Any] = [_severity(finding.severity), f"  {finding.subject}: {finding.text}"]
    return Text.assemble(*parts, (f"\n    next: {step}", "dim") if step else "")


def _severity(severity: str) -> Text:
    return Text(severity, style=SEVERITY_STYLES.get(severity, ""))


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"
