"""Template structures whose names differ from the API's."""

from collections.abc import Mapping
from typing import Any

from localcloud.deploy.errors import UnsupportedError


def renamed(value: Mapping[str, Any], where: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return `value` with its keys renamed by `names`; a key that is not in `names` is an error."""
    unknown = sorted(set(value) - set(names))
    if unknown:
        raise UnsupportedError(f"{where}: property {', '.join(unknown)} is not handled")
    return {names[key]: item for key, item in value.items()}


def same(*names: str) -> dict[str, str]:
    """Return a renaming that changes nothing, for `renamed`."""
    return {name: name for name in names}


def without(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return `properties` but for `names`."""
    return {key: value for key, value in properties.items() if key not in names}


def only(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return those of `properties` that are in `names`."""
    return {key: value for key, value in properties.items() if key in names}
