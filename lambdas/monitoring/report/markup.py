"""Text becomes markup here, and nowhere else: whatever comes from data is escaped first."""

import re
from collections.abc import Iterable, Sequence
from html import escape

_CODE = re.compile(r"`([^`]*)`")


def rich(text: str) -> str:
    """Return escaped text whose parts in backticks are set as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def pill(severity: str, words: str = "") -> str:
    """Return a small label in a severity's colour."""
    return f'<span class="pill {escape(severity)}">{escape(words or severity)}</span>'


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in a card. Headings are text; cells are markup."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="card scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values, both text, beside each other."""
    said = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
    return f'<dl class="facts">{said}</dl>'
