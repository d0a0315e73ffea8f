"""Pictures as inline SVG; their colours are the style sheet's."""

from collections.abc import Sequence
from html import escape
from math import log

from lambdas.monitoring.assessment.wording import index, number, percent
from lambdas.monitoring.profile.tallies import CategoryTally, NumberTally, Tally
from lambdas.monitoring.report.shapes import even, level_shares

WIDTH = 460
_HEIGHT = 130
_FOOT = 18
_ROW = 30
_LEVEL_CHARACTERS = 22
_LEVELS_LEFT = 150
SPARK = (110, 22)

# PSI is drawn by its logarithm, between these.
_LEAST_PSI = 0.004
_MOST_PSI = 4.0


def distribution(reference: Tally, current: Tally) -> str:
    """Return both distributions over each other, or an empty text where there is nothing to draw."""
    if isinstance(reference, NumberTally) and isinstance(current, NumberTally):
        return _histogram(reference, current) if reference.finite and current.finite else ""
    if isinstance(reference, CategoryTally) and isinstance(current, CategoryTally):
        return _levels(reference, current)
    return ""


def _histogram(reference: NumberTally, current: NumberTally) -> str:
    low, high, old, new = even(reference, current)
    top, step = max(*old, *new) or 1.0, WIDTH / len(old)
    heights = [[(_HEIGHT - 6) * share / top for share in shares] for shares in (old, new)]
    bars = "".join(
        f'<rect class="ref" x="{place * step:.1f}" y="{_HEIGHT - height:.1f}" width="{step - 1:.1f}" '
        f'height="{height:.1f}"/>'
        for place, height in enumerate(heights[0])
        if height > 0.05
    )
    line = "".join(
        f"L{place * step:.1f},{_HEIGHT - height:.1f}H{(place + 1) * step:.1f}"
        for place, height in enumerate(heights[1])
    )
    middle = (low + high) / 2
    ticks = "".join(
        f'<text x="{x}" y="{_HEIGHT + 14}" text-anchor="{anchor}">{escape(number(value))}</text>'
        for x, anchor, value in ((0, "start", low), (WIDTH / 2, "middle", middle), (WIDTH, "end", high))
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {_HEIGHT + _FOOT}" role="img" aria-label="Histogram: training and this window">'
        f'{bars}<path class="now" d="M0,{_HEIGHT}{line}V{_HEIGHT}Z"/>'
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>{ticks}</svg>'
    )


def _levels(reference: CategoryTally, current: CategoryTally) -> str:
    shares = level_shares(reference, current)
    room = WIDTH - _LEVELS_LEFT - 52
    most = max((max(old, new) for _, old, new in shares), default=1.0) or 1.0
    drawn = "".join(
        _level(place * _ROW, _short(level), (old, new), room / most) for place, (level, old, new) in enumerate(shares)
    )
    height = len(shares) * _ROW
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Shares: training and this window">{drawn}</svg>'


def _level(y: int, name: str, shares: tuple[float, float], scale: float) -> str:
    rows = "".join(
        f'<rect class="{style}" x="{_LEVELS_LEFT}" y="{y + top}" width="{max(share * scale, 0.5):.1f}" height="11"/>'
        f'<text x="{_LEVELS_LEFT + share * scale + 5:.1f}" y="{y + top + 9.5}">{escape(percent(share))}</text>'
        for style, top, share in (("ref", 2, shares[0]), ("bar", 14, shares[1]))
    )
    return f'<text class="strong" x="{_LEVELS_LEFT - 8}" y="{y + 18}" text-anchor="end">{escape(name)}</text>{rows}'


def _short(text: str) -> str:
    return text if len(text) <= _LEVEL_CHARACTERS else f"{text[: _LEVEL_CHARACTERS - 1]}…"


def spark(windows: Sequence[tuple[str, float | None, str]], most: int) -> str:
    """Return PSI over the last windows, the present one last, as small bars.

    Parameters
    ----------
    windows
        Of each its time, its PSI (None: it was not judged), and the severity whose colour it gets.
    most
        For how many windows there is room.
    """
    width, height = SPARK
    step = width / most
    left = width - step * len(windows)
    bars = "".join(_spark_bar(left + place * step, step - 1, height, *one) for place, one in enumerate(windows))
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="PSI of the last {len(windows)} windows">'
        f'<line class="axis" x1="0" x2="{width}" y1="{height - 0.5}" y2="{height - 0.5}"/>{bars}</svg>'
    )


def _spark_bar(x: float, width: float, height: int, at: str, psi: float | None, severity: str) -> str:
    if psi is None:
        return (
            f'<rect class="hollow" x="{x:.1f}" y="{height - 8}" width="{width:.1f}" height="7">'
            f"<title>{escape(at)}: not judged</title></rect>"
        )
    share = log(min(max(psi, _LEAST_PSI), _MOST_PSI) / _LEAST_PSI) / log(_MOST_PSI / _LEAST_PSI)
    tall = 2 + share * (height - 3)
    return (
        f'<g class="{escape(severity)}"><rect class="tone" x="{x:.1f}" y="{height - tall:.1f}" width="{width:.1f}" '
        f'height="{tall:.1f}"><title>{escape(at)}: PSI {escape(index(psi))}</title></rect></g>'
    )


def intervals(rows: Sequence[tuple[str, float, float, float, str]], guide: float | None) -> str:
    """Return shares with their intervals on one scale.

    Parameters
    ----------
    rows
        Of each its name, value, and the ends of its interval, and the severity whose colour it gets.
    guide
        A share to draw a line at.
    """
    ends = [x for row in rows for x in row[1:4]] + ([guide] if guide is not None else [])
    low, high = max(0.0, min(ends) - 0.02), min(1.0, max(ends) + 0.02)
    left, width = 190, 560
    scale = (width - 20) / (high - low)

    def x(share: float) -> float:
        return left + (share - low) * scale

    height = len(rows) * _ROW + 6
    drawn = "".join(
        f'<g class="{escape(severity)}">'
        f'<text class="strong" x="{left - 14}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
        f'<line class="whisker" x1="{x(a):.1f}" x2="{x(b):.1f}" y1="{y}" y2="{y}"/>'
        f'<circle class="tone" cx="{x(value):.1f}" cy="{y}" r="5"/>'
        f'<text class="value" x="{left + width}" y="{y + 4}">{escape(percent(value))}</text>'
        f'<text x="{left + width + 52}" y="{y + 4}">{escape(percent(a))} to {escape(percent(b))}</text></g>'
        for place, (name, value, a, b, severity) in enumerate(rows)
        for y in [place * _ROW + _ROW // 2 + 3]
    )
    line = (
        "" if guide is None else f'<line class="guide" x1="{x(guide):.1f}" x2="{x(guide):.1f}" y1="0" y2="{height}"/>'
    )
    return f'<svg viewBox="0 0 900 {height}" role="img" aria-label="Quality with intervals">{line}{drawn}</svg>'
