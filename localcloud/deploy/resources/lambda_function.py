"""AWS::Lambda::Function."""

import io
import zipfile
from typing import Any, ClassVar

from localcloud.deploy.errors import ResourceFailedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import only
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_map

GONE = "ResourceNotFoundException"
_UPDATE_TIMEOUT = 120.0
_CONFIGURATION = frozenset(
    {"DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "Handler", "KmsKeyArn", "Layers",
     "LoggingConfig", "MemorySize", "Role", "Runtime", "Timeout"}
)  # fmt: skip
# What UpdateFunctionConfiguration must be told so that a property which is gone takes its default again.
_DEFAULTS: dict[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "KmsKeyArn": "",
    "Layers": [],
    "MemorySize": 128,
    "Timeout": 3,
}


class Function(ResourceType):
    """A function, its code from S3 or inline."""

    name: ClassVar[str] = "AWS::Lambda::Function"
    handled: ClassVar[frozenset[str]] = _CONFIGURATION | {
        "Architectures", "Code", "FunctionName", "PackageType", "ReservedConcurrentExecutions", "Tags"
    }  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"Code", "Role"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"FunctionName", "PackageType"})
    name_property: ClassVar[str | None] = "FunctionName"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the function and wait until it can be invoked."""
        answer = scope.call(
            "lambda",
            "CreateFunction",
            FunctionName=desired.get("FunctionName") or scope.name(64),
            Code=_code(desired),
            Tags=tag_map(desired.get("Tags")) or None,
            **only(desired, "Architectures", "PackageType", *_CONFIGURATION),
        )
        made = scope.note(answer["FunctionName"], Arn=_unqualified(answer["FunctionArn"]))
        _settle(scope, made.physical_id)
        _set_concurrency(scope, made.physical_id, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Update configuration and code, whichever differ."""
        function = made.physical_id
        configuration = _configuration(old, new)
        if configuration:
            scope.call("lambda", "UpdateFunctionConfiguration", FunctionName=function, **configuration)
            _settle(scope, function)
        if (old["Code"], old.get("Architectures")) != (new["Code"], new.get("Architectures")):
            architectures = new.get("Architectures", ["x86_64"])
            scope.call("lambda", "UpdateFunctionCode", FunctionName=function, Architectures=architectures, **_code(new))
            _settle(scope, function)
        _set_concurrency(scope, function, old, new)
        _set_tags(scope, made.attributes["Arn"], old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the function."""
        with ignoring(GONE):
            scope.call("lambda", "DeleteFunction", FunctionName=made.physical_id)


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])


def _code(properties: Properties) -> dict[str, Any]:
    code = dict(properties["Code"])
    if "ZipFile" in code:
        python = str(properties.get("Runtime", "")).startswith("python")
        code["ZipFile"] = _zipped("index.py" if python else "index.js", code["ZipFile"])
    return code


def _zipped(name: str, source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), source)
    return buffer.getvalue()


def _configuration(old: Properties, new: Properties) -> dict[str, Any]:
    differing = sorted(key for key in _CONFIGURATION if old.get(key) != new.get(key))
    settings = {key: new.get(key, _DEFAULTS.get(key)) for key in differing}
    return {key: value for key, value in settings.items() if value is not None}


def _settle(scope: Scope, function: str) -> None:
    """Wait until the function is neither pending nor being updated."""

    def look() -> dict[str, Any] | None:
        now = scope.call("lambda", "GetFunctionConfiguration", FunctionName=function)
        return None if now.get("State") == "Pending" or now.get("LastUpdateStatus") == "InProgress" else now

    now = scope.wait(look, timeout=_UPDATE_TIMEOUT, what=f"function {function}")
    if "Failed" in (now.get("State"), now.get("LastUpdateStatus")):
        reason = now.get("StateReason") or now.get("LastUpdateStatusReason")
        raise ResourceFailedError(f"function {function} failed: {reason}")


def _set_concurrency(scope: Scope, function: str, old: Properties, new: Properties) -> None:
    name = "ReservedConcurrentExecutions"
    if old.get(name) == new.get(name):
        return
    if name in new:
        scope.call("lambda", "PutFunctionConcurrency", FunctionName=function, ReservedConcurrentExecutions=new[name])
    else:
        scope.call("lambda", "DeleteFunctionConcurrency", FunctionName=function)


def _set_tags(scope: Scope, arn: str, old: Properties, new: Properties) -> None:
    to_set, removed = tag_changes(old, new)
    if to_set:
        scope.call("lambda", "TagResource", Resource=arn, Tags=to_set)
    if removed:
        scope.call("lambda", "UntagResource", Resource=arn, TagKeys=removed)
