"""API Gateway's API for API keys, usage plans, the account and tags."""

import secrets
import string
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, ClassVar

from localcloud.errors import NotSimulatedError
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.api_gateway.paging import page
from localcloud.services.api_gateway.patches import Converter, Operation, patched, truth
from localcloud.services.api_gateway.problems import bad_request, conflict, missing
from localcloud.services.api_gateway.rest_api import Apis, Record, identifier
from localcloud.services.api_gateway.usage import Plans, covers, shown

Params = Mapping[str, Any]

_KEY = dict.fromkeys(
    ("name", "description", "enabled", "value", "customerId", "tags", "generateDistinctId", "stageKeys"), ANY
)
_PLAN: dict[str, Any] = {
    **dict.fromkeys(("id", "name", "description", "tags"), ANY),
    "apiStages": [{"apiId": ANY, "stage": ANY}],
    "throttle": {"rateLimit": ANY, "burstLimit": ANY},
    "quota": {"limit": ANY, "offset": ANY, "period": OneOf("DAY", "WEEK", "MONTH")},
}
_KEY_PATCHES: dict[str, Converter] = {"name": str, "description": str, "customerId": str, "enabled": truth}
_PLAN_PATCHES: dict[str, Converter] = {
    "name": str,
    "description": str,
    "throttle": str,
    "throttle/rateLimit": float,
    "throttle/burstLimit": int,
    "quota": str,
    "quota/limit": int,
    "quota/offset": int,
    "quota/period": str,
}
_SHORTEST_KEY, _LONGEST_KEY = 20, 128


