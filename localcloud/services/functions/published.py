"""What is published of one function: its versions, which never change, and the aliases that point at them."""

import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.errors import AwsError
from localcloud.services.functions.function import Function
from localcloud.services.functions.qualified import LATEST

_ALIAS = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9-_]+)")


@dataclass
class Alias:
    """A name for a version, or for two between which invocations are shared out."""

    name: str
    version: str
    description: str = ""
    weights: dict[str, float] = field(default_factory=dict)
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))

    def pick(self, chance: float) -> str:
        """Return the version that an invocation goes to."""
        for version, weight in self.weights.items():
            if chance < weight:
                return version
        return self.version

    def describe(self, function_arn: str) -> dict[str, Any]:
        """Return the alias as GetAlias does."""
        answer: dict[str, Any] = {
            "AliasArn": f"{function_arn}:{self.name}",
            "Name": self.name,
            "FunctionVersion": self.version,
            "Description": self.description,
            "RevisionId": self.revision,
        }
        if self.weights:
            answer["RoutingConfig"] = {"AdditionalVersionWeights": dict(self.weights)}
        return answer


class Publications:
    """Versions and aliases of a function.

    Parameters
    ----------
    latest
        The function itself.
    """

    def __init__(self, latest: Function) -> None:
        self.latest = latest
        self.lock = threading.RLock()
        self.versions: dict[str, Function] = {}
        self.aliases: dict[str, Alias] = {}
        self._published = 0

    def publish(self, description: str | None = None) -> tuple[Function, bool]:
        """Return the function as a version, and whether it is a new one: nothing is published twice."""
        with self.lock:
            last = self.versions.get(str(self._published))
            if last is not None and last.same_as(self.latest):
                return last, False
            self._published += 1
            version = self.latest.snapshot(str(self._published), description)
            self.versions[version.version] = version
            return version, True

    def find(self, qualifier: str | None) -> Function | None:
        """Return the version that a qualifier stands for; of a weighted alias, the one that it points at."""
        with self.lock:
            alias = self.aliases.get(qualifier or "")
            number = alias.version if alias is not None else qualifier
            return self.latest if number in (None, LATEST) else self.versions.get(number or "")

    def resolve(self, qualifier: str | None, chance: Callable[[], float]) -> Function | None:
        """Return the version that an invocation goes to."""
        with self.lock:
            alias = self.aliases.get(qualifier or "")
            return self.find(alias.pick(chance()) if alias is not None else qualifier)

    def alias(self, name: str) -> Alias:
        """Return an alias; raise ResourceNotFoundException if it is not there."""
        if name not in self.aliases:
            raise AwsError("ResourceNotFoundException", f"Cannot find alias arn: {self.latest.arn}:{name}", 404)
        return self.aliases[name]

    def add_alias(self, params: Mapping[str, Any]) -> Alias:
        """Make an alias as CreateAlias's parameters describe it."""
        name = params["Name"]
        if not _ALIAS.fullmatch(name):
            raise _invalid(f"{name!r} cannot be the name of an alias: letters, digits, - and _, and not digits alone")
        with self.lock:
            if name in self.aliases:
                message = f"Alias already exists: {self.latest.arn}:{name}"
                raise AwsError("ResourceConflictException", message, 409)
            version, weights = params["FunctionVersion"], self.checked_weights(params)
            self._check_version(version)
            self._check_weights(version, weights)
            self.aliases[name] = Alias(name, version, params.get("Description", ""), weights)
            return self.aliases[name]

    def change_alias(self, alias: Alias, params: Mapping[str, Any]) -> None:
        """Change what UpdateAlias's parameters name."""
        with self.lock:
            version = params.get("FunctionVersion", alias.version)
            weights = self.checked_weights(params) if "RoutingConfig" in params else alias.weights
            self._check_version(version)
            self._check_weights(version, weights)
            alias.version, alias.weights = version, weights
            alias.description = params.get("Description", alias.description)
            alias.revision = str(uuid.uuid4())

    def remove_version(self, number: str) -> None:
        """Delete a version that no alias points at."""
        with self.lock:
            users = [a.name for a in self.aliases.values() if number in (a.version, *a.weights)]
            if users:
                message = f"Version {number} of {self.latest.name} is used by the alias {', '.join(sorted(users))}"
                raise AwsError("ResourceConflictException", message, 409)
            self.versions.pop(number, None)

    @staticmethod
    def checked_weights(params: Mapping[str, Any]) -> dict[str, float]:
        """Return the weights of the further version, if there is one."""
        weights = dict((params.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})
        if len(weights) > 1:
            raise _invalid(f"an alias shares out between two versions at most; {len(weights)} further ones are named")
        return weights

    def _check_version(self, number: str) -> None:
        if number != LATEST and number not in self.versions:
            raise AwsError("ResourceNotFoundException", f"Function not found: {self.latest.arn}:{number}", 404)

    def _check_weights(self, version: str, weights: Mapping[str, float]) -> None:
        for number in weights:
            self._check_version(number)
            if LATEST in (number, version) or number == version:
                raise _invalid(f"an alias cannot share out between {version} and {number}: name two published versions")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)
