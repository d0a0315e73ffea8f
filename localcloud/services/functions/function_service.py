"""Lambda's API for functions, their permissions and their asynchronous settings."""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.service import Service, operation
from localcloud.services.functions.async_invocations import AsyncInvocations
from localcloud.services.functions.code_store import CodeStore
from localcloud.services.functions.function import Function, check_qualifier, new_settings, plain_name
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.pool import ThrottledError

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
        name = plain_name(params["FunctionName"])
        if name in self._platform.functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
        settings = new_settings(params)
        self._check_role(settings["Role"])
        code = self._code.unpack(params["Code"])
        function = Function(name, self._platform.arn(name), settings, code, dict(params.get("Tags", {})))
        self._platform.add(function)
        return function.describe()

    @operation("GetFunction")
    def get_function(self, params: Params) -> dict[str, Any]:
        """Return configuration, tags and reserved concurrency."""
        function = self._platform.get(params["FunctionName"])
        answer: dict[str, Any] = {
            "Configuration": function.describe(),
            "Code": {"RepositoryType": "S3", "Location": function.code.folder.as_uri()},
            "Tags": function.tags,
        }
        if function.reserved_concurrency is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved_concurrency}
        return answer

    @operation("GetFunctionConfiguration")
    def get_function_configuration(self, params: Params) -> dict[str, Any]:
        """Return a function's configuration."""
        return self._platform.get(params["FunctionName"]).describe()

    @operation("ListFunctions")
    def list_functions(self, _params: Params) -> dict[str, Any]:
        """Return all functions' configurations."""
        return {"Functions": [f.describe() for f in self._platform.functions.values()]}

    @operation("UpdateFunctionCode")
    def update_function_code(self, params: Params) -> dict[str, Any]:
        """Give a function other code; running invocations end on the old."""
        function = self._platform.get(params["FunctionName"])
        if params.get("Publish"):
            raise NotSimulatedError("publishing of Lambda versions")
        function.code = self._code.unpack(params)
        function.touch()
        self._platform.changed(function)
        return function.describe()

    @operation("UpdateFunctionConfiguration")
    def update_function_configuration(self, params: Params) -> dict[str, Any]:
        """Change a function's settings; running invocations end under the old."""
        function = self._platform.get(params["FunctionName"])
        if "Role" in params:
            self._check_role(params["Role"])
        function.update(params)
        self._platform.changed(function)
        return function.describe()

    @operation("DeleteFunction")
    def delete_function(self, params: Params) -> dict[str, Any]:
        """Delete a function and end its workers."""
        function = self._platform.get(params["FunctionName"])
        self._events.configurations.pop(function.name, None)
        self._platform.remove(function.name)
        return {"StatusCode": 204}

    @operation("Invoke")
    def invoke(self, params: Params) -> dict[str, Any]:
        """Invoke a function, waiting for its answer or not."""
        kind = params.get("InvocationType", "RequestResponse")
        name, payload = params["FunctionName"], bytes(params.get("Payload", b""))
        check_qualifier(params.get("Qualifier"))
        self._check_payload(payload, _LONGEST_EVENT if kind == "Event" else _LONGEST_PAYLOAD)
        if kind == "DryRun":
            self._platform.get(name)
            return {"StatusCode": 204}
        if kind == "Event":
            self._events.accept(name, payload)
            return {"StatusCode": 202, "Payload": b""}
        return self._invoke_now(name, payload, params.get("LogType") == "Tail")

    def _invoke_now(self, name: str, payload: bytes, with_log: bool) -> dict[str, Any]:
        try:
            outcome, _ = self._platform.invoke(name, payload)
        except ThrottledError:
            extra: dict[str, object] = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}
            raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429, extra) from None
        answer: dict[str, Any] = {"StatusCode": 200, "Payload": outcome.payload, "ExecutedVersion": "$LATEST"}
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
        function = self._platform.get(params["FunctionName"])
        wanted = params["ReservedConcurrentExecutions"]
        self._check_concurrency(function, wanted)
        function.reserved_concurrency = wanted
        return {"ReservedConcurrentExecutions": function.reserved_concurrency}

    @operation("GetFunctionConcurrency")
    def get_function_concurrency(self, params: Params) -> dict[str, Any]:
        """Return the limit, if there is one."""
        reserved = self._platform.get(params["FunctionName"]).reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    @operation("DeleteFunctionConcurrency")
    def delete_function_concurrency(self, params: Params) -> None:
        """Remove the limit."""
        self._platform.get(params["FunctionName"]).reserved_concurrency = None

    def _check_concurrency(self, function: Function, wanted: int) -> None:
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