class KeyService(Service):
    """API keys and usage plans.

    Parameters
    ----------
    apis
        Where APIs are kept.
    plans
        Where keys and plans are kept.
    role_refusal
        Returns why API Gateway may not write logs under a role; None if it may.
    """

    name: ClassVar[str] = "apigateway"

    def __init__(self, apis: Apis, plans: Plans, role_refusal: Callable[[str], str | None]) -> None:
        self._apis = apis
        self._plans = plans
        self._role_refusal = role_refusal

    @operation("CreateApiKey")
    def create_api_key(self, params: Params) -> Record:
        """Create a key, with a value of its own unless one is given."""
        refuse_others("apigateway:CreateApiKey", params, _KEY)
        if params.get("stageKeys"):
            raise NotSimulatedError("stageKeys of an API key (keys belong to stages by usage plans)")
        value = params.get("value") or "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
        self._check_value(value)
        now, given = time.time(), {k: v for k, v in params.items() if k not in ("generateDistinctId", "stageKeys")}
        made = {"id": identifier(), "enabled": False, **given, "value": value, "stageKeys": []}
        self._plans.keys[made["id"]] = {**made, "createdDate": now, "lastUpdatedDate": now}
        return self._plans.keys[made["id"]]

    def _check_value(self, value: str) -> None:
        if not _SHORTEST_KEY <= len(value) <= _LONGEST_KEY:
            raise bad_request(f"API Key value should be at least {_SHORTEST_KEY} characters")
        if any(key["value"] == value for key in self._plans.keys.values()):
            raise conflict("API Key already exists")

    @operation("GetApiKey")
    def get_api_key(self, params: Params) -> Record:
        """Return a key."""
        return shown(self._plans.key(params["apiKey"]), params.get("includeValue"))

    @operation("GetApiKeys")
    def get_api_keys(self, params: Params) -> Record:
        """Return all keys, or those whose names begin in a given way."""
        named = (k for k in self._plans.keys.values() if str(k.get("name", "")).startswith(params.get("nameQuery", "")))
        return page([shown(key, params.get("includeValues")) for key in named], params)

    @operation("UpdateApiKey")
    def update_api_key(self, params: Params) -> Record:
        """Change a key."""
        changed = patched(self._plans.key(params["apiKey"]), params.get("patchOperations", []), _KEY_PATCHES)
        self._plans.keys[changed["id"]] = {**changed, "lastUpdatedDate": time.time()}
        return shown(changed, False)

    @operation("DeleteApiKey")
    def delete_api_key(self, params: Params) -> None:
        """Delete a key, from its plans as well."""
        key = self._plans.key(params["apiKey"])
        del self._plans.keys[key["id"]]
        for members in self._plans.members.values():
            if key["id"] in members:
                members.remove(key["id"])

    @operation("CreateUsagePlan")
    def create_usage_plan(self, params: Params) -> Record:
        """Create a plan."""
        made = {"id": identifier(6), "apiStages": [], **params}
        self._check_plan(made)
        made["apiStages"] = [{name: each[name] for name in ("apiId", "stage")} for each in made["apiStages"]]
        self._plans.plans[made["id"]] = made
        return made

    @operation("GetUsagePlan")
    def get_usage_plan(self, params: Params) -> Record:
        """Return a plan."""
        return self._plans.plan(params["usagePlanId"])

    @operation("GetUsagePlans")
    def get_usage_plans(self, params: Params) -> Record:
        """Return all plans, or those that a key is in."""
        key = params.get("keyId")
        found = [plan for plan in self._plans.plans.values() if key is None or key in self._plans.members[plan["id"]]]
        return page(found, params)

    @operation("UpdateUsagePlan")
    def update_usage_plan(self, params: Params) -> Record:
        """Change a plan."""
        operations = params.get("patchOperations", [])
        of_stages = [each for each in operations if each["path"] == "/apiStages"]
        others = [each for each in operations if each not in of_stages]
        changed = patched(self._plans.plan(params["usagePlanId"]), others, _PLAN_PATCHES)
        for each in of_stages:
            _patch_stages(changed["apiStages"], each)
        self._check_plan(changed)
        self._plans.plans[changed["id"]] = changed
        return changed

    def _check_plan(self, plan: Record) -> None:
        refuse_others("apigateway:CreateUsagePlan", plan, _PLAN)
        for each in plan["apiStages"]:
            if self._apis.stage(each["apiId"], each["stage"]) is None:
                raise missing("API Stage", f"{each['apiId']}:{each['stage']}")

    @operation("DeleteUsagePlan")
    def delete_usage_plan(self, params: Params) -> None:
        """Delete a plan that no stage is left in."""
        plan = self._plans.plan(params["usagePlanId"])
        if any(self._apis.stage(each["apiId"], each["stage"]) for each in plan["apiStages"]):
            raise bad_request("Cannot delete usage plan because it is associated with API stages")
        del self._plans.plans[plan["id"]]
        self._plans.members.pop(plan["id"], None)

    @operation("CreateUsagePlanKey")
    def create_usage_plan_key(self, params: Params) -> Record:
        """Add a key to a plan."""
        plan, key = self._plans.plan(params["usagePlanId"]), self._plans.key(params["keyId"])
        if params["keyType"] != "API_KEY":
            raise bad_request(f"keyType {params['keyType']!r} is not supported: only API_KEY is")
        self._check_membership(plan, key)
        self._plans.members[plan["id"]].append(key["id"])
        return _member(key)

    def _check_membership(self, plan: Record, key: Record) -> None:
        if key["id"] in self._plans.members[plan["id"]]:
            raise conflict("Usage Plan Key already exists")
        others = [each for each in self._plans.plans.values() if key["id"] in self._plans.members[each["id"]]]
        for each in plan["apiStages"]:
            if any(covers(other, each["apiId"], each["stage"]) for other in others):
                message = (
                    "cannot be added because API Key cannot reference multiple Usage Plans with the same API stage"
                )
                raise conflict(f"Usage Plan {plan['id']} {message}: {each['apiId']}:{each['stage']}")

    @operation("GetUsagePlanKey")
    def get_usage_plan_key(self, params: Params) -> Record:
        """Return a plan's key."""
        if params["keyId"] not in self._plans.members[self._plans.plan(params["usagePlanId"])["id"]]:
            raise missing("Usage Plan Key", params["keyId"])
        return _member(self._plans.key(params["keyId"]))

    @operation("GetUsagePlanKeys")
    def get_usage_plan_keys(self, params: Params) -> Record:
        """Return a plan's keys."""
        members = self._plans.members[self._plans.plan(params["usagePlanId"])["id"]]
        return page([_member(self._plans.key(key)) for key in members], params)

    @operation("DeleteUsagePlanKey")
    def delete_usage_plan_key(self, params: Params) -> None:
        """Take a key out of a plan."""
        self.get_usage_plan_key(params)
        self._plans.members[params["usagePlanId"]].remove(params["keyId"])

    @operation("GetUsage")
    def get_usage(self, params: Params) -> Record:
        """Return what a plan's keys used, day by day."""
        plan = self._plans.plan(params["usagePlanId"])
        start, end = _day(params["startDate"]), _day(params["endDate"])
        keys = [params["keyId"]] if params.get("keyId") else self._plans.members[plan["id"]]
        items = {key: self._plans.usage(plan["id"], key, start, end) for key in keys}
        return {"usagePlanId": plan["id"], "startDate": str(start), "endDate": str(end), "items": items}

    @operation("GetAccount")
    def get_account(self, _params: Params) -> Record:
        """Return the account's settings."""
        return self._apis.account

    @operation("UpdateAccount")
    def update_account(self, params: Params) -> Record:
        """Say under which role logs are written."""
        changed = patched(self._apis.account, params.get("patchOperations", []), {"cloudwatchRoleArn": str})
        role = changed.get("cloudwatchRoleArn")
        if not role:
            changed.pop("cloudwatchRoleArn", None)
        elif (reason := self._role_refusal(role)) is not None:
            grant = "Please grant trust permission for API Gateway and add the required role policy."
            raise bad_request(f"The role ARN does not have required permissions configured. {grant} ({reason})")
        self._apis.account = changed
        return changed

    @operation("TagResource")
    def tag_resource(self, params: Params) -> None:
        """Add tags."""
        self._tags(params["resourceArn"]).update(params["tags"])

    @operation("UntagResource")
    def untag_resource(self, params: Params) -> None:
        """Remove tags."""
        for key in params["tagKeys"]:
            self._tags(params["resourceArn"]).pop(key, None)

    @operation("GetTags")
    def get_tags(self, params: Params) -> Record:
        """Return tags."""
        return {"tags": self._tags(params["resourceArn"])}

    def _tags(self, arn: str) -> Record:
        kind, *rest = arn.partition("::/")[2].split("/")
        if kind == "restapis" and len(rest) == 1:
            owner = self._apis.get(rest[0]).design.settings
        elif kind == "restapis" and rest[1:2] == ["stages"]:
            owner = self._apis.get(rest[0]).stage(rest[2]).record
        elif kind in ("apikeys", "usageplans"):
            owner = (self._plans.key if kind == "apikeys" else self._plans.plan)(rest[0])
        else:
            raise missing("resource", arn)
        tags: Record = owner.setdefault("tags", {})
        return tags


def _member(key: Record) -> Record:
    return {"id": key["id"], "type": "API_KEY", "value": key["value"], "name": key.get("name", "")}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad_request(f"{text!r} is no date of the form yyyy-mm-dd") from None


def _patch_stages(stages: list[Record], change: Operation) -> None:
    """Add or remove a stage, which a patch names as ``api:stage``."""
    api_id, _, stage = str(change.get("value", "")).partition(":")
    entry = {"apiId": api_id, "stage": stage}
    if change.get("op") == "add" and entry not in stages:
        stages.append(entry)
    elif change.get("op") == "remove" and entry in stages:
        stages.remove(entry)
