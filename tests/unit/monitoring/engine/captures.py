"""Generated captures, clean and dirty, with a baseline that they are counted by."""

import base64
import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.build import build
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.window import WindowCounts

START = 1_795_000_000.0
SECONDS = 3600
SCHEMA = Schema((Column("age", "number"), Column("colour", "category"), Column("height", "number")))
COLOURS = ("red", "green", "blue", "dark blue")
ROLES = OutputRoles(probability="probability", prediction="rain", threshold=0.5)
WHERE = "AllTraffic/2026/11/18/10/file.jsonl"

Cell = float | str | None


def baseline(rows: int = 400) -> Baseline:
    """Return a baseline of numbers with a spike, levels, and labels."""
    random = Random(1)
    probability = [random.random() for _ in range(rows)]
    return build(
        SCHEMA,
        {
            "age": [random.gauss(40, 10) if random.random() > 0.3 else 0.0 for _ in range(rows)],
            "colour": [random.choice(COLOURS) for _ in range(rows)],
            "height": [random.lognormvariate(0, 1) for _ in range(rows)],
        },
        {"probability": probability, "rain": [float(p > 0.5) for p in probability]},
        [random.random() < p for p in probability],
        ROLES,
        "1.0.0",
        "2026-11-18T00:00:00Z",
    )


def reading(**more: Any) -> Reading:
    """Return a reading of an hour."""
    return Reading(baseline(), START, START + SECONDS, **more)


def window(reading: Reading) -> WindowCounts:
    """Return empty counts."""
    return WindowCounts.of(reading.baseline, "rain", "2026-11-18T10:00:00Z", "2026-11-18T11:00:00Z")


def row(random: Random) -> list[Cell]:
    """Return a row; one cell in ten is missing."""
    cells: list[Cell] = [
        random.choice([0.0, random.gauss(42, 11)]),
        random.choice(COLOURS),
        random.lognormvariate(0, 1),
    ]
    return [None if random.random() < 0.1 else cell for cell in cells]


def csv(rows: Sequence[Sequence[Cell]]) -> str:
    """Return rows as CSV."""
    return "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)


def answers(random: Random, count: int) -> list[list[Cell]]:
    """Return probabilities and classes."""
    return [[round(p, 6), float(p > 0.5)] for p in (random.random() for _ in range(count))]


def part(body: str | bytes, kind: str, encoding: str) -> Mapping[str, str]:
    """Return a captured body."""
    raw = body.encode() if isinstance(body, str) else body
    data = base64.b64encode(raw).decode() if encoding == "BASE64" else raw.decode()
    return {"observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding}


def record(number: int, asked: Mapping[str, str], answered: Mapping[str, str] | None, at: float) -> dict[str, Any]:
    """Return a captured request."""
    from datetime import UTC, datetime

    captured = {"endpointInput": asked} | ({"endpointOutput": answered} if answered else {})
    told = datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "captureData": captured,
        "eventMetadata": {"eventId": f"event-{number:08}", "inferenceId": f"id-{number}", "inferenceTime": told},
        "eventVersion": "0",
    }


def line(number: int, random: Random, form: str = "csv", encoding: str = "BASE64", rows: int = 1) -> bytes:
    """Return a clean line of a window's hour."""
    table, told = [row(random) for _ in range(rows)], answers(random, rows)
    if form == "csv":
        asked, answered = part(csv(table), "text/csv", encoding), part(csv(told), "text/csv; charset=utf-8", encoding)
    else:
        content: Any = table if form == "lists" else [dict(zip(SCHEMA.names, each, strict=True)) for each in table]
        asked = part(json.dumps({"instances": content}), "application/json", encoding)
        answered = part(json.dumps({"predictions": told}), "application/json", encoding)
    at = START + random.random() * SECONDS
    return json.dumps(record(number, asked, answered, at), separators=(",", ":")).encode()
