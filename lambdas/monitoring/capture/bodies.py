"""Captured bodies as rows, by their media type."""

from lambdas.monitoring.capture import reasons
from lambdas.monitoring.capture.csv_body import read_csv
from lambdas.monitoring.capture.json_body import read_json, read_json_lines
from lambdas.monitoring.capture.layout import Layout, Table
from lambdas.monitoring.capture.reasons import UnreadableError
from lambdas.monitoring.capture.records import CSV_TYPE, JSON_TYPE, Part

JSON_LINES_TYPES = frozenset({"application/jsonlines", "application/x-ndjson", "application/jsonl"})
READ = (CSV_TYPE, JSON_TYPE, *sorted(JSON_LINES_TYPES))


def read_input(part: Part, layout: Layout) -> Table:
    """Return the rows of a request.

    Raises
    ------
    UnreadableError
        With the reason under which the request is to be counted.
    """
    return _read(part, layout, "instances")


def read_output(part: Part, layout: Layout) -> Table:
    """Return the rows of an answer, one for each of the request's; CSV has its cells in the layout's order."""
    return _read(part, layout, "predictions")


def _read(part: Part, layout: Layout, key: str) -> Table:
    kind = part.content_type
    if kind == JSON_TYPE:
        table = read_json(part.text(), layout, key)
    elif kind == CSV_TYPE:
        table = read_csv(part.text(), layout)
    elif kind in JSON_LINES_TYPES:
        table = read_json_lines(part.text(), layout)
    else:
        shown = kind[:60] or "not told"
        raise UnreadableError(
            reasons.UNSUPPORTED_CONTENT_TYPE, f"the content type is {shown}; {', '.join(READ)} are counted"
        )
    if not table.rows:
        raise UnreadableError(reasons.NO_ROWS, "the body holds no rows")
    return table
