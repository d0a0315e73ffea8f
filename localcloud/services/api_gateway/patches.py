"""Patch operations, in which every Update operation of API Gateway takes its changes."""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localcloud.services.api_gateway.problems import bad_request

Converter = Callable[[str], Any]
Operation = Mapping[str, Any]


def truth(value: str) -> bool:
    """Return a boolean from its text."""
    return value.lower() == "true"


def segments(path: str) -> list[str]:
    """Return the parts of a JSON pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def patched(
    record: Mapping[str, Any], operations: Iterable[Operation], allowed: Mapping[str, Converter]
) -> dict[str, Any]:
    """Return a copy of `record` with the operations applied.

    Parameters
    ----------
    record
        What is changed.
    operations
        What the request asks for: ``add``, ``replace`` and ``remove``.
    allowed
        Paths that may change, without the first slash, and how their texts are read; ``variables/*`` stands for every
        member of a map.
    """
    changed = copy.deepcopy(dict(record))
    for operation in operations:
        _apply(changed, operation, allowed)
    return changed


def _apply(record: dict[str, Any], operation: Operation, allowed: Mapping[str, Converter]) -> None:
    parts, verb = segments(str(operation["path"])), operation.get("op")
    convert = allowed.get("/".join(parts)) or allowed.get("/".join([*parts[:-1], "*"]))
    if convert is None or verb not in ("add", "replace", "remove"):
        allowed_paths = ", ".join(f"/{path}" for path in sorted(allowed))
        where = f"Invalid patch path '{operation['path']}' specified for op '{verb}'"
        raise bad_request(f"{where}. Must be one of: [{allowed_paths}]")
    for part in parts[:-1]:
        record = record.setdefault(part, {})
    if verb == "remove":
        record.pop(parts[-1], None)
    else:
        record[parts[-1]] = convert(str(operation.get("value", "")))
