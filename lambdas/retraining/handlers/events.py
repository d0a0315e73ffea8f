"""What events say to the controller."""

from collections.abc import Mapping
from typing import Any

from lambdas.contract import LABELS_PREFIX, MONITORING_EVENT_SOURCE, OPERATOR_EVENT_SOURCE
from lambdas.retraining.said import DataCame, Drifted, Look, Ordered, Said
from lambdas.retraining.state import MOST_FEATURES, Window
from lambdas.rollout.handlers.times import epoch

_LONGEST_NAME, _LONGEST_REASON = 128, 500
S3, SAGEMAKER = "aws.s3", "aws.sagemaker"


def read_event(event: Mapping[str, Any]) -> tuple[str, Said] | None:
    """Return the endpoint that an event is about and what it says; None of one that says nothing here.

    Events of pipelines are about a pipeline's endpoint: see `pipeline_of`.
    """
    source, detail = event.get("source"), event["detail"]
    if source == MONITORING_EVENT_SOURCE:
        return detail["endpoint"], _drifted(detail)
    if source == S3:
        return _data(event)
    return _ordered(event) if source == OPERATOR_EVENT_SOURCE else None


def pipeline_of(event: Mapping[str, Any]) -> str | None:
    """Return the name of the pipeline whose execution an event is about; None of any other event."""
    arn = str(event["detail"].get("pipelineExecutionArn", ""))
    _, _, path = arn.partition(":pipeline/")
    return path.partition("/execution/")[0] or None


def look() -> Said:
    """Return what is said when something may have changed: an event's own word is never enough."""
    return Look()


def _drifted(detail: Mapping[str, Any]) -> Drifted:
    names = [str(name) for name in detail["severe"]]
    return Drifted(
        Window(
            id=str(detail["window"]),
            start=epoch(detail["start"]),
            end=epoch(detail["end"]),
            severity=str(detail["severity"]),
            severe=len(names),
            features=tuple(name[:_LONGEST_NAME] for name in names[:MOST_FEATURES]),
            version=str(detail.get("model_version") or "")[:_LONGEST_NAME],
        )
    )


def _data(event: Mapping[str, Any]) -> tuple[str, Said] | None:
    key = str(event["detail"]["object"]["key"])
    folder, _, rest = key.partition("/")
    endpoint, slash, _ = rest.partition("/")
    if folder != LABELS_PREFIX or not slash:
        return None
    return endpoint, DataCame(str(event["id"]), epoch(event["time"]), key)


def _ordered(event: Mapping[str, Any]) -> tuple[str, Said]:
    detail = event["detail"]
    return str(detail["endpoint"])[:_LONGEST_NAME], Ordered(
        id=str(detail.get("id") or event["id"])[:_LONGEST_NAME],
        command=str(detail["command"])[:_LONGEST_NAME],
        by=str(detail.get("by") or "an operator")[:_LONGEST_NAME],
        at=epoch(event["time"]),
        reason=str(detail.get("reason") or "")[:_LONGEST_REASON],
    )
