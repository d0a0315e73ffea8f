"""Lambda's API for functions."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError
from localcloud.service import Service, operation
from localcloud.services.functions.async_invocations import AsyncInvocations
from localcloud.services.functions.code_store import CodeStore
from localcloud.services.functions.function import Function, new_settings
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.pool import ThrottledError
from localcloud.services.functions.publishing_service import check_revision
from localcloud.services.functions.qualified import LATEST, Qualified

Params = Mapping[str, Any]
_LONGEST_PAYLOAD = 6 * 1024 * 1024
_LONGEST_EVENT = 1024 * 1024
_ACCOUNT_CONCURRENCY = 1000
_LEAST_UNRESERVED = 100


class FunctionService(Service):
    """Functions: create, change, invoke, delete.

    Parameters
    ----------
    platform
        Keeps and runs functions.
    events
        Takes asynchronous invocations.
    code
        Unpacks deployment packages.
    assumable
        Whether Lambda may assume a role.
    """

    name: ClassVar[str] = "lambda"

    def __init__(
        self,
        platform: FunctionPlatform,
        events: AsyncInvocations,
        code: CodeStore,
        assumable: Callable[[str], bool],
    ) -> None:
        self._platform = platform
        self._events = events
        self._code = code
        self._assumable = assumable

    @operation("CreateFunction")
    def create_function(self, params: Params) -> dict[str, Any]:
        """Create a function that is active at once."""
        name = Qualified.of(params["FunctionName"]).unqualified().name
        if name in self._platform.functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
        settings = new_settings(params)
        self._check_role(settings["Role"])
        code = self._code.unpack(params["Code"])
        function = Function(name, self._platform.arn(name), settings, code, dict(params.get("Tags", {})))
        self._platform.add(function)
        return self._published(function, params)

    @operation("GetFunction")
    def get_function(self, params: Params) -> dict[str, Any]:
        """Return configuration, tags and reserved concurrency."""
        asked = self._platform.asked(params["FunctionName"], params.get("Qualifier"))
        function, version = self._platform.functions[asked.name], self._platform.get(asked.text)
        answer: dict[str, Any] = {
            "Configuration": version.describe(asked.qualifier),
            "Code": {"RepositoryType": "S3", "Location": version.code.folder.as_uri()},
            "Tags": function.tags,
        }
        if function.reserved_concurrency is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
        return answer

    @operation("GetFunctionConfiguration")
    def get_function_configuration(self, params: Params) -> dict[str, Any]:
        """Return the configuration of a function, a version, or the version that an alias points at."""
        asked = self._platform.asked(params["FunctionName"], params.get("Qualifier"))
        return self._platform.get(asked.text).describe(asked.qualifier)

    @operation("ListFunctions")
    def list_functions(self, params: Params) -> dict[str, Any]:
        """Return all functions' configurations, with their versions if they are asked for."""
        functions = list(self._platform.functions.values())
        if params.get("FunctionVersion") != "ALL":
            return {"Functions": [f.describe() for f in functions]}
        published = self._platform.published
        every = [v for f in functions for v in (f, *published[f.name].versions.values())]
        return {"Functions": [v.describe(v.version) for v in every]}

    @operation("UpdateFunctionCode")
    def update_function_code(self, params: Params) -> dict[str, Any]:
        """Give a function other code; running invocations end on the old."""
        function = self._platform.latest(params["FunctionName"])
        check_revision(params, function.revision)
        function.code = self._code.unpack(params)
        function.touch()
        self._platform.changed(function)
        return self._published(function, params)

    def _published(self, function: Function, params: Params) -> dict[str, Any]:
        """Return the function, or the version of it that it is to become at once."""
        if not params.get("Publish"):
            return function.describe()
        version = self._platform.publish(function)
        return version.describe(version.version)

    @operation("UpdateFunctionConfiguration")
    def update_function_configuration(self, params: Params) -> dict[str, Any]:
        """Change a function's settings; running invocations end under the old."""
        function = self._platform.latest(params["FunctionName"])
        check_revision(params, function.revision)
        if "Role" in params:
            self._check_role(params["Role"])
        function.update(params)
        self._platform.changed(function)
        return function.describe()

    @operation("DeleteFunction")
    def delete_function(self, params: Params) -> dict[str, Any]:
        """Delete a function with all that is published of it, or one version; its workers end."""
        asked = Qualified.of(params["FunctionName"], params.get("Qualifier"))
        if asked.qualifier is None:
            self._platform.remove(self._platform.latest(params["FunctionName"]).name)
        else:
            self._delete_version(self._platform.asked(params["FunctionName"], params.get("Qualifier")))
        self._events.forget(asked)
        return {"StatusCode": 204}

    def _delete_version(self, asked: Qualified) -> None:
        if asked.qualifier == LATEST:
            message = "$LATEST version cannot be deleted without deleting the function."
            raise AwsError("InvalidParameterValueException", message)
        if asked.qualifier in self._platform.published[asked.name].aliases:
            message = f"{asked.qualifier} is an alias: it is deleted by DeleteAlias"
            raise AwsError("InvalidParameterValueException", message)
        self._platform.remove_version(asked)

    @operation("Invoke")
    def invoke(self, params: Params) -> dict[str, Any]:
        """Invoke a function, waiting for its answer or not."""
        kind = params.get("InvocationType", "RequestResponse")
        name, payload = self._invoked(params), bytes(params.get("Payload", b""))
        self._check_payload(payload, _LONGEST_EVENT if kind == "Event" else _LONGEST_PAYLOAD)
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            self._events.accept(name, payload)
            return {"StatusCode": 202, "Payload": b""}
        return self._invoke_now(name, payload, params.get("LogType") == "Tail")

    def _invoked(self, params: Params) -> str:
        """Return what is to be invoked, with its qualifier, if it is there."""
        return self._platform.asked(params["FunctionName"], params.get("Qualifier")).text

    def _invoke_now(self, name: str, payload: bytes, with_log: bool) -> dict[str, Any]:
        try:
            outcome, _ = self._platform.invoke(name, payload)
        except ThrottledError:
            extra: dict[str, object] = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}
            raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429, extra) from None
        answer: dict[str, Any] = {"StatusCode": 200, "Payload": outcome.payload, "ExecutedVersion": outcome.version}
        if outcome.error:
            answer["FunctionError"] = outcome.error
        if with_log:
            answer["LogResult"] = base64.b64encode(outcome.log_tail.encode()[-4096:]).decode()
        return answer

    @staticmethod
    def _check_payload(payload: bytes, longest: int) -> None:
        if len(payload) > longest:
            message = f"Request must be smaller than {longest} bytes for the InvokeFunction operation"
            raise AwsError("RequestTooLargeException", message, 413)
        try:
            json.loads(payload or b"{}")
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            raise AwsError("InvalidRequestContentException", message) from error

    @operation("PutFunctionConcurrency")
    def put_function_concurrency(self, params: Params) -> dict[str, Any]:
        """Limit how many invocations run at once."""
        function = self._platform.latest(params["FunctionName"])
        wanted = params["ReservedConcurrentExecutions"]
        self._check_concurrency(function, wanted)
        function.reserved_concurrency = wanted
        return {"ReservedConcurrentExecutions": function.reserved_concurrency}

    @operation("GetFunctionConcurrency")
    def get_function_concurrency(self, params: Params) -> dict[str, Any]:
        """Return the limit, if there is one."""
        reserved = self._platform.latest(params["FunctionName"]).reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    @operation("DeleteFunctionConcurrency")
    def delete_function_concurrency(self, params: Params) -> None:
        """Remove the limit."""
        self._platform.latest(params["FunctionName"]).reserved_concurrency = None

    def _check_concurrency(self, function: Function, wanted: int) -> None:
        provisioned = self._platform.fleets[function.name].provisioned
        if wanted < provisioned:
            raise AwsError(
                "InvalidParameterValueException",
                f"ReservedConcurrentExecutions {wanted} should not be lower than function's total provisioned "
                f"concurrency [{provisioned}].",
            )
        others = (f.reserved_concurrency or 0 for f in self._platform.functions.values() if f is not function)
        if wanted + sum(others) > _ACCOUNT_CONCURRENCY - _LEAST_UNRESERVED:
            raise AwsError(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{_LEAST_UNRESERVED}].",
            )

    def _check_role(self, role: str) -> None:
        if not self._assumable(role):
            message = "The role defined for the function cannot be assumed by Lambda."
            raise AwsError("InvalidParameterValueException", f"{message} ({role})")
