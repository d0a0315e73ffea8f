"""Alarms as records: what was asked for, and the state they are in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.cloudwatch.functions import Window
from localcloud.physics.cloudwatch.judgement import COMPARISONS, EXTRA_PERIODS, INSUFFICIENT_DATA, Criteria, Point
from localcloud.physics.cloudwatch.queries import Evaluation, Query, period_of
from localcloud.physics.cloudwatch.rules import Rule, parse_rule
from localcloud.physics.cloudwatch.store import MetricStore
from localcloud.physics.times import to_datetime

METRIC = "MetricAlarm"
COMPOSITE = "CompositeAlarm"

_HIGH_RESOLUTION_PERIODS = (10, 20, 30)
_NOT_SIMULATED = ("ThresholdMetricId", "EvaluationCriteria", "EvaluationWindow", "WarmUpConfiguration")
_ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", INSUFFICIENT_DATA: "InsufficientDataActions"}
_DESCRIBED = (
    "AlarmName", "AlarmDescription", "OKActions", "AlarmActions", "InsufficientDataActions", "MetricName", "Namespace",
    "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm",
    "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile", "Metrics", "AlarmRule",
)  # fmt: skip


@dataclass
class State:
    """A state, why, and since when."""

    value: str
    reason: str
    data: str
    at: float


@dataclass
class Alarm:
    """What metric and composite alarms have in common."""

    kind: str
    arn: str
    request: Mapping[str, Any]
    configured_at: float
    state: State
    transitioned_at: float
    actions_enabled: bool = True
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the alarm."""
        return str(self.request["AlarmName"])

    def actions(self) -> list[str]:
        """Return the actions of the state that the alarm is in."""
        return list(self.request.get(_ACTIONS[self.state.value]) or []) if self.actions_enabled else []

    def described(self) -> dict[str, Any]:
        """Return the alarm as DescribeAlarms gives it."""
        known = {key: self.request[key] for key in _DESCRIBED if self.request.get(key) is not None}
        for key in _ACTIONS.values():
            known.setdefault(key, [])
        if self.kind == METRIC:
            known.setdefault("Dimensions", [])
        return {
            **known,
            "AlarmArn": self.arn,
            "ActionsEnabled": self.actions_enabled,
            "AlarmConfigurationUpdatedTimestamp": to_datetime(self.configured_at),
            "StateValue": self.state.value,
            "StateReason": self.state.reason,
            "StateReasonData": self.state.data,
            "StateUpdatedTimestamp": to_datetime(self.state.at),
            "StateTransitionedTimestamp": to_datetime(self.transitioned_at),
        }


@dataclass
class MetricAlarm(Alarm):
    """An alarm on a metric or an expression."""

    queries: list[Query] = field(default_factory=list)
    watched: str = ""
    period: float = 60.0
    criteria: Criteria = field(default_factory=lambda: Criteria("GreaterThanThreshold", 0.0, 1, 1))

    @property
    def high_resolution(self) -> bool:
        """Whether it is evaluated every ten seconds instead of every minute."""
        return self.period < 60

    def statistic(self) -> str | None:
        """Return the statistic of a single-metric alarm."""
        return self.request.get("Statistic") or self.request.get("ExtendedStatistic")

    def points(self, store: MetricStore, now: float) -> list[Point]:
        """Return the evaluation range of whole periods that ended by `now`, oldest first."""
        periods = self.criteria.periods + EXTRA_PERIODS
        end = now // self.period * self.period
        window = Window(end - periods * self.period, periods, self.period)
        series = Evaluation(store, self.queries, window).result(self.watched)
        return [(at, series.get(at)) for at in window.timeline()]


@dataclass
class CompositeAlarm(Alarm):
    """An alarm on other alarms' states."""

    rule: Rule = field(default_factory=lambda: parse_rule("FALSE"))


def metric_alarm(request: Mapping[str, Any], arn: str, now: float) -> MetricAlarm:
    """Make the alarm that PutMetricAlarm asks for.

    Raises
    ------
    AwsError
        If the request contradicts itself, or asks for what is not simulated.
    """
    for name in _NOT_SIMULATED:
        if request.get(name):
            raise NotSimulatedError(f"PutMetricAlarm {name}")
    if request.get("EvaluateLowSampleCountPercentile") == "ignore":
        raise NotSimulatedError("PutMetricAlarm EvaluateLowSampleCountPercentile=ignore")
    queries = list(request.get("Metrics") or [_single_query(request)])
    period = period_of(queries)
    _check_period(period)
    return MetricAlarm(
        kind=METRIC,
        arn=arn,
        request=request,
        configured_at=now,
        state=_unchecked(now),
        transitioned_at=now,
        actions_enabled=request.get("ActionsEnabled") is not False,
        queries=queries,
        watched=_watched(queries),
        period=period,
        criteria=_criteria(request),
    )


def composite_alarm(request: Mapping[str, Any], arn: str, now: float) -> CompositeAlarm:
    """Make the alarm that PutCompositeAlarm asks for."""
    if request.get("ActionsSuppressor"):
        raise NotSimulatedError("PutCompositeAlarm ActionsSuppressor")
    return CompositeAlarm(
        kind=COMPOSITE,
        arn=arn,
        request=request,
        configured_at=now,
        state=_unchecked(now),
        transitioned_at=now,
        actions_enabled=request.get("ActionsEnabled") is not False,
        rule=parse_rule(request["AlarmRule"]),
    )


def _unchecked(now: float) -> State:
    return State(INSUFFICIENT_DATA, "Unchecked: Initial alarm creation", "", now)


def _single_query(request: Mapping[str, Any]) -> Query:
    stat = request.get("Statistic") or request.get("ExtendedStatistic")
    missing = [name for name in ("MetricName", "Namespace", "Period") if not request.get(name)]
    if missing or not stat:
        raise AwsError("ValidationError", f"The parameters {', '.join(missing) or 'Statistic'} must be specified")
    metric = {name: request.get(name) for name in ("Namespace", "MetricName", "Dimensions")}
    asked = {"Metric": metric, "Period": request["Period"], "Stat": stat, "Unit": request.get("Unit")}
    return {"Id": "m1", "MetricStat": asked}


def _watched(queries: list[Query]) -> str:
    """Return the id of the one query whose data the alarm watches; ReturnData defaults to true."""
    returned = [query["Id"] for query in queries if query.get("ReturnData") is not False]
    if len(returned) != 1:
        raise AwsError("ValidationError", "Exactly one element of the metrics list should return data.")
    return str(returned[0])


def _check_period(period: float) -> None:
    if period not in _HIGH_RESOLUTION_PERIODS and period % 60:
        raise AwsError("ValidationError", "Period must be 10, 20, 30 or a multiple of 60")


def _criteria(request: Mapping[str, Any]) -> Criteria:
    periods = int(request["EvaluationPeriods"])
    to_alarm = int(request.get("DatapointsToAlarm") or periods)
    if to_alarm > periods:
        raise AwsError("ValidationError", "DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    if request["ComparisonOperator"] not in COMPARISONS:
        raise NotSimulatedError(f"PutMetricAlarm ComparisonOperator {request['ComparisonOperator']}")
    if request.get("Threshold") is None:
        raise AwsError("ValidationError", "The parameter Threshold must be specified")
    treatment = request.get("TreatMissingData") or "missing"
    if treatment not in ("breaching", "notBreaching", "ignore", "missing"):
        raise AwsError("ValidationError", f"Option {treatment} for parameter TreatMissingData is not valid")
    return Criteria(request["ComparisonOperator"], float(request["Threshold"]), periods, to_alarm, treatment)
