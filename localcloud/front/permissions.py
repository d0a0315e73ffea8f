"""Which permissions an operation takes: the table that role credentials are held against.

An operation that stands in no table here cannot be called under role credentials: that is an error naming it, because
guessing would let a policy pass that AWS refuses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Scope:
    """Where requests are made."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True)
class Need:
    """A permission that a request takes, with the condition keys that only it has."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


Rule = Callable[[Params, Scope], list[Need]]
Table = dict[str, Rule]


def on(action: str, resource: Callable[[Params, Scope], str]) -> Rule:
    """Return the rule "`action` on the resource that the parameters name"."""
    return lambda params, scope: [Need(action, resource(params, scope))]


def anywhere(action: str) -> Rule:
    """Return the rule of an action that AWS does not tie to a resource: only a policy for ``*`` allows it."""
    return lambda _params, _scope: [Need(action, "*")]


def nothing(_params: Params, _scope: Scope) -> list[Need]:
    """Return no needs: anybody may call it."""
    return []


def needs_of(name: str, params: Params, scope: Scope) -> list[Need]:
    """Return what the operation ``service:Operation`` takes."""
    # The tables build on this module's names, so they can only be imported once those exist.
    from localcloud.front.permission_tables import TABLES

    rule = TABLES.get(name)
    if rule is None:
        raise NotSimulatedError(f"{name} under role credentials (no entry in the permission tables)")
    try:
        return rule(params, scope)
    except KeyError as missing:
        raise AwsError("ValidationException", f"{name}: the parameter {missing} is required") from missing
