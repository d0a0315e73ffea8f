"""What can be said against a template before anything is touched."""

from collections.abc import Iterator
from typing import Any

from localcloud.deploy.actions import Catalogue
from localcloud.deploy.catalogue import InertResource
from localcloud.deploy.conditions import Conditions
from localcloud.deploy.custom_resource import CustomResource
from localcloud.deploy.errors import TemplateError, UnsupportedError
from localcloud.deploy.inert import INERT_PROPERTIES
from localcloud.deploy.intrinsics import references
from localcloud.deploy.template import ResourceTemplate, Template

_PSEUDO = "AWS::"


class _BothBranches(Conditions):
    """Conditions of which both sides count."""

    def choose(self, argument: Any) -> Any:
        return list(argument[1:])


def validate(stack: str, template: Template, catalogue: Catalogue) -> None:
    """Raise, naming everything in the template that is not handled or refers to nothing."""
    unsupported = [problem for entry in template.resources.values() for problem in _unsupported(entry, catalogue)]
    if unsupported:
        raise UnsupportedError("\n".join(f"stack {stack}: {problem}" for problem in unsupported))
    wrong = list(_wrong(template, catalogue))
    if wrong:
        raise TemplateError("\n".join(f"stack {stack}: {problem}" for problem in wrong))


def _unsupported(entry: ResourceTemplate, catalogue: Catalogue) -> Iterator[str]:
    where = f"{entry.logical_id} ({entry.type})"
    try:
        kind = catalogue(entry.type)
    except UnsupportedError as error:
        yield f"{entry.logical_id}: {error}"
        return
    if isinstance(kind, InertResource | CustomResource):
        return
    accepted = kind.handled | set(INERT_PROPERTIES.get(entry.type, ()))
    for name in sorted(set(entry.properties) - accepted):
        yield f"{where}: property {name} is not handled"


def _wrong(template: Template, catalogue: Catalogue) -> Iterator[str]:
    for entry in template.resources.values():
        where = f"{entry.logical_id} ({entry.type})"
        for name in sorted(catalogue(entry.type).required - set(entry.properties)):
            yield f"{where}: property {name} is missing"
        for name in entry.depends_on:
            if name not in template.resources:
                yield f"{where}: DependsOn names {name}, which is no resource"
        for problem in _bad_references(entry.properties, template, catalogue):
            yield f"{where}: {problem}"
    for name, output in template.outputs.items():
        for problem in _bad_references(output.get("Value"), template, catalogue):
            yield f"output {name}: {problem}"


def _bad_references(value: Any, template: Template, catalogue: Catalogue) -> Iterator[str]:
    for name, attribute in references(value, _BothBranches({})):
        entry = template.resources.get(name)
        if attribute is None and (name in template.parameters or name.startswith(_PSEUDO)):
            continue
        if entry is None:
            yield f"reference to {name}, which is no resource or parameter"
        elif isinstance(attribute, str):
            yield from _bad_attribute(entry, attribute, catalogue)


def _bad_attribute(entry: ResourceTemplate, attribute: str, catalogue: Catalogue) -> Iterator[str]:
    kind = catalogue(entry.type)
    if not isinstance(kind, CustomResource) and attribute not in kind.attributes:
        yield f"Fn::GetAtt {entry.logical_id}.{attribute}: {entry.type} has no attribute {attribute} here"
