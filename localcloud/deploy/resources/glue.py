"""AWS::Glue: databases and tables of the catalog."""

from typing import Any, ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_GONE = "EntityNotFoundException"


class Database(ResourceType):
    """A database; `Ref` is its name."""

    name: ClassVar[str] = "AWS::Glue::Database"
    handled: ClassVar[frozenset[str]] = frozenset({"CatalogId", "DatabaseInput", "DatabaseName"})
    required: ClassVar[frozenset[str]] = frozenset({"CatalogId", "DatabaseInput"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"DatabaseName"})
    name_property: ClassVar[str | None] = "DatabaseName"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the database."""
        given = desired["DatabaseInput"]
        name = str(desired.get("DatabaseName") or given.get("Name") or scope.name(255, lower=True)).lower()
        scope.call("glue", "CreateDatabase", CatalogId=desired["CatalogId"], DatabaseInput={**given, "Name": name})
        return Made(name)

    def update(self, scope: Scope, made: Made, _old: Properties, new: Properties) -> Made:
        """Change the database; another name in its input makes another one."""
        name = made.physical_id
        if str(new["DatabaseInput"].get("Name", name)).lower() != name and "DatabaseName" not in new:
            return self.create(scope, new)
        given = {**new["DatabaseInput"], "Name": name}
        scope.call("glue", "UpdateDatabase", CatalogId=new["CatalogId"], Name=name, DatabaseInput=given)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the database and its tables."""
        with ignoring(_GONE):
            scope.call("glue", "DeleteDatabase", CatalogId=properties["CatalogId"], Name=made.physical_id)


class Table(ResourceType):
    """A table; `Ref` is its name."""

    name: ClassVar[str] = "AWS::Glue::Table"
    handled: ClassVar[frozenset[str]] = frozenset({"CatalogId", "DatabaseName", "Name", "TableInput"})
    required: ClassVar[frozenset[str]] = frozenset({"CatalogId", "DatabaseName"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"CatalogId", "DatabaseName", "Name"})
    name_property: ClassVar[str | None] = "Name"

    def replaces(self, changed: frozenset[str], old: Properties, new: Properties) -> bool:
        """Return whether the table becomes another one: it does too if the name in its input changes."""
        renamed = _input(old).get("Name") != _input(new).get("Name")
        return super().replaces(changed, old, new) or renamed

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the table."""
        name = desired.get("Name") or _input(desired).get("Name") or scope.name(255, lower=True)
        scope.call("glue", "CreateTable", TableInput={**_input(desired), "Name": name}, **_place(desired))
        return Made(str(name).lower())

    def update(self, scope: Scope, made: Made, _old: Properties, new: Properties) -> Made:
        """Give the table a new version."""
        given = {**_input(new), "Name": made.physical_id}
        scope.call("glue", "UpdateTable", TableInput=given, **_place(new))
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Delete the table."""
        with ignoring(_GONE):
            scope.call("glue", "DeleteTable", Name=made.physical_id, **_place(properties))


def _input(properties: Properties) -> dict[str, Any]:
    return dict(properties.get("TableInput") or {})


def _place(properties: Properties) -> dict[str, Any]:
    return {"CatalogId": properties["CatalogId"], "DatabaseName": properties["DatabaseName"]}
