"""The tables as pictures: how often each method cries wolf, and how soon it finds what is bad."""

from collections.abc import Mapping, Sequence

from bench.judge.cases import Case
from bench.judge.runs import METHODS, Outcome
from tidegate import svg

Outcomes = Mapping[str, Mapping[str, Outcome]]

_COLOURS = ("#0e9488", "#e08a1e", "#8250df", "#cf222e", "#bf3989", "#57606a")
_WIDTH, _MARGIN, _LEGEND_HEIGHT = 860.0, 24.0, 46.0
_LEGEND_COLUMNS, _LEGEND_ROOM = 3, 220.0
_NAMES, _BAR = 300.0, 9.0
_PANEL_WIDTH, _PANEL_HEIGHT, _GAP = 350.0, 170.0, 62.0
_STYLE = """
svg { font: 12px ui-sans-serif, system-ui, sans-serif; background: #ffffff; }
text { fill: #10242e; } .tick { fill: #51666f; font-size: 10.5px; } .end { text-anchor: end; }
.middle { text-anchor: middle; } .title { font-weight: 650; }
.grid { stroke: #dce4e7; } path { fill: none; stroke-width: 1.6; } .ours { stroke-width: 3; }
"""


def false_alarms(cases: Sequence[Case], outcomes: Outcomes) -> str:
    """Draw the share of good versions that each method rolled back, as bars."""
    good = [case for case in cases if not case.bad]
    group = len(METHODS) * (_BAR + 2) + 16
    top = _MARGIN + _LEGEND_HEIGHT + 12
    height = top + max(len(good), 1) * group + _MARGIN + 12
    across = svg.Scale(0, 1, _MARGIN + _NAMES, _WIDTH - 2 * _MARGIN - 30)
    parts = [_legend()]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(svg.line((across(share), top - 6), (across(share), height - _MARGIN - 12), "grid"))
        parts.append(svg.text(across(share), height - _MARGIN + 2, f"{share:.0%}", "tick middle"))
    for number, case in enumerate(good):
        parts.append(_bars(case, outcomes[case.name], top + number * group, across))
    return _picture("Share of good versions that each method rolled back", _WIDTH, height, parts)


def _bars(case: Case, methods: Mapping[str, Outcome], top: float, across: svg.Scale) -> str:
    middle = top + len(METHODS) * (_BAR + 2) / 2
    parts = [svg.text(_MARGIN + _NAMES - 10, middle + 4, case.name, "end")]
    for number, method in enumerate(METHODS):
        share, y = methods[method].share, top + number * (_BAR + 2)
        width = across(share) - across(0)
        parts.append(svg.element("rect", x=across(0), y=y, width=width, height=_BAR, fill=_COLOURS[number]))
        parts.append(svg.text(across(share) + 4, y + _BAR - 0.5, f"{share:.1%}", "tick"))
    return "".join(parts)


def found(cases: Sequence[Case], outcomes: Outcomes) -> str:
    """Draw the share of bad versions that each method had rolled back, over time: a panel for each case."""
    bad = [case for case in cases if case.bad]
    lines = max((len(bad) + 1) // 2, 1)
    width = 2 * (_PANEL_WIDTH + _GAP) + _MARGIN
    height = 2 * _MARGIN + _LEGEND_HEIGHT + lines * (_PANEL_HEIGHT + _GAP)
    parts = [_legend()]
    for number, case in enumerate(bad):
        line, column = divmod(number, 2)
        left = _MARGIN + 40 + column * (_PANEL_WIDTH + _GAP)
        top = _MARGIN + _LEGEND_HEIGHT + 20 + line * (_PANEL_HEIGHT + _GAP)
        parts.append(_panel(case, outcomes[case.name], left, top))
    return _picture("Share of bad versions that each method had rolled back, over time", width, height, parts)


def _panel(case: Case, methods: Mapping[str, Outcome], left: float, top: float) -> str:
    minutes = case.traffic.minutes - case.begins
    across = svg.Scale(0, minutes, left, left + _PANEL_WIDTH)
    down = svg.Scale(0, 1, top + _PANEL_HEIGHT, top)
    parts = [svg.text(left, top - 8, case.name, "title")]
    for share in (0.0, 0.5, 1.0):
        parts.append(svg.line((left, down(share)), (left + _PANEL_WIDTH, down(share)), "grid"))
        parts.append(svg.text(left - 5, down(share) + 4, f"{share:.0%}", "tick end"))
    for minute in range(0, minutes + 1, 10):
        parts.append(svg.text(across(minute), top + _PANEL_HEIGHT + 15, str(minute), "tick middle"))
    for number, method in reversed(list(enumerate(METHODS))):
        steps = svg.stairs(_rising(methods[method]), minutes)
        way = svg.polyline((across(minute), down(share)) for minute, share in steps)
        parts.append(svg.element("path", d=way, class_=_kind(number), stroke=_COLOURS[number]))
    return "".join(parts)


def _rising(outcome: Outcome) -> list[svg.Point]:
    """Return the points at which the share that was found grows."""
    runs, times = len(outcome.minutes), outcome.found
    return [(0.0, 0.0), *((minute, (number + 1) / runs) for number, minute in enumerate(times))]


def _legend() -> str:
    parts = []
    for number, method in enumerate(METHODS):
        line, column = divmod(number, _LEGEND_COLUMNS)
        x, y = _MARGIN + column * _LEGEND_ROOM, _MARGIN + line * 20
        parts.append(svg.element("path", d=f"M{x:g} {y:g}h18", class_=_kind(number), stroke=_COLOURS[number]))
        parts.append(svg.text(x + 23, y + 4, method, "name"))
    return "".join(parts)


def _kind(number: int) -> str:
    return "peer" if number else "ours"


def _picture(label: str, width: float, height: float, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    content = svg.element("style", _STYLE) + "".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">{content}</svg>\n'
