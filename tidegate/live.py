"""The endpoint as it is right now: which variant runs which version, and what share of the traffic it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdas import contract
from tidegate.aws import Aws
from tidegate.errors import OperatorError
from tidegate.registry import Package

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef

BOOTSTRAP = "bootstrap"
"""Shown for a model that no package of the registry holds: the one that the template brought."""

NameVersion = Callable[[str], str]
"""Returns the version that a model's data URL holds."""


@dataclass(frozen=True)
class Variant:
    """A production variant as DescribeEndpoint reports it."""

    name: str
    weight: float
    desired_weight: float
    instances: int
    desired_instances: int


@dataclass(frozen=True)
class Live:
    """An endpoint as DescribeEndpoint reports it; `shadows` answer copies of the requests, to nobody."""

    name: str
    status: str
    config: str
    failure: str
    variants: tuple[Variant, ...]
    shadows: tuple[Variant, ...] = ()

    def variant(self, name: str) -> Variant | None:
        """Return the variant of that name, if the endpoint has it."""
        return next((variant for variant in self.variants if variant.name == name), None)


@dataclass(frozen=True)
class Alarm:
    """An alarm's state, and since when."""

    name: str
    state: str
    since: float
    reason: str


def observe(aws: Aws, name: str) -> Live:
    """Describe the endpoint."""
    try:
        answer = aws.sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
        raise OperatorError(f"there is no endpoint {name!r}", "is its environment deployed?") from error
    return _live(answer)


def _live(answer: DescribeEndpointOutputTypeDef) -> Live:
    return Live(
        name=answer["EndpointName"],
        status=answer["EndpointStatus"],
        config=answer.get("EndpointConfigName", ""),
        failure=answer.get("FailureReason", ""),
        variants=tuple(_variant(summary) for summary in answer.get("ProductionVariants", [])),
        shadows=tuple(_variant(summary) for summary in answer.get("ShadowProductionVariants", [])),
    )


def _variant(summary: Mapping[str, Any]) -> Variant:
    # SageMaker leaves a number out when it is zero.
    return Variant(
        name=summary["VariantName"],
        weight=summary.get("CurrentWeight", 0.0),
        desired_weight=summary.get("DesiredWeight", 0.0),
        instances=summary.get("CurrentInstanceCount", 0),
        desired_instances=summary.get("DesiredInstanceCount", 0),
    )


def alarms(aws: Aws, endpoint: str) -> list[Alarm]:
    """Return the state of every alarm of both slots."""
    names = [
        name(endpoint, slot)
        for slot in contract.SLOTS
        for name in (contract.unhealthy_alarm, contract.error_rate_alarm, contract.latency_alarm)
    ]
    answer = aws.cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found = [*answer["MetricAlarms"], *answer["CompositeAlarms"]]
    return sorted((_alarm(alarm) for alarm in found), key=lambda alarm: names.index(alarm.name))


def _alarm(alarm: Mapping[str, Any]) -> Alarm:
    since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return Alarm(alarm["AlarmName"], alarm["StateValue"], since.timestamp(), alarm.get("StateReason", ""))


class VersionsByConfig:
    """Says which version each variant of an endpoint configuration runs; configurations never change, so asks once.

    Parameters
    ----------
    aws
        The account.
    name_version
        Returns the version that a model's data URL holds.
    """

    def __init__(self, aws: Aws, name_version: NameVersion) -> None:
        self._aws = aws
        self._name_version = name_version
        self._known: dict[str, dict[str, str]] = {}

    def of(self, config: str) -> Mapping[str, str]:
        """Return the version of each variant that the configuration `config` has."""
        if config not in self._known:
            self._known[config] = self._look_up(config)
        return self._known[config]

    def _look_up(self, config: str) -> dict[str, str]:
        answer = self._aws.sagemaker.describe_endpoint_config(EndpointConfigName=config)
        return {
            variant["VariantName"]: self._name_version(self._model_data(variant["ModelName"]))
            for variant in [*answer["ProductionVariants"], *answer.get("ShadowProductionVariants", [])]
        }

    def _model_data(self, model: str) -> str:
        answer = self._aws.sagemaker.describe_model(ModelName=model)
        return answer["PrimaryContainer"].get("ModelDataUrl", "")


def by_registry(packages: Callable[[], Iterable[Package]]) -> NameVersion:
    """Name versions by what the model registry says; anything else is the bootstrap model."""

    def name_version(model_data: str) -> str:
        return next((p.version for p in packages() if p.model_data == model_data), BOOTSTRAP)

    return name_version
