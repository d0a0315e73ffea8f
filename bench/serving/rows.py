"""What is known of each cell: one server with one model, format and number of clients."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

PUBLISHED = (
    "server", "model", "format", "clients", "rps", "p50_ms", "p99_ms", "ratio_to_raw", "cold_s", "rss_mb",
)  # fmt: skip
MEGABYTE = 1e6


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One server's turn.

    Parameters
    ----------
    rps
        Answers a second.
    p50_s, p99_s
        Latencies in seconds.
    ratio_to_raw
        Answers over the rows that the bare loop did in the same round.
    cpu_s
        The server's processor time for each answer, in seconds.
    generator_busy
        The load generator's share of its core.
    """

    rps: float
    p50_s: float
    p99_s: float
    ratio_to_raw: float
    cpu_s: float
    generator_busy: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """A cell's medians over the rounds; the units are in the names, ``cpu_s_per_1000`` is for 1,000 requests."""

    server: str
    model: str
    format: str
    clients: int
    rps: float
    p50_ms: float
    p99_ms: float
    ratio_to_raw: float
    cold_s: float
    rss_mb: float
    cpu_s_per_1000: float
    generator_busy: float
    rps_rounds: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A server that could not be measured, and why; no format or clients: none of them."""

    server: str
    model: str
    format: str
    clients: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Bound:
    """What the model alone does on this machine.

    Parameters
    ----------
    best_batch
        The rows of the batch with the most rows a second.
    batch_s, single_s
        Seconds that such a batch takes, and a batch of one row.
    rps
        Rows a second at the best batch.
    load_s
        Seconds to open the model and run it once.
    """

    best_batch: int
    batch_s: float
    single_s: float
    rps: float
    load_s: float


def summarise(
    samples: Sequence[Sample], *, server: str, model: str, format_: str, clients: int, cold_s: float, rss_bytes: int
) -> Row:
    """Return a cell's row: medians."""
    middle = {name: median(getattr(each, name) for each in samples) for name in Sample.__dataclass_fields__}
    return Row(
        server=server,
        model=model,
        format=format_,
        clients=clients,
        rps=round(middle["rps"], 1),
        p50_ms=round(middle["p50_s"] * 1e3, 3),
        p99_ms=round(middle["p99_s"] * 1e3, 3),
        ratio_to_raw=round(middle["ratio_to_raw"], 5),
        cold_s=round(cold_s, 3),
        rss_mb=round(rss_bytes / MEGABYTE, 1),
        cpu_s_per_1000=round(middle["cpu_s"] * 1e3, 4),
        generator_busy=round(middle["generator_busy"], 3),
        rps_rounds=[round(each.rps, 1) for each in samples],
    )


def save(rows: Sequence[Row], path: Path, *, is_indicative: bool = False) -> None:
    """Write the table: a list of objects with the fields of `PUBLISHED`, and those that only indicate marked so."""
    mark = {"indicative": True} if is_indicative else {}
    _write([{name: getattr(row, name) for name in PUBLISHED} | mark for row in rows], path)


def save_details(path: Path, rows: Sequence[Row], missing: Sequence[Missing], more: Mapping[str, Any]) -> None:
    """Write what the table has no room for: what is missing and why, goals, limits, circumstances."""
    content = {**more, "missing": [asdict(each) for each in missing], "rows": [asdict(each) for each in rows]}
    _write(content, path)


def _write(content: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
