"""Rollouts as the engine records them: the endpoint's item, its rollouts' summaries, and the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from lambdas import contract
from tidegate.aws import Aws
from tidegate.settings import EndpointSettings

_DESERIALIZER = TypeDeserializer()


@dataclass(frozen=True)
class Rollout:
    """What became, or is becoming, of one rollout."""

    id: str
    kind: str
    version: str
    slot: str
    phase: str
    outcome: str
    reason: str
    started_at: str
    ended_at: str

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen to it."""
        return bool(self.outcome)


@dataclass(frozen=True)
class AuditEntry:
    """One thing that the engine decided, in words."""

    key: str
    at: str
    rollout: str
    phase: str
    kind: str
    text: str
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """Place in the endpoint's trail, which its key ends with."""
        return int(self.key.rpartition("#")[2])


def summaries(aws: Aws, endpoint: EndpointSettings) -> list[Rollout]:
    """Return the endpoint's rollouts, oldest first."""
    found = [_rollout(item) for item in _items(aws, endpoint, "ROLLOUT#")]
    return sorted(found, key=lambda rollout: (rollout.started_at, rollout.id))


def audit(aws: Aws, endpoint: EndpointSettings, rollout: str | None = None) -> list[AuditEntry]:
    """Return the audit trail in the order of time: the endpoint's, or one rollout's."""
    prefix = "AUDIT#" if rollout is None else f"AUDIT#{rollout}#"
    return sorted((_entry(item) for item in _items(aws, endpoint, prefix)), key=lambda entry: entry.number)


def state(aws: Aws, endpoint: EndpointSettings) -> dict[str, Any]:
    """Return the endpoint's item; empty before the first deployment has recorded it."""
    return next(_items(aws, endpoint, "STATE"), {})


def _items(aws: Aws, endpoint: EndpointSettings, prefix: str) -> Iterator[dict[str, Any]]:
    pages = aws.dynamodb.get_paginator("query").paginate(
        TableName=endpoint.table,
        KeyConditionExpression="#pk = :pk AND begins_with(#sk, :sk)",
        ExpressionAttributeNames={"#pk": contract.TABLE_PARTITION_KEY, "#sk": contract.TABLE_SORT_KEY},
        ExpressionAttributeValues={":pk": {"S": f"ENDPOINT#{endpoint.name}"}, ":sk": {"S": prefix}},
        ConsistentRead=True,
    )
    for page in pages:
        for item in page["Items"]:
            yield {name: _plain(_DESERIALIZER.deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return "" if value is None else str(value)


def _rollout(item: Mapping[str, Any]) -> Rollout:
    names = ("id", "kind", "version", "slot", "phase", "outcome", "reason", "started_at", "ended_at")
    return Rollout(**{name: _text(item, name) for name in names})


def _entry(item: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        key=_text(item, contract.TABLE_SORT_KEY),
        at=_text(item, "at"),
        rollout=_text(item, "rollout"),
        phase=_text(item, "phase"),
        kind=_text(item, "kind"),
        text=_text(item, "text"),
        numbers=item.get("numbers") or {},
    )
