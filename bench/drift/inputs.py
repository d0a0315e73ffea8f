"""What is measured on: tables and captures, written once."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.quality import OutputRoles
from model_containers.monitoring.baseline import build
from stacks.config import ROOT

FOLDER = ROOT / "build" / "bench" / "drift"
NUMBERS, LEVELS = 30, (3, 5, 8, 20, 40)
MISSING = 0.02
ROUTE = "bench/AllTraffic/2026/11/18/00"
LINES_A_FILE = 100_000
REQUESTS_A_SECOND = 40
BEGIN = 1_795_000_000
_VERSION = 2


def table(rows: int, seed: int) -> pl.DataFrame:
    """Return 30 numbers (a third each normal, lognormal and gamma; every fourth with gaps) and 5 categories."""
    random = np.random.default_rng(seed)
    columns = {f"x{place:02}": _numbers(random, place, rows) for place in range(NUMBERS)}
    for place, levels in enumerate(LEVELS):
        weights = np.arange(levels, 0, -1) / (levels * (levels + 1) / 2)
        names = np.array([f"level-{number}" for number in range(levels)])
        columns[f"c{place}"] = pl.Series(names[random.choice(levels, size=rows, p=weights)])
    return pl.DataFrame(columns)


def parquet(rows: int, seed: int) -> Path:
    """Return a file of that table."""
    path = FOLDER / f"table-{_VERSION}-{rows}-{seed}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        table(rows, seed).write_parquet(path)
    return path


def captures(lines: int, rows: int) -> Path:
    """Return the root of a job's folders: captured CSV requests of some rows each, in base64, with their answers."""
    root = FOLDER / f"captures-{_VERSION}-{lines}-{rows}"
    if not (root / "ready").exists():
        inputs = root / "processing" / "input"
        _write(inputs / "baseline" / "baseline.json", _baseline())
        span = {"start": BEGIN, "end": BEGIN + 86_400 * 30}
        request: dict[str, Any] = {
            "endpoint": "bench",
            **span,
            "slices": [],
            "versions": {"AllTraffic": "1.0.0"},
            "fresh": None,
        }
        _write(inputs / "request" / "request.json", json.dumps(request))
        for number, start in enumerate(range(0, lines, LINES_A_FILE)):
            path = inputs / "captures" / ROUTE / f"{number:03}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_lines(path, start, min(LINES_A_FILE, lines - start), rows)
        _write(root / "ready", "")
    return root


def files(root: Path) -> list[Path]:
    """Return the capture files below a root."""
    return sorted((root / "processing" / "input" / "captures").rglob("*.jsonl"))


def size(root: Path) -> int:
    """Return the bytes of the capture files below a root."""
    return sum(path.stat().st_size for path in files(root))


def _numbers(random: np.random.Generator, place: int, rows: int) -> pl.Series:
    values: NDArray[np.float64] = (
        random.normal(size=rows),
        random.lognormal(size=rows),
        random.gamma(2.0, 3.0, size=rows),
    )[place % 3]
    column = pl.Series(values)
    return column if place % 4 else column.set(pl.Series(random.random(rows) < MISSING), None)


def _baseline() -> str:
    rows = table(20_000, 1)
    random = np.random.default_rng(1)
    probability = random.random(rows.height)
    outputs = pl.DataFrame({"probability": probability, "prediction": (probability > 0.5).astype(float)})
    schema = Schema(
        tuple(Column(c.name, "category" if c.dtype == pl.String else "number") for c in rows.iter_columns())
    )
    labels = (random.random(rows.height) < probability).tolist()
    roles = OutputRoles("probability", "prediction", 0.5)
    return build(schema, rows, outputs, labels, roles, "1.0.0", "2026-11-18T00:00:00Z").text()


def _write_lines(path: Path, start: int, lines: int, rows: int) -> None:
    frame = table(lines * rows, start + 2)
    asked = frame.select(pl.concat_str(_texts(frame), separator=",")).to_series().to_list()
    probability = np.random.default_rng(start).random(lines * rows)
    answered = [f"{p:.6f},{int(p > 0.5)}" for p in probability.tolist()]
    with path.open("w", encoding="ascii") as file:
        for number in range(lines):
            part = slice(number * rows, (number + 1) * rows)
            file.write(_line(start + number, "\n".join(asked[part]), "\n".join(answered[part])))


def _texts(frame: pl.DataFrame) -> list[pl.Expr]:
    """Return each cell as text: six significant digits, nothing where it is missing."""
    return [
        (pl.col(name).round_sig_figs(6).cast(pl.String) if dtype == pl.Float64 else pl.col(name)).fill_null("")
        for name, dtype in frame.schema.items()
    ]


def _line(number: int, asked: str, answered: str) -> str:
    at = datetime.fromtimestamp(BEGIN + number // REQUESTS_A_SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    record = {
        "captureData": {"endpointInput": _part(asked, "INPUT"), "endpointOutput": _part(answered, "OUTPUT")},
        "eventMetadata": {"eventId": f"{number:08x}-0a1b-4c2d-8e3f-{number:012x}", "inferenceTime": at},
        "eventVersion": "0",
    }
    return json.dumps(record, separators=(",", ":")) + "\n"


def _part(body: str, mode: str) -> dict[str, Any]:
    data = base64.b64encode(body.encode()).decode()
    return {"observedContentType": "text/csv", "mode": mode, "data": data, "encoding": "BASE64"}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
