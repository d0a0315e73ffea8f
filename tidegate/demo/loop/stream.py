"""What is sent: the weather from before the planted drift to the end of the record, once, in its order."""

from __future__ import annotations

from tidegate.demo.traffic import Stream

FIRST_ROW = 10_500
"""The champion knows the days before this one and no later ones."""

DRIFT_ROW = 12_000
"""From here on the data set carries drift that its authors put there."""

ROWS_A_MINUTE = 730
"""Two years of days, and a window of the monitor lasts a minute: seasons weigh nothing in a comparison."""

RATE = ROWS_A_MINUTE / 60


def weather() -> Stream:
    """Return the days to send."""
    from model_containers.training import dataset, replay

    last = len(dataset.load())
    return Stream(replay.rows(FIRST_ROW, last), replay.labels(FIRST_ROW, last))


def row_of(index: int) -> int:
    """Return the row of the data set that request number `index` carries."""
    return FIRST_ROW + index


def inference_id(index: int) -> str:
    """Return the id under which the label of request number `index` is told later."""
    return f"day-{row_of(index)}"
