"""Permissions of DynamoDB's operations, with the partition keys that they touch."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from localcloud.front.permissions import Need, Params, Rule, Scope, Table

_LEADING_KEYS = "dynamodb:leadingkeys"
_EQUATION = re.compile(r"(#?[\w.-]+)\s*=\s*(:\w+)")
_TRANSACTION_ACTIONS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem"}


def _needs(action: str, params: Params, scope: Scope, name: str | None = None) -> list[Need]:
    """Return the permission of an operation on a table, or on an index of one."""
    name = name or params["TableName"]
    table = name if name.startswith("arn:") else scope.arn("dynamodb", f"table/{name}")
    index = params.get("IndexName")
    keys = sorted(set(_leading_keys(params, _partition_key(table, index, scope))))
    resource = f"{table}/index/{index}" if index else table
    return [Need(f"dynamodb:{action}", resource, {_LEADING_KEYS: keys} if keys else {})]


def _partition_key(table: str, index: str | None, scope: Scope) -> str:
    """Return the name of the partition key of a table or of its index; empty if there is none of that name."""
    stored = dynamodb_backends[scope.account][scope.region].tables.get(table.rpartition("/")[2])
    if stored is None:
        return ""
    if index is None:
        return str(stored.hash_key_attr)
    schemas = {each.name: each.schema for each in [*stored.global_indexes, *stored.indexes]}
    kinds = {each["KeyType"]: each["AttributeName"] for each in schemas.get(index, [])}
    return str(kinds.get("HASH", ""))


def _leading_keys(params: Params, attribute: str) -> Iterator[str]:
    """Yield the partition keys that an operation names, wherever it names them; a Scan names none, on AWS neither."""
    for item in _named_items(params):
        if attribute in item:
            yield _text(item[attribute])
    names = params.get("ExpressionAttributeNames") or {}
    for name, value in _EQUATION.findall(params.get("KeyConditionExpression") or ""):
        if names.get(name, name) == attribute:
            yield _text(params["ExpressionAttributeValues"][value])


def _named_items(params: Params) -> Iterator[Mapping[str, Any]]:
    yield from (params[member] for member in ("Key", "Item") if params.get(member))
    yield from params.get("Keys") or []
    for request in params.get("Requests") or []:
        yield from (part.get("Key") or part.get("Item") or {} for part in request.values())


def _text(value: Mapping[str, Any]) -> str:
    ((_, content),) = value.items()
    return str(content)


def _on_table(action: str) -> Rule:
    return lambda params, scope: _needs(action, params, scope)


def _transaction(params: Params, scope: Scope) -> list[Need]:
    """Return the permission of every part: a transaction has none of its own."""
    return [
        need
        for item in params["TransactItems"]
        for kind, part in item.items()
        for need in _needs(_TRANSACTION_ACTIONS.get(kind, "ConditionCheckItem"), part, scope)
    ]


def _batch(action: str) -> Rule:
    def needs(params: Params, scope: Scope) -> list[Need]:
        asked: Iterable[tuple[str, Any]] = params["RequestItems"].items()
        return [
            need
            for name, part in asked
            for need in _needs(action, part if isinstance(part, dict) else {"Requests": part}, scope, name)
        ]

    return needs


DYNAMODB: Table = {
    **{
        f"dynamodb:{name}": _on_table(name)
        for name in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "DescribeTable")
    },
    "dynamodb:TransactWriteItems": _transaction,
    "dynamodb:TransactGetItems": _transaction,
    "dynamodb:BatchWriteItem": _batch("BatchWriteItem"),
    "dynamodb:BatchGetItem": _batch("BatchGetItem"),
}
