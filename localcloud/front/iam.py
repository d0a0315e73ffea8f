"""The evaluation of IAM policies: who may do what, by which statement."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from localcloud.errors import NotSimulatedError
from localcloud.front.conditions import Context, filled, holds, matches, wildcard

_KNOWN_ELEMENTS = frozenset(
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal"]
)


class Verdict(Enum):
    """What a set of statements says about a request."""

    ALLOWED = "allowed"
    DENIED = "explicitly denied"
    SILENT = "not mentioned"


@dataclass(frozen=True)
class Access:
    """One action on one resource, with what is known about the request."""

    action: str
    resource: str
    context: Context


@dataclass(frozen=True)
class Caller:
    """Who a resource policy is held against: a role's session, or an AWS service."""

    account: str
    role_arn: str | None = None
    session_arn: str | None = None
    service: str | None = None


@lru_cache(maxsize=1024)
def statements(document: str) -> tuple[dict[str, Any], ...]:
    """Return the statements of a policy document."""
    found = json.loads(document).get("Statement", [])
    listed = found if isinstance(found, list) else [found]
    for statement in listed:
        unknown = set(statement) - _KNOWN_ELEMENTS
        if unknown:
            raise NotSimulatedError(f"IAM policy element {sorted(unknown)[0]!r}")
    return tuple(listed)


def identity_verdict(documents: Iterable[str], access: Access) -> Verdict:
    """Return what identity policies say; an explicit deny wins over any allow."""
    return _combined(s for document in documents for s in statements(document) if _covers(s, access))


def resource_verdict(document: str | None, access: Access, caller: Caller) -> tuple[Verdict, bool]:
    """Return what a resource policy says of the caller itself, and whether it leaves the matter to the account's IAM.

    The latter is what a statement for the account's root does.
    """
    if document is None:
        return Verdict.SILENT, False
    concerning = (s for s in statements(document) if _names(s, caller) or _names_account(s, caller))
    covering = [s for s in concerning if _covers(s, access)]
    if any(s["Effect"] == "Deny" and _names_account(s, caller) for s in covering):
        return Verdict.DENIED, False
    delegated = any(s["Effect"] == "Allow" and _names_account(s, caller) for s in covering)
    return _combined(s for s in covering if _names(s, caller)), delegated


def _combined(covering: Iterable[Mapping[str, Any]]) -> Verdict:
    verdict = Verdict.SILENT
    for statement in covering:
        if statement["Effect"] == "Deny":
            return Verdict.DENIED
        verdict = Verdict.ALLOWED
    return verdict


def _covers(statement: Mapping[str, Any], access: Access) -> bool:
    return (
        _covers_action(statement, access.action)
        and _covers_resource(statement, access)
        and holds(statement.get("Condition", {}), access.context)
    )


def _covers_action(statement: Mapping[str, Any], action: str) -> bool:
    if "Action" in statement:
        return any(wildcard(p, fold=True).fullmatch(action) for p in _listed(statement["Action"]))
    return not any(wildcard(p, fold=True).fullmatch(action) for p in _listed(statement.get("NotAction", "*")))


def _covers_resource(statement: Mapping[str, Any], access: Access) -> bool:
    if "NotResource" in statement:
        return not any(matches(filled(p, access.context), access.resource) for p in _listed(statement["NotResource"]))
    # Trust and key policies may leave the resource out: they lie on it.
    return any(matches(filled(p, access.context), access.resource) for p in _listed(statement.get("Resource", "*")))


def _names(statement: Mapping[str, Any], caller: Caller) -> bool:
    """Whether the statement's principal is the caller itself."""
    if "NotPrincipal" in statement:
        return not _is_principal(statement["NotPrincipal"], caller)
    return _is_principal(statement.get("Principal"), caller)


def _is_principal(principal: Any, caller: Caller) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    if caller.service is not None:
        # "AWS": "*" means everybody, services included, as in SNS's default policy, which the source's owner narrows.
        names = [*_listed(principal.get("Service", [])), *(p for p in _listed(principal.get("AWS", [])) if p == "*")]
        return any(item in ("*", caller.service) for item in names)
    return any(item in ("*", caller.role_arn, caller.session_arn) for item in _listed(principal.get("AWS", [])))


def _names_account(statement: Mapping[str, Any], caller: Caller) -> bool:
    principal = statement.get("Principal")
    if caller.service is not None or not isinstance(principal, dict):
        return False
    root = f"arn:aws:iam::{caller.account}:root"
    return any(item in (root, caller.account) for item in _listed(principal.get("AWS", [])))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
