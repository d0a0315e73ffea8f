"""Order of things that depend on one another."""

from collections.abc import Collection, Iterable, Mapping

from localcloud.deploy.errors import TemplateError


def ordered(dependencies: Mapping[str, Collection[str]]) -> list[str]:
    """Return the keys so that each follows what it depends on; otherwise in the given order.

    Names that are not keys are ignored. A cycle is a `TemplateError` that spells it out.
    """
    done: dict[str, None] = {}
    for name in dependencies:
        _visit(name, dependencies, done, [])
    return list(done)


def _visit(name: str, dependencies: Mapping[str, Collection[str]], done: dict[str, None], path: list[str]) -> None:
    if name in done or name not in dependencies:
        return
    if name in path:
        cycle = [*path[path.index(name) :], name]
        raise TemplateError(f"circular dependency: {' -> '.join(cycle)}")
    for needed in _stable(dependencies[name]):
        _visit(needed, dependencies, done, [*path, name])
    done[name] = None


def _stable(names: Iterable[str]) -> list[str]:
    return sorted(names) if isinstance(names, set | frozenset) else list(names)
