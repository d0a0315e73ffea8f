"""What the drift monitor found in each window of an endpoint's traffic, as it keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from lambdas import contract
from lambdas.monitoring.settings import Settings
from lambdas.monitoring.times import epoch
from lambdas.monitoring.windows import SETTLE_SECONDS, containing
from tidegate import items
from tidegate.aws import Aws
from tidegate.items import text
from tidegate.settings import EndpointSettings

MOST_WINDOWS = 500
PAGE_NAME = "report.html"


@dataclass(frozen=True)
class Finding:
    """One thing that the monitor has to say of a window."""

    kind: str
    severity: str
    subject: str
    text: str


@dataclass(frozen=True)
class Window:
    """A window of traffic.

    Parameters
    ----------
    start, end
        When, in ISO 8601; the end is not part of it.
    severity
        ``none``, ``moderate``, ``severe``, ``suspect`` (the data are broken rather than drifted) or ``undecided``.
    rows
        How many rows of input were counted.
    model_version
        The live version, against whose training data they were compared.
    drifted, severe
        The features that drifted, and those of them that did severely.
    psi
        Population stability index by feature, without what chance alone would give.
    accuracy
        Share of right answers among those whose labels have come; None without labels.
    estimated_accuracy
        The same, estimated without labels; None where the model gives no probability.
    report
        S3 URI of its page; of what was written last where there is none, because nothing could be counted.
    id, key
        Its name in events and reports, and in S3.
    status
        ``assessed``; ``failed`` or ``given_up`` where it could not be.
    look
        Which look this comes from: ``first``, or ``labels`` once its labels have come.
    """

    start: str
    end: str
    severity: str
    rows: int
    model_version: str
    drifted: tuple[str, ...] = ()
    severe: tuple[str, ...] = ()
    psi: Mapping[str, float] = field(default_factory=dict)
    accuracy: float | None = None
    estimated_accuracy: float | None = None
    findings: tuple[Finding, ...] = ()
    report: str = ""
    id: str = ""
    key: str = ""
    status: str = ""
    look: str = ""

    @property
    def page(self) -> str:
        """S3 URI of its page; empty where it has none."""
        return self.report if self.report.endswith(f"/{PAGE_NAME}") else ""

    def is_called(self, name: str) -> bool:
        """Return whether it is meant by a name: its id, its name in S3, or its start in any form of ISO 8601."""
        if name in (self.id, self.key, self.start):
            return bool(name)
        try:
            return epoch(name) == epoch(self.start)
        except (ValueError, OverflowError):
            return False


@dataclass(frozen=True)
class Due:
    """When the next window is looked at: that which starts then, once its requests can have come."""

    window_start: float
    at: float


def next_due(aws: Aws, endpoint: EndpointSettings, settings: Settings, now: float) -> Due:
    """Return when the next window is looked at; the monitor's first run begins with the window of that moment."""
    cursor = _cursor(aws, endpoint)
    start = float(cursor["next"]) if cursor else float(containing(now, settings.window_seconds).start)
    return Due(start, start + settings.window_seconds + settings.delay_seconds + SETTLE_SECONDS)


def windows(aws: Aws, endpoint: EndpointSettings, most: int = MOST_WINDOWS) -> list[Window]:
    """Return the latest windows, the oldest first."""
    found = _items(aws, endpoint, contract.WINDOW_PREFIX, newest_first=True, page=min(most, 100))
    return [_window(item) for item in islice(found, most)][::-1]


def has_begun(aws: Aws, endpoint: EndpointSettings) -> bool:
    """Return whether the monitor has run: its first run sets the window that it begins with."""
    return _cursor(aws, endpoint) is not None


def _cursor(aws: Aws, endpoint: EndpointSettings) -> dict[str, Any] | None:
    return next(_items(aws, endpoint, contract.MONITOR_CURSOR_KEY), None)


def _items(aws: Aws, endpoint: EndpointSettings, prefix: str, **how: Any) -> Iterator[dict[str, Any]]:
    table, partition = contract.monitoring_table(endpoint.environment), contract.endpoint_partition(endpoint.name)
    return items.beginning(aws, table, partition, prefix, **how)


def _window(item: Mapping[str, Any]) -> Window:
    summary = item.get("summary") or {}
    return Window(
        start=text(item, "start"),
        end=text(item, "end"),
        severity=text(summary, "severity"),
        rows=int(summary.get("rows", 0)),
        model_version=text(summary, "model_version"),
        drifted=tuple(summary.get("drifted", ())),
        severe=tuple(summary.get("severe", ())),
        psi=summary.get("psi") or {},
        accuracy=summary.get("accuracy"),
        estimated_accuracy=summary.get("estimated_accuracy"),
        findings=tuple(_finding(each) for each in item.get("findings") or ()),
        report=text(item, "report"),
        id=text(item, "window"),
        key=text(item, contract.TABLE_SORT_KEY).removeprefix(contract.WINDOW_PREFIX),
        status=text(item, "status"),
        look=text(item, "look"),
    )


def _finding(item: Mapping[str, Any]) -> Finding:
    kind, severity, subject, said = (text(item, name) for name in ("kind", "severity", "subject", "text"))
    return Finding(kind, severity, subject, said)
