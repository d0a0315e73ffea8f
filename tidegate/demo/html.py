"""The report as a page that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tidegate import svg
from tidegate.demo import markup, wording
from tidegate.demo.chart import clock, tones
from tidegate.demo.picture import chart_svg
from tidegate.demo.report import Dot

HTML_NAME = "report.html"
OUTCOMES = {"PROMOTED": ("promoted", "yes"), "ROLLED_BACK": ("rolled back", "no")}


def write(folder: Path, report: Mapping[str, Any], dots: Sequence[Dot]) -> Path:
    """Write the page; return its path."""
    path = folder / HTML_NAME
    path.write_text(page(report, dots), encoding="utf-8")
    return path


def page(report: Mapping[str, Any], dots: Sequence[Dot]) -> str:
    """Return the page."""
    sections = (
        _header(report),
        _figures(report),
        f'<div class="panel">{chart_svg(report, dots)}</div>',
        f"<h2>What became of each version</h2>{_rollouts(report)}",
        f"<h2>Criteria</h2>{markup.checks(report)}",
        f"<h2>Traffic by version</h2>{_versions(report)}",
        f"<h2>What is shorter or simulated here</h2>{_declared(report)}",
        f"<h2>Event log</h2>{_log(report)}",
        _footer(report),
    )
    body = "\n".join(sections)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        '<meta name="color-scheme" content="light dark"/><title>Tidegate: report of a run</title>'
        f"<style>{svg.style_sheet()}{markup.style_sheet('report.css')}</style></head>\n"
        f"<body><main>{body}</main></body></html>\n"
    )


def _header(report: Mapping[str, Any]) -> str:
    good, bad, wrong = (escape(report["expected"][which]) for which in ("good", "bad", "wrong"))
    words, tone = ("all criteria met", "yes") if report["passed"] else ("criteria not met", "no")
    return (
        "<header><div><h1>A good version in, a wrong one and a bad one out</h1>"
        f'<p class="lead">Endpoint {escape(report["endpoint"])}, {report["traffic"]["rate"]:g} requests a second for '
        f"{clock(report['seconds'])} minutes. Versions {good}, {wrong} and {bad} were approved in the model registry, "
        f"one after the other; everything after that happened by itself. {good} is better, and some of its requests "
        f"were failed on purpose; {wrong} answers wrongly, without failing; {bad} fails and is slow.</p></div>"
        f'<div class="badge {tone}">{words}</div></header>'
    )


def _figures(report: Mapping[str, Any]) -> str:
    drawn = (
        f'<div class="card"><div class="figure">{a}</div><div class="what">{escape(b)}</div></div>'
        for a, b in _cards(report)
    )
    return f'<div class="cards">{"".join(drawn)}</div>'


def _cards(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    traffic, (good, bad, wrong) = report["traffic"], report["expected"].values()
    rolled_back, found_out = _rollout_of(report, bad), _rollout_of(report, wrong)
    by_bad, on_purpose = traffic["by_version"].get(bad, {}).get("failed", 0), traffic["failed_on_purpose"]
    first = "abort" if _abort_came_first(rolled_back) else "alarm"
    yield f"{traffic['sent']:,}", "requests sent, each at its scheduled instant, none retried"
    yield f"{traffic['failed'] - by_bad - on_purpose:,}", "requests failed by anything but what the next two say"
    yield f"{on_purpose:,}", f"requests of {good} failed on purpose, for which it is not blamed"
    yield f"{by_bad:,}", f"requests that {bad} itself failed before it was shut off"
    yield (
        _missing(rolled_back.get("to_zero_seconds"), "{:.1f} s", "not seen"),
        f"from the {first} of {bad} to no traffic",
    )
    yield f"{found_out.get('canary_requests', 0):,}", f"requests that {wrong} answered before the judge found it out"
    yield _missing(traffic["p99_ms"], "{:g} ms"), "99th percentile of all answers"


def _abort_came_first(rollout: Mapping[str, Any]) -> bool:
    alarm, abort = rollout.get("alarm_at"), rollout.get("aborted_at")
    return alarm is not None and abort is not None and abort < alarm


def _rollout_of(report: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    return next((rollout for rollout in report["rollouts"] if rollout["version"] == version), {})


def _rollouts(report: Mapping[str, Any]) -> str:
    return f'<div class="two">{"".join(_rollout(rollout, tones(report)) for rollout in report["rollouts"])}</div>'


def _rollout(rollout: Mapping[str, Any], tone: Mapping[str, str]) -> str:
    words, colour = OUTCOMES.get(rollout["outcome"], (rollout["outcome"], "no"))
    weights = ", ".join(f"{weight:g} %" for _, weight in rollout["weights"])
    facts = [("weights seen", weights), ("took", f"{rollout['ended_at'] - rollout['approved_at']:.0f} s from approval")]
    on_purpose = rollout["canary_failed_on_purpose"]
    all_failed, own_failed = (
        wording.failed(rollout[f"{which}failed_requests"], on_purpose) for which in ("", "canary_")
    )
    facts += [("requests meanwhile", f"{rollout['requests']:,}, {all_failed} failed")]
    facts += [("answered by it", f"{rollout['canary_requests']:,}, {own_failed} failed")]
    if rollout["alarm_at"] is not None:
        facts.append(("alarm at", f"{rollout['alarm_at']:.1f} s"))
    if rollout["aborted_at"] is not None:
        facts.append(("abort noted at", f"{rollout['aborted_at']:.1f} s"))
    if rollout["zero_weight_at"] is not None:
        facts.append(("weight zero seen at", f"{rollout['zero_weight_at']:.1f} s"))
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    version = escape(rollout["version"])
    return (
        f'<div class="card rollout {tone.get(rollout["version"], "v0")}"><h3>{version}'
        f'<span class="{colour}">{escape(words)}</span></h3>'
        f'<p class="reason">{escape(rollout["reason"])}</p><dl>{rows}</dl>{_judge(rollout)}</div>'
    )


def _judge(rollout: Mapping[str, Any]) -> str:
    said = (
        f'<li><span class="t">{clock(each["t"])}</span>the judge: {escape(each["text"])}</li>'
        for each in rollout["judge"]
    )
    return f'<ul class="judge">{"".join(said)}</ul>' if rollout["judge"] else ""


def _versions(report: Mapping[str, Any]) -> str:
    tone = tones(report)
    rows = (
        (
            f'<span class="{tone.get(version, "v0")}"><span class="swatch"></span></span>{escape(version)}',
            f"{figures['requests']:,}",
            wording.failed(figures["failed"], figures["failed_on_purpose"]),
            _missing(figures["p50_ms"], "{:g} ms"),
            _missing(figures["p99_ms"], "{:g} ms"),
            _missing(figures["right_share"], "{:.1%}"),
        )
        for version, figures in report["traffic"]["by_version"].items()
    )
    return markup.table(
        ("version", "requests", "failed", "median", "99th percentile", "right about the rain"), rows, "n"
    )


def _missing(value: float | None, form: str, otherwise: str = "none") -> str:
    return otherwise if value is None else form.format(value)


def _declared(report: Mapping[str, Any]) -> str:
    rows = (
        (escape(each["what"]), f"{each['here_seconds']:g} s", escape(str(each["on_aws"])))
        for each in report["declared"]
    )
    bakes = ", ".join(f"{step['weight']:g} % for {step['bake_seconds']} s" for step in report["policy"]["steps"][:-1])
    plan = f"{bakes}, then 100 % for {report['policy']['soak_seconds']} s"
    return (
        f"<p>{escape(report['stream'])} Steps: {escape(plan)}; such short bakes are values that AWS accepts too. "
        f"{escape(wording.judging(report['policy']))} "
        "The templates, functions, roles and model servers are the real ones; AWS itself is simulated on this machine "
        "with these durations.</p>"
        f"{markup.table(('what', 'here', 'on AWS'), rows)}{markup.simulated(report)}"
    )


def _log(report: Mapping[str, Any]) -> str:
    rows = (
        (
            f'<span class="t">{clock(max(entry["t"], 0))}.{int(max(entry["t"], 0) * 10 % 10)}</span>',
            f'<span class="tag {entry["source"]}">{escape(entry["source"])}</span>',
            f'<span class="soft">{escape(entry["phase"])}</span>',
            escape(entry["text"]),
        )
        for entry in report["log"]
    )
    return f'<div class="log">{markup.table((), rows)}</div>'


def _footer(report: Mapping[str, Any]) -> str:
    parts = ", ".join(f"{escape(name)} {seconds:.0f} s" for name, seconds in report["set_up_seconds"].items())
    return (
        f"<footer><p>Traffic started {escape(report['started_at'])}. Before that: {parts or 'nothing measured'}. "
        "Every number comes from an answer: responses, DescribeEndpoint four times a second, DescribeAlarms, and the "
        "engine's audit trail. Beside this page: <code>report.json</code>, and <code>requests.csv</code> with every "
        "request. Made by <code>make demo</code>.</p></footer>"
    )
