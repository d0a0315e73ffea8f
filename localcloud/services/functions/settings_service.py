"""Lambda's API for what lies beside functions: permissions, asynchronous settings and tags."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError
from localcloud.service import Service, operation
from localcloud.services.functions.async_invocations import AsyncInvocations
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.qualified import LATEST, Qualified

Params = Mapping[str, Any]


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
        """Let somebody invoke a function, or a version or an alias of it."""
        asked = self._asked(params)
        if asked.qualifier == LATEST:
            message = "We currently do not support adding policies for $LATEST."
            raise AwsError("InvalidParameterValueException", message)
        return {"Statement": json.dumps(self._platform.policy(asked).add(params))}

    @operation("RemovePermission")
    def remove_permission(self, params: Params) -> None:
        """Take a permission back."""
        self._platform.policy(self._asked(params)).remove(params["StatementId"])

    @operation("GetPolicy")
    def get_policy(self, params: Params) -> dict[str, Any]:
        """Return the resource policy of a function, a version or an alias."""
        document = self._platform.policy(self._asked(params)).document()
        if document is None:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return {"Policy": document, "RevisionId": str(uuid.uuid5(uuid.NAMESPACE_OID, document))}

    @operation("PutFunctionEventInvokeConfig")
    def put_event_invoke_config(self, params: Params) -> dict[str, Any]:
        """Set retries, age and destinations of asynchronous invocations."""
        asked = self._asked(params)
        kept = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        self._events.configurations[asked.settings_key] = {k: params[k] for k in kept if k in params}
        return self._event_invoke_config(asked)

    @operation("UpdateFunctionEventInvokeConfig")
    def update_event_invoke_config(self, params: Params) -> dict[str, Any]:
        """Change some of the settings of asynchronous invocations."""
        asked = self._asked(params)
        self.put_event_invoke_config({**self._events.configurations.get(asked.settings_key, {}), **params})
        return self._event_invoke_config(asked)

    @operation("GetFunctionEventInvokeConfig")
    def get_event_invoke_config(self, params: Params) -> dict[str, Any]:
        """Return the settings of asynchronous invocations."""
        return self._event_invoke_config(self._asked(params))

    def _asked(self, params: Params) -> Qualified:
        return self._platform.asked(params["FunctionName"], params.get("Qualifier"))

    def _event_invoke_config(self, asked: Qualified) -> dict[str, Any]:
        config = self._events.configurations.get(asked.settings_key)
        if config is None:
            message = f"The function {self._platform.arn(asked.text)} doesn't have an EventInvokeConfig"
            raise AwsError("ResourceNotFoundException", message, 404)
        arn = f"{self._platform.arn(asked.name)}:{asked.qualifier or LATEST}"
        return {"FunctionArn": arn, "LastModified": self._platform.functions[asked.name].modified, **config}

    @operation("DeleteFunctionEventInvokeConfig")
    def delete_event_invoke_config(self, params: Params) -> None:
        """Return to the defaults."""
        asked = self._asked(params)
        self._event_invoke_config(asked)
        del self._events.configurations[asked.settings_key]

    @operation("TagResource")
    def tag_resource(self, params: Params) -> None:
        """Add tags to a function; event source mappings take tags without keeping them."""
        if ":event-source-mapping:" not in params["Resource"]:
            self._platform.latest(params["Resource"]).tags.update(params["Tags"])

    @operation("UntagResource")
    def untag_resource(self, params: Params) -> None:
        """Remove tags."""
        if ":event-source-mapping:" not in params["Resource"]:
            for key in params["TagKeys"]:
                self._platform.latest(params["Resource"]).tags.pop(key, None)

    @operation("ListTags")
    def list_tags(self, params: Params) -> dict[str, Any]:
        """Return a function's tags."""
        return {"Tags": self._platform.latest(params["Resource"]).tags}
