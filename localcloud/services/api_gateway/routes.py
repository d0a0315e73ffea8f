"""Which resource of an API a path belongs to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Resource = Mapping[str, Any]


@dataclass
class _Node:
    resource: Resource | None = None
    named: dict[str, "_Node"] = field(default_factory=dict)
    variable: tuple[str, "_Node"] | None = None
    greedy: tuple[str, Resource] | None = None


class Router:
    """Finds resources: a literal part of a path wins over a variable, and that over a greedy one.

    Parameters
    ----------
    resources
        Those of a snapshot.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._root = _Node()
        for resource in resources:
            self._add(resource)

    def _add(self, resource: Resource) -> None:
        node = self._root
        for part in _parts(resource["path"]):
            if part.endswith("+}"):
                node.greedy = (part[1:-2], resource)
                return
            node = _child(node, part)
        node.resource = resource

    def find(self, path: str, method: str) -> tuple[Resource, dict[str, str]] | None:
        """Return the resource that has the method, and the path's variables as they were sent."""
        return _find(self._root, _parts(path), method)


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/") if path.strip("/") else []


def _child(node: _Node, part: str) -> _Node:
    if not part.startswith("{"):
        return node.named.setdefault(part, _Node())
    if node.variable is None:
        node.variable = (part[1:-1], _Node())
    return node.variable[1]


def _has(resource: Resource | None, method: str) -> bool:
    return resource is not None and bool({method, "ANY"} & set(resource["resourceMethods"]))


def _find(node: _Node, parts: list[str], method: str) -> tuple[Resource, dict[str, str]] | None:
    if not parts:
        return (node.resource, {}) if node.resource is not None and _has(node.resource, method) else None
    head, rest = parts[0], parts[1:]
    if head in node.named and (found := _find(node.named[head], rest, method)):
        return found
    if node.variable is not None and (found := _find(node.variable[1], rest, method)):
        return found[0], {node.variable[0]: head, **found[1]}
    if node.greedy is not None and _has(node.greedy[1], method):
        return node.greedy[1], {node.greedy[0]: "/".join(parts)}
    return None
