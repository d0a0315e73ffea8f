"""GetMetricData's rules: what it refuses to look up, and how its answer is cut into pages."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.errors import AwsError
from localcloud.physics.cloudwatch.queries import Query
from localcloud.physics.paging import page
from localcloud.physics.times import to_epoch

_MOST_QUERIES = 500
_MOST_DATAPOINTS = 100_800
_HIGH_RESOLUTION_PERIODS = (1, 5, 10, 20, 30)
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")

Result = dict[str, Any]


def check_request(request: Mapping[str, Any]) -> None:
    """Refuse what CloudWatch refuses before it looks anything up."""
    queries = request["MetricDataQueries"]
    if to_epoch(request["StartTime"]) >= to_epoch(request["EndTime"]):
        raise _refusal("The parameter StartTime must be less than the parameter EndTime.")
    if len(queries) > _MOST_QUERIES:
        raise _refusal(f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES}.")
    if len({query["Id"] for query in queries}) < len(queries):
        raise _refusal("The values for parameter id in MetricDataQueries are not unique.")
    for place, query in enumerate(queries, start=1):
        _check_query(query, f"MetricDataQueries.member.{place}")


def _check_query(query: Query, where: str) -> None:
    if not _ID.fullmatch(query["Id"]):
        expected = f"^{_ID.pattern}$"
        raise _refusal(f"The value {query['Id']} for parameter {where}.Id is not matching the expected {expected}.")
    if bool(query.get("MetricStat")) is bool(query.get("Expression")):
        raise _refusal(f"{where} must have either MetricStat or Expression.")
    period = (query.get("MetricStat") or query).get("Period")
    if period is not None and (period < 1 or (period % 60 and period not in _HIGH_RESOLUTION_PERIODS)):
        raise _refusal(f"The parameter {where}.Period is {period}; it must be 1, 5, 10, 20, 30 or a multiple of 60.")


def _refusal(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def paged(results: Sequence[Result], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page that the request asks for: MaxDatapoints data points of all results together.

    Every page shows every result, with the data points that fall on it; one of which more is to come is PartialData.
    """
    points = [
        (result["Id"], at, value)
        for result in results
        for at, value in zip(result["Timestamps"], result["Values"], strict=True)
    ]
    most = min(int(request.get("MaxDatapoints") or _MOST_DATAPOINTS), _MOST_DATAPOINTS)
    chosen, token = page(points, request.get("NextToken"), most)
    unfinished = {name for name, _, _ in points[points.index(chosen[-1]) + 1 :]} if token else set()
    shown = [_part(result, chosen, complete=result["Id"] not in unfinished) for result in results]
    return {"MetricDataResults": shown, "Messages": [], **({"NextToken": token} if token else {})}


def _part(result: Result, chosen: Sequence[tuple[str, Any, float]], *, complete: bool) -> Result:
    own = [(at, value) for name, at, value in chosen if name == result["Id"]]
    return {
        **result,
        "Timestamps": [at for at, _ in own],
        "Values": [value for _, value in own],
        "StatusCode": "Complete" if complete else "PartialData",
    }
