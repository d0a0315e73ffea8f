"""What a resource type has at hand while it creates, updates or deletes one resource."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore import xform_name
from botocore.exceptions import ClientError

from localcloud.deploy.coercion import coerce
from localcloud.deploy.errors import ResourceFailedError
from localcloud.deploy.names import physical_name
from localcloud.deploy.state import Made

Wait = Callable[[float], bytes]
CallbackUrl = Callable[[str], tuple[str, Wait]]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Access:
    """The way to the cloud.

    Parameters
    ----------
    client
        Gives a boto3 client for a service name.
    account, region
        Where the cloud pretends to be.
    callback_url
        Takes a token; returns a URL that takes a custom resource's answer, and what waits (so many seconds, else
        `TimeoutError`) for that answer.
    pause
        Sleeps between looks at something that takes time.
    """

    client: Callable[[str], Any]
    account: str
    region: str
    callback_url: CallbackUrl
    pause: Callable[[float], None] = time.sleep
    partition: str = "aws"
    url_suffix: str = "amazonaws.com"


@dataclass
class Scope:
    """One resource of one stack, and the cloud."""

    access: Access
    stack_name: str
    stack_id: str
    logical_id: str
    type: str
    noted: Made | None = field(default=None, init=False)

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an API operation with the parameters coerced to its types; those that are None are left out."""
        client = self.access.client(service)
        shape = client.meta.service_model.operation_model(operation).input_shape
        given = {key: value for key, value in parameters.items() if value is not None}
        answer: dict[str, Any] = getattr(client, xform_name(operation))(**coerce(shape, given, operation))
        return answer

    def name(self, limit: int, *, lower: bool = False, suffix: str = "") -> str:
        """Return a new physical name as CloudFormation generates it."""
        return physical_name(self.stack_name, self.logical_id, limit=limit, lower=lower, suffix=suffix)

    def note(self, physical_id: str, **attributes: Any) -> Made:
        """Tell that the resource exists from here on, even if what is still to be done to it fails."""
        self.noted = Made(physical_id, attributes)
        return self.noted

    def arn(self, service: str, resource: str) -> str:
        """Return an ARN in this account and region."""
        return f"arn:{self.access.partition}:{service}:{self.access.region}:{self.access.account}:{resource}"

    def wait(self, look: Callable[[], Found | None], *, timeout: float, what: str, interval: float = 0.2) -> Found:
        """Return what `look` finds, looking until it finds something."""
        looks = max(1, round(timeout / interval))
        for _ in range(looks):
            found = look()
            if found is not None:
                return found
            self.access.pause(interval)
        raise ResourceFailedError(f"{what} did not come within {timeout:g} s")


class ignoring:
    """Pass over API errors with one of `codes`: what is to be deleted is gone already."""

    def __init__(self, *codes: str) -> None:
        self._codes = codes

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in self._codes
