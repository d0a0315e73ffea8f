"""Versions as tables and text for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate import views
from tidegate.models import measured
from tidegate.models.archiving import ALREADY, ARCHIVE, KEEP, LOST, Verdict
from tidegate.models.differing import Comparison, Difference
from tidegate.models.showing import Row

MARK_STYLES = {"live": "green", "rolling out": "yellow", "queued": "yellow", "failed": "red", "archived": "dim"}
SIGNATURE_STYLES = {"valid": "green", "invalid": "bold red", "not checked": "yellow", "none": "dim"}
ACTION_STYLES = {ARCHIVE: "yellow", KEEP: "green", ALREADY: "dim", LOST: "red"}
DIRECTION_STYLES = {measured.BETTER: "green", measured.WORSE: "red"}
_LONGEST_VALUE = 160


def list_table(rows: Sequence[Row]) -> RenderableType:
    """Show versions, a line each."""
    table = views.empty_table(
        "version", "package", "approval", "stage", "registered", "accuracy", "signed", "beat", "marks"
    )
    for listed in rows:
        record = listed.record
        table.add_row(
            record.version,
            str(record.package.number),
            views.state_text(record.package.approval),
            record.stage,
            views.clock(record.package.created_at.isoformat())[:10],
            "" if listed.accuracy is None else f"{listed.accuracy:.4f}",
            "yes" if record.package.signed else "no",
            record.lineage.champion,
            Text(", ").join(Text(mark.kind, style=MARK_STYLES.get(mark.kind, "")) for mark in listed.marks),
        )
    return table if rows else Text("no version is registered yet")


def whole(document: Mapping[str, Any]) -> RenderableType:
    """Show one version (a document of `showing.whole`)."""
    parts: list[RenderableType] = [_facts(document)]
    parts += [_section("marks", _lines(mark["text"] for mark in document["marks"]))] if document["marks"] else []
    parts.append(_section("metrics", _metrics(document)))
    parts += [_section("checks", _checks(document["checks"]))] if document["checks"] else []
    parts += [_section("inputs, in its training data", _inputs(document["columns"]))] if document["columns"] else []
    parts += [_section("model card", _pairs(_flat(document["card"])))] if document["card"] else []
    if document["rollouts"]:
        parts.append(_section("rollouts", _lines(_rollout(each) for each in document["rollouts"])))
    parts += [_section("changelog", Text(document["changelog"].strip()))] if document["changelog"] else []
    parts += [_section("could not be read", _lines(document["unread"]))] if document["unread"] else []
    return Group(*parts)


def _facts(document: Mapping[str, Any]) -> Table:
    signature, approvals, cycle = document["signature"], document["approvals"], document["life_cycle"]
    taken_in = approvals["taken_in"]
    said = Text(f"{signature['status']}: {signature['text']}", style=SIGNATURE_STYLES[signature["status"]])
    facts: dict[str, Any] = {
        "version": document["version"],
        "package": f"{document['arn']} ({document['status']})",
        "description": document["description"],
        "registered": _at(document["registered_at"], approvals["registered_by"]),
        "approval": _with(document["approval"], approvals["reason"]),
        "changed last": _at(approvals["changed_at"], approvals["changed_by"]),
        "taken in": f"{taken_in['outcome']}, approved {views.clock(taken_in['approved_at'])}" if taken_in else "",
        "stage": _with(cycle["stage"] or "", cycle["description"]),
        "pinned": document["pinned"],
        "image": document["container"]["image"],
        "artefact": document["container"]["model_data"],
        "environment": ", ".join(f"{name}={value}" for name, value in document["container"]["environment"].items()),
        "sha256": signature["sha256"],
        "signature": said,
        "key": signature["key"],
        **{_LINEAGE[name]: value for name, value in document["lineage"].items()},
    }
    return _pairs((name, value) for name, value in facts.items() if value)


_LINEAGE = {
    "champion": "beat",
    "run": "retraining run",
    "data": "data",
    "commit": "commit",
    "execution": "execution",
}


def _metrics(document: Mapping[str, Any]) -> RenderableType:
    metrics, compared = document["metrics"], document["compared"]
    if not metrics:
        return Text("none are known: register a version with --card to keep what was measured of it")
    if compared is None:
        return _pairs((name, f"{value:.4f}") for name, value in metrics.items())
    table = views.empty_table("metric", document["lineage"]["champion"] or "champion", document["version"], "change")
    for name, value in metrics.items():
        before = compared["champion"].get(name)
        table.add_row(name, "" if before is None else f"{before:.4f}", f"{value:.4f}", _change(name, before, value))
    rows = compared["rows"].get("rows")
    chance = (
        "" if compared["p_value"] is None else f"; a gain as large comes by chance with p = {compared['p_value']:.4f}"
    )
    return Group(table, Text(f"on the same {rows or '?'} held-out rows{chance}", style="dim"))


def _change(name: str, before: float | None, after: float) -> Text:
    if before is None:
        return Text("")
    change = after - before
    direction = measured.direction(name, round(change, 10))
    return Text(f"{change:+.4f} {direction}", style=DIRECTION_STYLES.get(direction, ""))


def _checks(checks: Mapping[str, Any]) -> RenderableType:
    reasons = [str(reason) for reason in checks.get("reasons") or ()]
    passed = Text("passed", style="green") if checks.get("passed") is True else Text("did not pass", style="red")
    return Group(passed, _lines(reasons)) if reasons else passed


def _inputs(columns: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    table = views.empty_table("column", "kind", "from", "to")
    for name, column in columns.items():
        levels = column.get("levels")
        bounds = (", ".join(map(str, levels)), "") if levels is not None else map(_short, _bounds(column))
        table.add_row(name, column["kind"], *bounds)
    return table


def _bounds(column: Mapping[str, Any]) -> tuple[Any, Any]:
    return column.get("minimum"), column.get("maximum")


def _rollout(rollout: Mapping[str, Any]) -> str:
    ended = rollout["outcome"] or rollout["phase"]
    reason = f": {rollout['reason']}" if rollout["reason"] else ""
    return f"{rollout['id']}  {views.clock(rollout['started_at'])}  {ended}{reason}"


def comparison(found: Comparison) -> RenderableType:
    """Show in what two versions differ."""
    table = views.empty_table("metric", found.a, found.b, "change")
    for metric in found.metrics:
        change = metric.direction if metric.change is None else f"{metric.change:+.4f} {metric.direction}"
        style = DIRECTION_STYLES.get(metric.direction, "")
        table.add_row(metric.name, _short(metric.a), _short(metric.b), Text(change, style=style))
    metrics = Group(table, Text(found.comparable, style="dim")) if found.metrics else Text("none are known of either")
    parts = [_section("metrics", metrics)]
    for title, differences in (("inputs", found.inputs), ("container", found.container), ("lineage", found.lineage)):
        parts.append(_section(title, _differences(found, differences)))
    parts += [_section("could not be read", _lines(found.unread))] if found.unread else []
    return Group(*parts)


def _differences(found: Comparison, differences: Sequence[Difference]) -> RenderableType:
    if not differences:
        return Text("no difference is known", style="dim")
    table = views.empty_table("of", "what", found.a, found.b)
    for each in differences:
        of = " ".join(filter(None, (each.subject, f"({each.where})" if each.where not in _PLAIN else "")))
        table.add_row(of, each.what, _short(each.a), _short(each.b))
    return table


_PLAIN = ("container", "lineage")


def verdicts_table(verdicts: Sequence[Verdict], *, dry_run: bool) -> RenderableType:
    """Show what becomes of versions, or would."""
    table = views.empty_table("version", "package", "approval", "what", "why")
    for each in verdicts:
        record = each.record
        action = f"would {each.action}" if dry_run and each.action == ARCHIVE else _DONE.get(each.action, each.action)
        told = Text(action, style=ACTION_STYLES[each.action])
        table.add_row(record.version, str(record.package.number), record.package.approval, told, each.reason)
    return table if verdicts else Text("no version is registered yet")


_DONE = {ARCHIVE: "archived", KEEP: "kept"}


def verdict_document(each: Verdict, *, dry_run: bool) -> dict[str, Any]:
    """Return what becomes of a version, as JSON."""
    package = each.record.package
    done = each.action == ARCHIVE and not dry_run
    return {
        "version": package.version,
        "number": package.number,
        "arn": package.arn,
        "action": each.action,
        "reason": each.reason,
        "changed": done,
    }


def _section(title: str, content: RenderableType) -> Group:
    return Group(Text(""), Text(title, style="bold"), content)


def _pairs(pairs: Any) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(name, value if isinstance(value, Text) else Text(str(value)))
    return grid


def _lines(lines: Any) -> Text:
    return Text("\n".join(str(line) for line in lines))


def _flat(card: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield what a card says, a line for each thing, whatever its schema."""
    for name, value in card.items():
        label = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{label}, ")
        else:
            yield label, _short(value)


def _short(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return _short(", ".join(map(str, value)))
    return _short(json.dumps(value, ensure_ascii=False, default=str))


def _at(at: str | None, by: str | None) -> str:
    return " by ".join(filter(None, (views.clock(at or ""), by)))


def _with(state: str, reason: str | None) -> str:
    return f"{state}: {reason}" if reason else state
