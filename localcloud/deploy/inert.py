"""Resource types and properties that are accepted and have no effect on this machine, each with its reason.

Everything that is neither handled nor listed here is an error. The documentation shows these lists.
"""

from collections.abc import Mapping
from typing import Any

INERT_TYPES: dict[str, str] = {
    "AWS::CDK::Metadata": "tells AWS which constructs a template was made of; no resource on AWS either",
    "AWS::WAFv2::WebACL": "there is no firewall here: its rules are not evaluated, and every request passes",
    "AWS::WAFv2::WebACLAssociation": "there is no firewall here that a stage could be put behind",
    "AWS::WAFv2::LoggingConfiguration": "there is no firewall here, so that nothing is logged of it",
    "AWS::EC2::SecurityGroup": "no network is simulated: everything on this machine reaches everything",
    "AWS::EC2::SecurityGroupIngress": "no network is simulated, so that there is nothing to let in",
    "AWS::EC2::SecurityGroupEgress": "no network is simulated, so that there is nothing to let out",
}

INERT_ATTRIBUTES: dict[str, frozenset[str]] = {
    "AWS::WAFv2::WebACL": frozenset({"Arn", "Id"}),
    "AWS::EC2::SecurityGroup": frozenset({"GroupId", "Id"}),
}
"""Attributes of inert types that other resources may refer to."""

INERT_PROPERTIES: dict[str, dict[str, str]] = {
    "AWS::ApiGateway::ApiKey": {
        "StageKeys": "keys belong to stages by usage plans, here as on AWS since it has these",
    },
    "AWS::ApiGateway::RestApi": {
        "EndpointAccessMode": "APIs are served as plain HTTP on loopback, to whoever runs the cloud",
        "SecurityPolicy": "APIs are served as plain HTTP on loopback; there is no TLS whose version could matter",
    },
    "AWS::ApiGateway::Stage": {
        "TracingEnabled": "there is no X-Ray here; requests are answered the same without it",
    },
    "AWS::Lambda::Function": {
        "TracingConfig": "there is no X-Ray here; functions run the same without it",
        "VpcConfig": "no network is simulated: functions run on this machine and reach what it reaches",
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
