"""The report of the loop as a page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tidegate import svg
from tidegate.demo import markup
from tidegate.demo.chart import clock
from tidegate.demo.html import HTML_NAME
from tidegate.demo.loop.chart import WIDTH, LoopChart

DESCRIPTION = "Accuracy over time, drift of each feature by window, the share of each version, and the events"
MOST_FINDINGS = 2


def write(folder: Path, report: Mapping[str, Any]) -> Path:
    """Write the page; return its path."""
    path = folder / HTML_NAME
    path.write_text(page(report), encoding="utf-8")
    return path


def page(report: Mapping[str, Any]) -> str:
    """Return the page."""
    style = _chart_style() + markup.style_sheet("report.css")
    sections = (
        _header(report),
        f'<div class="panel">{chart_svg(report)}</div>',
        f"<h2>Criteria</h2>{markup.checks(report)}",
        f"<h2>Windows of the drift monitor</h2>{_about_windows()}{_windows(report)}",
        f"<h2>Retraining</h2>{_runs(report)}",
        f"<h2>What is shorter or simulated here</h2>{_declared(report)}",
    )
    body = "\n".join(sections)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        '<meta name="color-scheme" content="light dark"/><title>Tidegate: the loop closed</title>'
        f"<style>{style}</style></head>\n<body><main>{body}</main></body></html>\n"
    )


def chart_svg(report: Mapping[str, Any]) -> str:
    """Return the picture for a page that brings the style."""
    chart = LoopChart(report)
    return svg.inline(chart.draw(), (WIDTH, chart.height), DESCRIPTION)


def standalone_svg(report: Mapping[str, Any]) -> str:
    """Return the picture as a file of its own, for a document."""
    chart = LoopChart(report)
    return svg.card(chart.draw(), (WIDTH, chart.height), DESCRIPTION, _chart_style())


def _chart_style() -> str:
    return svg.style_sheet() + markup.style_sheet("loop.css")


def _header(report: Mapping[str, Any]) -> str:
    words, tone = ("all criteria met", "yes") if report["passed"] else ("criteria not met", "no")
    first, last = report["rows"]
    return (
        "<header><div><h1>Drift found, a better model trained, and in</h1>"
        f'<p class="lead">Endpoint {escape(report["endpoint"])} was sent the weather of days {first:,} to {last:,} in '
        f"{clock(report['seconds'])} minutes, and {report['labels']:,} labels some seconds after the answers. What the "
        "model saw in production was compared with what it was trained on; everything that followed happened by "
        f'itself.</p></div><div class="badge {tone}">{words}</div></header>'
    )


def _about_windows() -> str:
    return (
        "<p>A window is looked at a minute after its end. The weather is no laboratory: before the planted drift the "
        "visibility had truly moved (a new instrument), which is told, and starts nothing, because the rule asks for "
        "two columns. The record goes on changing after the promotion too.</p>"
    )


def _windows(report: Mapping[str, Any]) -> str:
    rows = (
        (
            f"{clock(max(window['start'], 0))} to {clock(max(window['end'], 0))}",
            escape(window["model_version"]),
            f"{window['rows']:,}",
            f'<span class="{"no" if window["severity"] in ("severe", "suspect") else ""}">{window["severity"]}</span>',
            _share(window["accuracy"]),
            _share(window["estimated_accuracy"]),
            _findings(window["findings"]),
        )
        for window in report["windows"]
    )
    headings = ("window", "model", "rows", "severity", "accuracy", "estimated", "findings")
    return markup.table(headings, rows)


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    told = [escape(finding["text"].replace("`", "")) for finding in findings[:MOST_FINDINGS]]
    more = len(findings) - len(told)
    return "<br/>".join([*told, *([f"and {more} more"] if more else [])])


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _runs(report: Mapping[str, Any]) -> str:
    return "".join(_run(run) for run in report["runs"]) or "<p>None was started.</p>"


def _run(run: Mapping[str, Any]) -> str:
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _facts(run))
    return (
        f'<div class="card"><h3>{escape(run["id"])}</h3><p class="soft">{escape(run["reason"])}</p>'
        f"<p>{escape(run['text'])}</p><dl>{facts}</dl></div>"
    )


def _facts(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "outcome", f"{run['outcome']} {run['version']}".strip() or "it has not ended"
    if run["ended"] is not None:
        yield "took", f"{run['ended'] - run['started']:.0f} s"


def _declared(report: Mapping[str, Any]) -> str:
    rows = (
        (escape(each["what"]), f"{each['here_seconds']:g} s", escape(str(each["on_aws"])))
        for each in report["declared"]
    )
    return (
        f"<p>A day of weather is a request, {report['rows_a_minute']} days a minute, and a window of the monitor lasts "
        "a minute; an hour or a day is usual. The templates, functions, roles, model servers and training programs are "
        f"the real ones; AWS itself is simulated on this machine.</p>{markup.table(('what', 'here', 'on AWS'), rows)}"
        f"{markup.simulated(report)}"
    )
