"""AWS::ApiGateway: API keys and usage plans."""

from typing import ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.api_gateway_form import GONE, SERVICE, Patch, call, patch, replacing, set_tags, update
from localcloud.deploy.resources.shape import without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_KEY_PATHS = {"CustomerId": "customerId", "Description": "description", "Enabled": "enabled"}


class ApiKey(ResourceType):
    """A key; `Ref` is its id, and its value is shown by GetApiKey alone."""

    name: ClassVar[str] = "AWS::ApiGateway::ApiKey"
    handled: ClassVar[frozenset[str]] = frozenset({"GenerateDistinctId", "Name", "Tags", "Value", *_KEY_PATHS})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"GenerateDistinctId", "Name", "Value"})
    name_property: ClassVar[str | None] = "Name"
    attributes: ClassVar[frozenset[str]] = frozenset({"APIKeyId"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the key."""
        identifier = call(scope, "CreateApiKey", {"Name": scope.name(128), **desired})["id"]
        return Made(identifier, {"APIKeyId": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change the key."""
        update(scope, "UpdateApiKey", replacing(old, new, _KEY_PATHS), apiKey=made.physical_id)
        set_tags(scope, f"apikeys/{made.physical_id}", old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the key."""
        with ignoring(GONE):
            scope.call(SERVICE, "DeleteApiKey", apiKey=made.physical_id)


_PLAN_PATHS = {"UsagePlanName": "name", "Description": "description"}
_NESTED = {
    "Throttle": {"RateLimit": "throttle/rateLimit", "BurstLimit": "throttle/burstLimit"},
    "Quota": {"Limit": "quota/limit", "Offset": "quota/offset", "Period": "quota/period"},
}


class UsagePlan(ResourceType):
    """How fast and how often keys may call stages; `Ref` is its id."""

    name: ClassVar[str] = "AWS::ApiGateway::UsagePlan"
    handled: ClassVar[frozenset[str]] = frozenset({"ApiStages", "Tags", *_PLAN_PATHS, *_NESTED})
    attributes: ClassVar[frozenset[str]] = frozenset({"Id"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the plan."""
        name = desired.get("UsagePlanName") or scope.name(128)
        identifier = call(scope, "CreateUsagePlan", without(desired, "UsagePlanName"), name=name)["id"]
        return Made(identifier, {"Id": identifier})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Change the plan."""
        nested = [each for name in _NESTED for each in _of_nested(name, old, new)]
        patches = [*replacing(old, new, _PLAN_PATHS), *nested, *_of_stages(old, new)]
        update(scope, "UpdateUsagePlan", patches, usagePlanId=made.physical_id)
        set_tags(scope, f"usageplans/{made.physical_id}", old, new)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Take the stages out of the plan, and delete it."""
        with ignoring(GONE):
            update(scope, "UpdateUsagePlan", _of_stages(properties, {}), usagePlanId=made.physical_id)
            scope.call(SERVICE, "DeleteUsagePlan", usagePlanId=made.physical_id)


def _of_nested(name: str, old: Properties, new: Properties) -> list[Patch]:
    if name in old and name not in new:
        return [patch("remove", f"/{name.lower()}")]
    return replacing(old.get(name) or {}, new.get(name) or {}, _NESTED[name])


def _of_stages(old: Properties, new: Properties) -> list[Patch]:
    before, after = ([f"{s['ApiId']}:{s['Stage']}" for s in each.get("ApiStages") or []] for each in (old, new))
    gone = [patch("remove", "/apiStages", stage) for stage in before if stage not in after]
    return gone + [patch("add", "/apiStages", stage) for stage in after if stage not in before]


class UsagePlanKey(ResourceType):
    """A key's place in a plan."""

    name: ClassVar[str] = "AWS::ApiGateway::UsagePlanKey"
    handled: ClassVar[frozenset[str]] = frozenset({"KeyId", "KeyType", "UsagePlanId"})
    required: ClassVar[frozenset[str]] = handled
    replaced_by: ClassVar[frozenset[str]] = handled
    attributes: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Add the key to the plan."""
        call(scope, "CreateUsagePlanKey", desired)
        identifier = f"{desired['KeyId']}:{desired['UsagePlanId']}"
        return Made(identifier, {"Id": identifier})

    def update(self, _scope: Scope, made: Made, _old: Properties, _new: Properties) -> Made:
        """Change nothing: every property makes a new one."""
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Take the key out of the plan."""
        with ignoring(GONE):
            where = {"usagePlanId": properties["UsagePlanId"], "keyId": properties["KeyId"]}
            scope.call(SERVICE, "DeleteUsagePlanKey", **where)
