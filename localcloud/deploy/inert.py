"""Resource types and properties that are accepted and have no effect on this machine, each with its reason.

Everything that is neither handled nor listed here is an error. The documentation shows these lists.
"""

from collections.abc import Mapping
from typing import Any

INERT_TYPES: dict[str, str] = {
    "AWS::CDK::Metadata": "tells AWS which constructs a template was made of; no resource on AWS either",
}

INERT_PROPERTIES: dict[str, dict[str, str]] = {
    "AWS::Lambda::Function": {
        "TracingConfig": "there is no X-Ray here; functions run the same without it",
        "SnapStart": "functions start as plain processes; there is no snapshot to start from",
    },
    "AWS::S3::Bucket": {
        "LoggingConfiguration": "no access logs are written: the store would add an object at every request, at once, "
        "so that a log bucket could never be emptied and deleted",
    },
}


def effective(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that have an effect here."""
    inert = INERT_PROPERTIES.get(kind, {})
    return {key: value for key, value in properties.items() if key not in inert}
