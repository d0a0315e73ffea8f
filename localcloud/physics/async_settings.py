"""What makes an endpoint asynchronous: the AsyncInferenceConfig of its configuration, and what is refused beside it."""

from dataclasses import dataclass

from localcloud.errors import NotSimulatedError
from localcloud.physics.records import Request

_CONFIG = "AsyncInferenceConfig"
_BESIDE = ("ShadowProductionVariants", "DataCaptureConfig")
UNSET_CONCURRENCY = 1
"""Requests at a time for each instance of a configuration that leaves the choice to SageMaker."""


@dataclass(frozen=True)
class AsyncSettings:
    """Where answers and failures go, who is told, and how many requests an instance gets at a time."""

    output: str
    failures: str | None
    key: str | None
    success_topic: str | None
    error_topic: str | None
    concurrency: int


def is_asynchronous(config: Request) -> bool:
    """Whether endpoints of a configuration take asynchronous requests, and only those."""
    return bool(config.get(_CONFIG))


def async_settings(config: Request) -> AsyncSettings:
    """Return the settings of an asynchronous configuration."""
    output = config[_CONFIG]["OutputConfig"]
    topics = output.get("NotificationConfig") or {}
    client = config[_CONFIG].get("ClientConfig") or {}
    return AsyncSettings(
        output=output["S3OutputPath"].rstrip("/"),
        failures=(output.get("S3FailurePath") or "").rstrip("/") or None,
        key=output.get("KmsKeyId") or None,
        success_topic=topics.get("SuccessTopic") or None,
        error_topic=topics.get("ErrorTopic") or None,
        concurrency=int(client.get("MaxConcurrentInvocationsPerInstance") or UNSET_CONCURRENCY),
    )


def check_asynchronous(request: Request) -> None:
    """Refuse what an asynchronous configuration cannot have here.

    SageMaker's guide shows asynchronous endpoints with one production variant only, and says nothing of shadows and
    data capture beside them; rather than guess, those are refused by name.
    """
    if not is_asynchronous(request):
        return
    for name in _BESIDE:
        if request.get(name):
            raise NotSimulatedError(f"CreateEndpointConfig {name} beside {_CONFIG}")
    if len(request["ProductionVariants"]) > 1:
        raise NotSimulatedError(f"CreateEndpointConfig {_CONFIG} with more than one production variant")
    output = request[_CONFIG]["OutputConfig"]
    if not output.get("S3OutputPath"):
        raise NotSimulatedError(f"CreateEndpointConfig {_CONFIG} without OutputConfig.S3OutputPath")
    if (output.get("NotificationConfig") or {}).get("IncludeInferenceResponseIn"):
        raise NotSimulatedError(f"CreateEndpointConfig {_CONFIG} IncludeInferenceResponseIn")