class FunctionSettingsService(Service):
    """What lies beside functions: permissions, asynchronous settings and tags.

    Parameters
    ----------
    platform
        Keeps functions and their policies.
    events
        Keeps the asynchronous settings.
    """

    name: ClassVar[str] = "lambda"

    def __init__(self, platform: FunctionPlatform, events: AsyncInvocations) -> None:
        self._platform = platform
        self._events = events

    @operation("AddPermission")
    def add_permission(self, params: Params) -> dict[str, Any]:
        """Let somebody invoke a function."""
        function = self._platform.get(params["FunctionName"])
        return {"Statement": json.dumps(self._platform.policies[function.name].add(params))}

    @operation("RemovePermission")
    def remove_permission(self, params: Params) -> None:
        """Take a permission back."""
        function = self._platform.get(params["FunctionName"])
        self._platform.policies[function.name].remove(params["StatementId"])

    @operation("GetPolicy")
    def get_policy(self, params: Params) -> dict[str, Any]:
        """Return a function's resource policy."""
        function = self._platform.get(params["FunctionName"])
        document = self._platform.policies[function.name].document()
        if document is None:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return {"Policy": document, "RevisionId": str(uuid.uuid5(uuid.NAMESPACE_OID, document))}

    @operation("PutFunctionEventInvokeConfig")
    def put_event_invoke_config(self, params: Params) -> dict[str, Any]:
        """Set retries, age and destinations of asynchronous invocations."""
        function = self._platform.get(params["FunctionName"])
        kept = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        self._events.configurations[function.name] = {k: params[k] for k in kept if k in params}
        return self._event_invoke_config(function)

    @operation("UpdateFunctionEventInvokeConfig")
    def update_event_invoke_config(self, params: Params) -> dict[str, Any]:
        """Change some of the settings of asynchronous invocations."""
        function = self._platform.get(params["FunctionName"])
        self.put_event_invoke_config({**self._events.configurations.get(function.name, {}), **params})
        return self._event_invoke_config(function)

    @operation("GetFunctionEventInvokeConfig")
    def get_event_invoke_config(self, params: Params) -> dict[str, Any]:
        """Return the settings of asynchronous invocations."""
        return self._event_invoke_config(self._platform.get(params["FunctionName"]))

    def _event_invoke_config(self, function: Function) -> dict[str, Any]:
        config = self._events.configurations.get(function.name)
        if config is None:
            message = f"The function {function.arn} doesn't have an EventInvokeConfig"
            raise AwsError("ResourceNotFoundException", message, 404)
        return {"FunctionArn": f"{function.arn}:$LATEST", "LastModified": function.modified, **config}

    @operation("DeleteFunctionEventInvokeConfig")
    def delete_event_invoke_config(self, params: Params) -> None:
        """Return to the defaults."""
        function = self._platform.get(params["FunctionName"])
        self._event_invoke_config(function)
        del self._events.configurations[function.name]

    @operation("TagResource")
    def tag_resource(self, params: Params) -> None:
        """Add tags to a function; event source mappings take tags without keeping them."""
        if ":event-source-mapping:" not in params["Resource"]:
            self._platform.get(params["Resource"]).tags.update(params["Tags"])

    @operation("UntagResource")
    def untag_resource(self, params: Params) -> None:
        """Remove tags."""
        if ":event-source-mapping:" not in params["Resource"]:
            for key in params["TagKeys"]:
                self._platform.get(params["Resource"]).tags.pop(key, None)

    @operation("ListTags")
    def list_tags(self, params: Params) -> dict[str, Any]:
        """Return a function's tags."""
        return {"Tags": self._platform.get(params["Resource"]).tags}
