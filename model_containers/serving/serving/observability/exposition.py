"""Prometheus' text format (version 0.0.4), as its "Exposition formats" page defines it."""

from collections.abc import Iterable, Mapping
from itertools import accumulate

from .histogram import Tally

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


class Exposition:
    """Gathers metric families; each must be added once, with all its series."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def counter(self, name: str, text: str, series: Iterable[tuple[Labels, float]]) -> None:
        """Add a counter; its name ends in ``_total``."""
        self._plain(name, "counter", text, series)

    def gauge(self, name: str, text: str, series: Iterable[tuple[Labels, float]]) -> None:
        """Add a gauge."""
        self._plain(name, "gauge", text, series)

    def histogram(self, name: str, text: str, series: Iterable[tuple[Labels, Tally]]) -> None:
        """Add a histogram."""
        lines: list[str] = []
        for labels, tally in series:
            start, shown = _open(labels), _braced(labels)
            edges = [*map(_number, tally.edges), "+Inf"]
            running = accumulate(tally.counts)
            lines += [f'{name}_bucket{start}le="{edge}"}} {n}' for edge, n in zip(edges, running, strict=True)]
            lines += [f"{name}_sum{shown} {_number(tally.total)}", f"{name}_count{shown} {tally.count}"]
        self._family(name, "histogram", text, lines)

    def body(self) -> bytes:
        """Return the whole."""
        return "".join(f"{line}\n" for line in self._lines).encode()

    def _plain(self, name: str, kind: str, text: str, series: Iterable[tuple[Labels, float]]) -> None:
        self._family(name, kind, text, [f"{name}{_braced(labels)} {_number(value)}" for labels, value in series])

    def _family(self, name: str, kind: str, text: str, lines: list[str]) -> None:
        if lines:
            escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
            self._lines += [f"# HELP {name} {escaped}", f"# TYPE {name} {kind}", *lines]


def _number(value: float) -> str:
    # repr is the shortest text that reads back the same, so an edge is exactly what it was set to.
    return repr(value if type(value) is int else float(value))


def _braced(labels: Labels) -> str:
    return _open(labels)[:-1] + "}" if labels else ""


def _open(labels: Labels) -> str:
    return "{" + "".join(f'{name}="{_escaped(value)}",' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
