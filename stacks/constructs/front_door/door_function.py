"""A function of an endpoint's front door."""

from collections.abc import Mapping

from aws_cdk import Duration
from constructs import Construct

from stacks.constructs.control_function import ControlFunction
from stacks.constructs.front_door.shared import Shared


class DoorFunction(ControlFunction):
    """A function of an endpoint's front door, called after the endpoint and its handler.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What all front doors have in common.
    endpoint
        Name of the endpoint in its environment.
    handler, description, variables, timeout, memory_megabytes
        As of `ControlFunction`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        shared: Shared,
        endpoint: str,
        handler: str,
        description: str,
        variables: Mapping[str, str],
        timeout: Duration,
        memory_megabytes: int = 512,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            handler=handler,
            name=f"{endpoint}-{handler}",
            description=description,
            environment=shared.environment,
            code=shared.code,
            key=shared.key,
            variables=variables,
            timeout=timeout,
            package="inference",
            memory_megabytes=memory_megabytes,
        )
