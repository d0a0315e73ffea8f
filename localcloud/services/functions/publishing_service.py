"""Lambda's API for versions and aliases."""

from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.paging import page
from localcloud.service import Service, operation
from localcloud.services.functions.function import Function
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.provision import Provision
from localcloud.services.functions.published import Alias, Publications
from localcloud.services.functions.qualified import LATEST

Params = Mapping[str, Any]
_PAGE = 50


class PublishingService(Service):
    """Versions of functions, and aliases for them.

    Parameters
    ----------
    platform
        Keeps them.
    """

    name: ClassVar[str] = "lambda"

    def __init__(self, platform: FunctionPlatform) -> None:
        self._platform = platform

    @operation("PublishVersion")
    def publish_version(self, params: Params) -> dict[str, Any]:
        """Keep a function as it is under a number; one that has not changed keeps the number that it has."""
        if params.get("PublishTo"):
            raise NotSimulatedError("PublishVersion parameter PublishTo")
        function = self._platform.latest(params["FunctionName"])
        digest = params.get("CodeSha256")
        if digest and digest != function.code.sha256:
            raise AwsError(
                "InvalidParameterValueException",
                f"CodeSHA256 ({digest}) is different from current CodeSHA256 in $LATEST ({function.code.sha256}). "
                "Please try again with the CodeSHA256 in $LATEST.",
            )
        check_revision(params, function.revision)
        version = self._platform.publish(function, params.get("Description"))
        return version.describe(version.version)

    @operation("ListVersionsByFunction")
    def list_versions(self, params: Params) -> dict[str, Any]:
        """Return a function's versions, $LATEST first."""
        function = self._platform.latest(params["FunctionName"])
        versions = self._published(function).versions.values()
        return _listed("Versions", [each.describe(each.version) for each in (function, *versions)], params)

    @operation("CreateAlias")
    def create_alias(self, params: Params) -> dict[str, Any]:
        """Give a version a name."""
        function = self._platform.latest(params["FunctionName"])
        return self._published(function).add_alias(params).describe(function.arn)

    @operation("UpdateAlias")
    def update_alias(self, params: Params) -> dict[str, Any]:
        """Point an alias elsewhere, or share its invocations out otherwise."""
        function = self._platform.latest(params["FunctionName"])
        published = self._published(function)
        alias = published.alias(params["Name"])
        check_revision(params, alias.revision)
        provision = self._platform.fleets[function.name].provisions.get(alias.name)
        if provision is None:
            published.change_alias(alias, params)
        else:
            _move(published, alias, provision, params)
        return alias.describe(function.arn)

    @operation("GetAlias")
    def get_alias(self, params: Params) -> dict[str, Any]:
        """Return an alias."""
        function = self._platform.latest(params["FunctionName"])
        return self._published(function).alias(params["Name"]).describe(function.arn)

    @operation("ListAliases")
    def list_aliases(self, params: Params) -> dict[str, Any]:
        """Return a function's aliases, or those of one version."""
        function = self._platform.latest(params["FunctionName"])
        version = params.get("FunctionVersion")
        aliases = [a for a in self._published(function).aliases.values() if version in (None, a.version, *a.weights)]
        return _listed("Aliases", [alias.describe(function.arn) for alias in aliases], params)

    @operation("DeleteAlias")
    def delete_alias(self, params: Params) -> None:
        """Delete an alias; that it is not there is no error."""
        function = self._platform.latest(params["FunctionName"])
        self._platform.remove_alias(function.name, params["Name"])

    def _published(self, function: Function) -> Publications:
        return self._platform.published[function.name]


def check_revision(params: Params, revision: str) -> None:
    """Raise PreconditionFailedException when the request is meant for another state."""
    if params.get("RevisionId", revision) != revision:
        raise AwsError(
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to "
            "retrieve the latest RevisionId.",
            412,
        )


def _move(published: Publications, alias: Alias, provision: Provision, params: Params) -> None:
    """Move an alias with provisioned concurrency: its traffic follows when the new version's workers are ready."""
    if Publications.checked_weights(params) or params.get("FunctionVersion") == LATEST:
        raise AwsError(
            "InvalidParameterValueException",
            f"Invalid alias configuration for Provisioned Concurrency: {alias.name} can point at one published version",
        )
    with published.lock:
        # The further version holds all traffic meanwhile, and goes on holding it when the new one does not start.
        published.change_alias(alias, {**params, "RoutingConfig": {}})
        version = published.versions[alias.version]
        if alias.version != provision.version:
            alias.weights = {provision.version: 1.0}
    provision.follow(version, lambda: _arrive(published, alias, version.version))


def _arrive(published: Publications, alias: Alias, version: str) -> None:
    with published.lock:
        if alias.version == version:
            alias.weights = {}


def _listed(name: str, items: list[dict[str, Any]], params: Params) -> dict[str, Any]:
    chosen, token = page(items, params.get("Marker"), int(params.get("MaxItems") or _PAGE))
    return {name: chosen, "NextMarker": token} if token else {name: chosen}
