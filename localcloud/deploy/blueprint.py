"""A template with its parameters: which resources it asks for, in what order, with which properties."""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.deploy.coercion import text
from localcloud.deploy.conditions import Conditions, broken_rules
from localcloud.deploy.errors import DeployError, TemplateError
from localcloud.deploy.graph import ordered
from localcloud.deploy.intrinsics import NO_VALUE, Resolver, Resources, references
from localcloud.deploy.template import ResourceTemplate, Template


class Blueprint:
    """What a template asks for, given its parameters.

    Parameters
    ----------
    template
        The parsed template.
    parameters
        Values of its parameters and of the pseudo parameters.
    resources
        Where references to resources are looked up.
    import_value, dynamic
        As `Resolver` takes them.
    """

    def __init__(
        self,
        template: Template,
        *,
        parameters: Mapping[str, Any],
        resources: Resources,
        import_value: Callable[[str], Any],
        dynamic: Callable[[str], str],
    ) -> None:
        self._template = template
        self._conditions = Conditions(template.conditions)
        self._resolver = Resolver(parameters, template.mappings, self._conditions, resources, import_value, dynamic)
        self._conditions.attach(self._resolver.resolve)
        self._check_rules()
        self.active = {name: entry for name, entry in template.resources.items() if self._holds(entry.condition)}
        self.dependencies = {name: self._dependencies(entry) for name, entry in self.active.items()}
        self.order = ordered(self.dependencies)

    def desired(self, logical_id: str) -> dict[str, Any]:
        """Return the resolved properties of a resource, whose dependencies must exist by now."""
        try:
            properties: dict[str, Any] = self._resolver.resolve(self.active[logical_id].properties)
        except DeployError as error:
            raise type(error)(f"{logical_id}: {error}") from error
        return properties

    def outputs(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the outputs and the exports, by name."""
        outputs: dict[str, Any] = {}
        exports: dict[str, Any] = {}
        for name, entry in self._template.outputs.items():
            value = self._output(name, entry)
            if value is NO_VALUE:
                continue
            outputs[name] = value
            if "Export" in entry:
                exports[text(self._resolver.resolve(entry["Export"]["Name"]))] = value
        return outputs, exports

    def _output(self, name: str, entry: Mapping[str, Any]) -> Any:
        if not self._holds(entry.get("Condition")):
            return NO_VALUE
        try:
            return self._resolver.resolve(entry["Value"])
        except DeployError as error:
            raise type(error)(f"output {name}: {error}") from error

    def _holds(self, condition: str | None) -> bool:
        return condition is None or self._conditions.holds(condition)

    def _dependencies(self, entry: ResourceTemplate) -> tuple[str, ...]:
        found = [*entry.depends_on, *(name for name, _ in references(entry.properties, self._conditions))]
        return tuple(name for name in dict.fromkeys(found) if name in self._template.resources)

    def _check_rules(self) -> None:
        broken = broken_rules(self._template.rules, self._conditions)
        if broken:
            raise TemplateError("; ".join(broken))
