"""Days of weather as SageMaker captures requests about them, and labels of them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from model_containers.training import replay
from tidegate.labels import Label

DRIFT = replay.DRIFT_START
"""The row from which on the data set carries drift."""

Captured = dict[str, Any]
Edit = Callable[[int, Captured], str]
"""Makes the line of a day, by its place in the window."""


def as_it_is(_: int, captured: Captured) -> str:
    return json.dumps(captured)


def body(edit: Callable[[list[str]], list[str]], every: int = 1) -> Edit:
    """Change the cells of every so many requests."""

    def edited(place: int, captured: Captured) -> str:
        part = captured["captureData"]["endpointInput"]
        if place % every == 0:
            part["data"] = ",".join(edit(part["data"].split(",")))
        return json.dumps(captured)

    return edited


def captures(rows: range, start: int, end: int, edit: Edit = as_it_is) -> list[str]:
    """Return the lines of a window in which days were asked about at an even pace."""
    days = replay.rows(rows.start, rows.stop)[:: rows.step]
    pace = (end - start) / len(rows)
    return [
        edit(place, _captured(row, day, start + place * pace))
        for place, (row, day) in enumerate(zip(rows, days, strict=True))
    ]


def labels(rows: range, truth: Callable[[int], int] = int) -> list[Label]:
    """Return whether it rained on each day, or what is said instead of it."""
    wet = replay.labels(rows.start, rows.stop)[:: rows.step]
    return [Label(_id(row), str(truth(label))) for row, label in zip(rows, wet, strict=True)]


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _id(row: int) -> str:
    return f"day-{row}"


def _captured(row: int, day: str, at: float) -> Captured:
    part = {"observedContentType": "text/csv", "mode": "INPUT", "data": day, "encoding": "CSV"}
    written = moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    metadata = {"eventId": f"event-{row}", "inferenceId": _id(row), "inferenceTime": written}
    return {"captureData": {"endpointInput": part}, "eventMetadata": metadata, "eventVersion": "0"}
