"""The table as a picture: requests a second over clients, a panel for each model and format."""

import math
from collections.abc import Sequence

from bench.serving.rows import Row
from bench.serving.servers import CONTAINER, RAW
from tidegate import svg

_PANEL_WIDTH, _PANEL_HEIGHT, _GAP, _MARGIN = 300.0, 190.0, 62.0, 24.0
_LEGEND_HEIGHT = 46.0
_COLOURS = ("#0e9488", "#7c93a0", "#e08a1e", "#8250df", "#cf222e", "#0969da", "#9a5b08", "#bf3989", "#57606a")
_STYLE = """
svg { font: 12px ui-sans-serif, system-ui, sans-serif; background: #ffffff; }
text { fill: #10242e; } .tick { fill: #51666f; font-size: 10.5px; } .end { text-anchor: end; }
.middle { text-anchor: middle; } .title { font-weight: 650; }
.grid { stroke: #dce4e7; } path { fill: none; stroke-width: 1.6; } .ours { stroke-width: 3; }
.raw { stroke-dasharray: 5 4; }
"""


def draw(rows: Sequence[Row], mark: str = "") -> str:
    """Return the picture as SVG, with a mark at the end of what it says."""
    panels = list(dict.fromkeys((row.model, row.format) for row in rows))
    formats = max((sum(model == each for each, _ in panels) for model, _ in panels), default=1)
    servers = _servers(rows)
    drawn = [
        _panel([row for row in rows if (row.model, row.format) == panel], servers, *_corner(number, formats))
        for number, panel in enumerate(panels)
    ]
    width = 2 * _MARGIN + formats * (_PANEL_WIDTH + _GAP)
    lines = max(math.ceil(len(panels) / formats), 1)
    height = 2 * _MARGIN + _LEGEND_HEIGHT + lines * (_PANEL_HEIGHT + _GAP)
    content = svg.element("style", _STYLE) + _legend(servers, width) + "".join(drawn)
    if mark:
        content += svg.text(width - _MARGIN, height - _MARGIN / 2, mark.strip(), "tick end")
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    label = f"Requests a second of each server over the number of clients{mark}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">{content}</svg>\n'


def _servers(rows: Sequence[Row]) -> dict[str, str]:
    """Return each server's colour; ours comes first."""
    names = sorted({row.server for row in rows}, key=lambda name: (name != CONTAINER, name != RAW, name))
    return {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}


def _corner(number: int, columns: int) -> tuple[float, float]:
    line, column = divmod(number, columns)
    left = _MARGIN + 40 + column * (_PANEL_WIDTH + _GAP)
    return left, _MARGIN + _LEGEND_HEIGHT + 20 + line * (_PANEL_HEIGHT + _GAP)


def _panel(rows: Sequence[Row], servers: dict[str, str], left: float, top: float) -> str:
    rates = [row.rps for row in rows]
    low, high = 10 ** math.floor(math.log10(min(rates))), 10 ** math.ceil(math.log10(max(rates) * 1.01))
    down = svg.Scale(low, high, top + _PANEL_HEIGHT, top, log=True)
    counts = sorted({row.clients for row in rows})
    across = svg.Scale(0, max(len(counts) - 1, 1), left, left + _PANEL_WIDTH)
    parts = [svg.text(left, top - 8, f"{rows[0].model}, {rows[0].format}: requests/s over clients", "title")]
    power = low
    while power <= high:
        parts.append(svg.line((left, down(power)), (left + _PANEL_WIDTH, down(power)), "grid"))
        parts.append(svg.text(left - 5, down(power) + 4, f"{power:,.0f}", "tick end"))
        power *= 10
    parts += [
        svg.text(across(number), top + _PANEL_HEIGHT + 15, str(count), "tick middle")
        for number, count in enumerate(counts)
    ]
    for name, colour in reversed(servers.items()):
        points = [(across(counts.index(row.clients)), down(row.rps)) for row in rows if row.server == name]
        parts.append(_curve(points, colour, name))
    return "".join(parts)


def _curve(points: Sequence[svg.Point], colour: str, name: str) -> str:
    if not points:
        return ""
    way = "M" + "L".join(f"{svg.number(x)} {svg.number(y)}" for x, y in points)
    kind = {CONTAINER: "ours", RAW: "raw"}.get(name, "peer")
    dots = "" if name == RAW else "".join(
        svg.element("circle", cx=float(x), cy=float(y), r=2.5, fill=colour) for x, y in points
    )  # fmt: skip
    return svg.element("path", d=way, class_=kind, stroke=colour) + dots


def _legend(servers: dict[str, str], width: float) -> str:
    parts, x, y = [], _MARGIN, _MARGIN
    for name, colour in servers.items():
        room = 34 + 7 * len(name)
        if x + room > width - _MARGIN:
            x, y = _MARGIN, y + 20
        kind = {CONTAINER: "ours", RAW: "raw"}.get(name, "peer")
        parts.append(svg.element("path", d=f"M{x:g} {y:g}H{x + 18:g}", class_=kind, stroke=colour))
        parts.append(svg.text(x + 23, y + 4, name, "name"))
        x += room
    return "".join(parts)
