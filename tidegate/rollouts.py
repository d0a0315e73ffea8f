"""Rollouts as the engine records them: the endpoint's item, its rollouts' summaries, and the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas import contract
from lambdas.rollout.errors import PermanentError
from lambdas.rollout.items import STATE_KEY, partition, read_state
from lambdas.rollout.state import State
from tidegate import items
from tidegate.aws import Aws
from tidegate.errors import OperatorError
from tidegate.items import text
from tidegate.settings import EndpointSettings

COMMAND = "command"
"""Kind of the entry that answers a command."""


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

    @property
    def by(self) -> str:
        """Who asked for it; empty when the engine decided by itself."""
        return str(self.numbers.get("by", ""))

    def answers(self, command: str) -> bool:
        """Return whether it is the answer to the command of that id."""
        return self.kind == COMMAND and self.numbers.get("command") == command


def summaries(aws: Aws, endpoint: EndpointSettings) -> list[Rollout]:
    """Return the endpoint's rollouts, oldest first."""
    found = [_rollout(item) for item in _items(aws, endpoint, "ROLLOUT#")]
    return sorted(found, key=lambda rollout: (rollout.started_at, rollout.id))


def latest(aws: Aws, endpoint: EndpointSettings) -> Rollout | None:
    """Return the rollout that was started last, whose id is the highest; None when there has been none."""
    return next((_rollout(item) for item in _items(aws, endpoint, "ROLLOUT#", newest_first=True)), None)


def audit(aws: Aws, endpoint: EndpointSettings, rollout: str | None = None) -> list[AuditEntry]:
    """Return the audit trail in the order of time: the endpoint's, or one rollout's."""
    prefix = "AUDIT#" if rollout is None else f"AUDIT#{rollout}#"
    return sorted((_entry(item) for item in _items(aws, endpoint, prefix)), key=lambda entry: entry.number)


def audit_between(aws: Aws, endpoint: EndpointSettings, first: str, last: str) -> list[AuditEntry]:
    """Return the audit entries whose keys, without their ``AUDIT#``, lie between two."""
    condition = f"{items.OF_PARTITION} AND #sk BETWEEN :first AND :last"
    bounds = {":first": {"S": f"AUDIT#{first}"}, ":last": {"S": f"AUDIT#{last}"}}
    return [_entry(item) for item in _query(aws, endpoint, condition, bounds)]


def answer_to(aws: Aws, endpoint: EndpointSettings, command: str) -> AuditEntry | None:
    """Return the audit entry that answers the command of that id, however long ago it was given."""
    only = {
        "FilterExpression": "#kind = :kind AND #numbers.#command = :command",
        "ExpressionAttributeNames": {**items.NAMES, "#kind": "kind", "#numbers": "numbers", "#command": "command"},
    }
    values = {":prefix": {"S": "AUDIT#"}, ":kind": {"S": COMMAND}, ":command": {"S": command}}
    return next((_entry(item) for item in _query(aws, endpoint, items.BEGINS, values, **only)), None)


def state(aws: Aws, endpoint: EndpointSettings) -> dict[str, Any]:
    """Return the endpoint's item; empty before the first deployment has recorded it."""
    return next(_items(aws, endpoint, STATE_KEY), {})


def load(aws: Aws, endpoint: EndpointSettings) -> State | None:
    """Return what is durable about the endpoint; None before the first deployment has recorded it."""
    item = state(aws, endpoint)
    try:
        return read_state(item) if item else None
    except PermanentError as error:
        raise OperatorError(str(error), "use the checkout that the environment was deployed from") from error


def _items(
    aws: Aws, endpoint: EndpointSettings, prefix: str, *, newest_first: bool = False
) -> Iterator[dict[str, Any]]:
    page = 1 if newest_first else None
    return items.beginning(aws, endpoint.table, partition(endpoint.name), prefix, newest_first=newest_first, page=page)


def _query(
    aws: Aws, endpoint: EndpointSettings, condition: str, values: Mapping[str, Any], **more: Any
) -> Iterator[dict[str, Any]]:
    return items.query(aws, endpoint.table, partition(endpoint.name), condition, values, **more)


def _rollout(item: Mapping[str, Any]) -> Rollout:
    names = ("id", "kind", "version", "slot", "phase", "outcome", "reason", "started_at", "ended_at")
    return Rollout(**{name: text(item, name) for name in names})


def _entry(item: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        key=text(item, contract.TABLE_SORT_KEY),
        at=text(item, "at"),
        rollout=text(item, "rollout"),
        phase=text(item, "phase"),
        kind=text(item, "kind"),
        text=text(item, "text"),
        numbers=item.get("numbers") or {},
    )
