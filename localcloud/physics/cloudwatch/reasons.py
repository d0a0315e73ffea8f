"""The texts with which CloudWatch explains an alarm's state."""

import json
from collections.abc import Sequence

from localcloud.physics.cloudwatch.judgement import ALARM, COMPARISONS, INSUFFICIENT_DATA, Criteria, Judgement, Point
from localcloud.physics.times import to_datetime, to_iso_millis


def reason_text(criteria: Criteria, judgement: Judgement, before: str) -> str:
    """Return ``StateReason``."""
    missing = criteria.periods - len(judgement.evaluated)
    if judgement.state == INSUFFICIENT_DATA:
        return f"Insufficient Data: {_plural(missing, 'datapoint')} {_was(missing)} unknown."
    if not judgement.evaluated:
        treatment = "Breaching" if judgement.state == ALARM else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {_plural(criteria.periods, 'period')} and "
            f"{_plural(missing, 'missing datapoint')} {_was(missing)} treated as [{treatment}]."
        )
    return _crossed(criteria, judgement, before)


def _crossed(criteria: Criteria, judgement: Judgement, before: str) -> str:
    _, words = COMPARISONS[criteria.comparison]
    if judgement.state == ALARM:
        shown: Sequence[Point] = [p for p in judgement.evaluated if p[1] is not None and criteria.breaches(p[1])]
        which = f"{len(shown)} out of the last {criteria.periods} datapoints {_listed(shown)} {_was(len(shown))}"
        needed = criteria.to_alarm
    else:
        shown = [p for p in judgement.evaluated if p[1] is not None and not criteria.breaches(p[1])]
        which = f"{len(shown)} out of the last {criteria.periods} datapoints {_listed(shown)} {_was(len(shown))} not"
        needed = criteria.periods - criteria.to_alarm + 1
    return (
        f"Threshold Crossed: {which} {words} the threshold ({criteria.threshold}) (minimum "
        f"{_plural(needed, 'datapoint')} for {before} -> {judgement.state} transition)."
    )


def reason_data(criteria: Criteria, judgement: Judgement, stat: str | None, period: float, now: float) -> str:
    """Return ``StateReasonData``, JSON as CloudWatch writes it; expressions have no statistic."""
    newest_first = list(reversed(judgement.evaluated))
    data = {
        "version": "1.0",
        "queryDate": to_iso_millis(now),
        "startDate": to_iso_millis(judgement.evaluated[0][0]) if judgement.evaluated else None,
        "statistic": stat,
        "period": int(period),
        "recentDatapoints": [value for _, value in judgement.evaluated],
        "threshold": criteria.threshold,
        "evaluatedDatapoints": [{"timestamp": to_iso_millis(at), "value": value} for at, value in newest_first],
    }
    return json.dumps({key: value for key, value in data.items() if value is not None})


def _listed(points: Sequence[Point]) -> str:
    newest_first = reversed(points)
    return "[" + ", ".join(f"{value} ({to_datetime(at):%d/%m/%y %H:%M:%S})" for at, value in newest_first) + "]"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
