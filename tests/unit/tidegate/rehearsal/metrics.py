"""CloudWatch, as much of it as recordings ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Values = Mapping[tuple[str, str, str], list[float]]
FIRST = 1_767_599_940.0


class CloudWatch:
    """Metrics by slot, name and statistic, from `FIRST` on; gives one data point a page."""

    def __init__(self, values: Values, status: str = "Complete", endpoint: str = "rain-prod") -> None:
        self.values, self.status, self.endpoint = values, status, endpoint
        self.asked: list[dict[str, Any]] = []

    def get_metric_data(self, *, MetricDataQueries: Any, NextToken: str = "0", **times: datetime) -> dict[str, Any]:
        self.asked.append({"queries": MetricDataQueries, **times})
        page, longest, results = int(NextToken), 0, []
        for query in MetricDataQueries:
            stat = query["MetricStat"]
            dimensions = {each["Name"]: each["Value"] for each in stat["Metric"]["Dimensions"]}
            assert dimensions["EndpointName"] == self.endpoint
            key = (dimensions["VariantName"], stat["Metric"]["MetricName"], stat["Stat"])
            series = self.values.get(key, [])
            longest = max(longest, len(series))
            points = [(datetime.fromtimestamp(FIRST + 60 * page, UTC), series[page])] if page < len(series) else []
            results.append(
                {
                    "Id": query["Id"],
                    "StatusCode": self.status,
                    "Timestamps": [at for at, _ in points],
                    "Values": [value for _, value in points],
                }
            )
        more = {"NextToken": str(page + 1)} if page + 1 < longest else {}
        return {"MetricDataResults": results, **more}
