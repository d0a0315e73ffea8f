"""Lambda's API for provisioned concurrency."""

from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError
from localcloud.service import Service, operation
from localcloud.services.functions.function import Function
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.provision import Provision
from localcloud.services.functions.qualified import LATEST, Qualified

Params = Mapping[str, Any]


class ProvisioningService(Service):
    """Workers that versions and aliases have ahead of their invocations.

    Parameters
    ----------
    platform
        Keeps functions and their workers.
    """

    name: ClassVar[str] = "lambda"

    def __init__(self, platform: FunctionPlatform) -> None:
        self._platform = platform

    @operation("PutProvisionedConcurrencyConfig")
    def put_config(self, params: Params) -> dict[str, Any]:
        """Start workers ahead, or another number of them."""
        asked = self._asked(params)
        version = self._version(asked)
        count = int(params["ProvisionedConcurrentExecutions"])
        self._check_owner(asked, version)
        self._check_reserved(asked, count)
        return self._platform.fleets[asked.name].provide(str(asked.key), version, count).describe()

    @operation("GetProvisionedConcurrencyConfig")
    def get_config(self, params: Params) -> dict[str, Any]:
        """Return how many workers there are to be, and are."""
        return self._found(self._asked(params)).describe()

    @operation("DeleteProvisionedConcurrencyConfig")
    def delete_config(self, params: Params) -> None:
        """Start no more workers ahead, and end those that there are."""
        asked, key = self._asked(params), str(self._asked(params).key)
        fleet = self._platform.fleets[asked.name]
        alias = self._platform.published[asked.name].aliases.get(key)
        if alias is not None and key in fleet.provisions:
            # Where it was moving it has arrived: nothing is awaited any more.
            alias.weights = {}
        fleet.withdraw(key)

    @operation("ListProvisionedConcurrencyConfigs")
    def list_configs(self, params: Params) -> dict[str, Any]:
        """Return what is provisioned of a function."""
        function = self._platform.latest(params["FunctionName"])
        provisions = dict(self._platform.fleets[function.name].provisions)
        items = [{"FunctionArn": f"{function.arn}:{key}", **each.describe()} for key, each in provisions.items()]
        return {"ProvisionedConcurrencyConfigs": items}

    def _asked(self, params: Params) -> Qualified:
        return self._platform.asked(params["FunctionName"], params["Qualifier"])

    def _found(self, asked: Qualified) -> Provision:
        found = self._platform.fleets[asked.name].provisions.get(str(asked.key))
        if found is None:
            message = f"No Provisioned Concurrency Config found for this function: {self._platform.arn(asked.text)}"
            raise AwsError("ProvisionedConcurrencyConfigNotFoundException", message, 404)
        return found

    def _version(self, asked: Qualified) -> Function:
        version = self._platform.get(asked.text)
        if version.version == LATEST:
            raise _invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        return version

    def _check_owner(self, asked: Qualified, version: Function) -> None:
        """Refuse a version twice: on its own and through an alias, or through two aliases."""
        published, fleet = self._platform.published[asked.name], self._platform.fleets[asked.name]
        alias = published.aliases.get(str(asked.key))
        if alias is not None and alias.weights and alias.name not in fleet.provisions:
            raise _invalid(
                f"Invalid alias configuration for Provisioned Concurrency: {alias.name} shares out between versions"
            )
        for key, provision in list(fleet.provisions.items()):
            if key != asked.key and provision.version == version.version:
                raise _invalid(
                    f"Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version: "
                    f"version {version.version} is provisioned by {key}"
                )

    def _check_reserved(self, asked: Qualified, count: int) -> None:
        reserved = self._platform.functions[asked.name].reserved_concurrency
        provisions = self._platform.fleets[asked.name].provisions
        others = sum(each.requested for key, each in list(provisions.items()) if key != asked.key)
        if reserved is not None and count + others > reserved:
            raise _invalid(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                f"function: {count + others} of {reserved}"
            )


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)
