"""The pieces that the demos' pages have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

_ASSETS = Path(__file__).parent / "assets"


def style_sheet(name: str) -> str:
    """Return one of the style sheets that only the demos' pages need."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def checks(report: Mapping[str, Any]) -> str:
    """Return the criteria of a report, each passed or failed."""
    rows = (
        (mark(check["passed"]), escape(check["name"]), f'<span class="soft">{escape(check["detail"])}</span>')
        for check in report["checks"]
    )
    return f'<div class="checks">{table((), rows)}</div>'


def mark(passed: bool) -> str:
    """Return a tick or a cross."""
    return '<span class="yes">✓</span>' if passed else '<span class="no">✗</span>'


def simulated(report: Mapping[str, Any]) -> str:
    """Return where the local cloud differs from AWS."""
    rows = (tuple(escape(each[name]) for name in ("topic", "here", "on_aws")) for each in report["simulated"])
    summary = f"What else differs from AWS ({len(report['simulated'])} topics)"
    return f"<details><summary>{summary}</summary>{table(('topic', 'here', 'on AWS'), rows)}</details>"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: str = "") -> str:
    """Return a table in a card; cells are markup. `numbers` is the class of all but the first column."""
    head = "".join(_cell("th", heading, numbers, place) for place, heading in enumerate(headings))
    body = "".join(
        "<tr>" + "".join(_cell("td", cell, numbers, place) for place, cell in enumerate(row)) + "</tr>" for row in rows
    )
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f'<div class="card scroll"><table>{top}<tbody>{body}</tbody></table></div>'


def _cell(tag: str, content: str, class_: str, place: int) -> str:
    marked = f' class="{class_}"' if class_ and place else ""
    return f"<{tag}{marked}>{content}</{tag}>"
