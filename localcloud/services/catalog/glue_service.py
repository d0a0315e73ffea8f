"""The API of the Glue Data Catalog."""

import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.service import Service, operation
from localcloud.services.catalog.tables import Database, Table, exists, not_found

Params = Mapping[str, Any]


class GlueService(Service):
    """Keeps databases and tables.

    Parameters
    ----------
    account
        Whose catalog it is, which is also the catalog's id.
    """

    name: ClassVar[str] = "glue"

    def __init__(self, account: str) -> None:
        self._account = account
        self._databases: dict[str, Database] = {}
        self._lock = threading.Lock()

    @operation("CreateDatabase")
    def create_database(self, params: Params) -> None:
        """Make a database."""
        given = params["DatabaseInput"]
        name = str(given["Name"]).lower()
        with self._lock:
            if name in self._databases:
                raise exists(f"Database {name}")
            self._databases[name] = Database(name, given)

    @operation("UpdateDatabase")
    def update_database(self, params: Params) -> None:
        """Change a database."""
        self._database(params, "Name").given = params["DatabaseInput"]

    @operation("GetDatabase")
    def get_database(self, params: Params) -> dict[str, Any]:
        """Return a database."""
        return {"Database": self._database(params, "Name").described(self._account)}

    @operation("GetDatabases")
    def list_databases(self, params: Params) -> dict[str, Any]:
        """Return all databases."""
        self._check_catalog(params)
        return {"DatabaseList": [each.described(self._account) for each in self._databases.values()]}

    @operation("DeleteDatabase")
    def delete_database(self, params: Params) -> None:
        """Delete a database and its tables."""
        database = self._database(params, "Name")
        with self._lock:
            self._databases.pop(database.name, None)

    @operation("CreateTable")
    def create_table(self, params: Params) -> None:
        """Make a table."""
        database, given = self._database(params), _table_input(params)
        name = str(given["Name"]).lower()
        with self._lock:
            if name in database.tables:
                raise exists(f"Table {name}")
            database.tables[name] = Table(database.name, name, self._account, [given])

    @operation("UpdateTable")
    def update_table(self, params: Params) -> None:
        """Give a table a new version."""
        given = _table_input(params)
        self._database(params).table(given["Name"]).change(given)

    @operation("GetTable")
    def get_table(self, params: Params) -> dict[str, Any]:
        """Return a table as it is."""
        return {"Table": self._database(params).table(params["Name"]).described()}

    @operation("GetTables")
    def list_tables(self, params: Params) -> dict[str, Any]:
        """Return a database's tables."""
        if params.get("Expression"):
            raise NotSimulatedError("the parameter GetTables.Expression")
        return {"TableList": [table.described() for table in self._database(params).tables.values()]}

    @operation("GetTableVersion")
    def get_version(self, params: Params) -> dict[str, Any]:
        """Return a version of a table; the newest if none is asked for."""
        table = self._database(params).table(params["TableName"])
        return {"TableVersion": table.version(params.get("VersionId"))}

    @operation("GetTableVersions")
    def list_versions(self, params: Params) -> dict[str, Any]:
        """Return the versions of a table, the newest first."""
        table = self._database(params).table(params["TableName"])
        numbers = reversed(range(len(table.versions)))
        return {"TableVersions": [table.version(str(number)) for number in numbers]}

    @operation("DeleteTable")
    def delete_table(self, params: Params) -> None:
        """Delete a table."""
        database = self._database(params)
        database.table(params["Name"])
        with self._lock:
            database.tables.pop(params["Name"].lower(), None)

    def _database(self, params: Params, key: str = "DatabaseName") -> Database:
        self._check_catalog(params)
        found = self._databases.get(str(params[key]).lower())
        if found is None:
            raise not_found(f"Database {params[key]} not found.")
        return found

    def _check_catalog(self, params: Params) -> None:
        catalog = params.get("CatalogId")
        if catalog not in (None, self._account):
            raise NotSimulatedError(f"the catalog {catalog} (here only {self._account}, this account's)")


def _table_input(params: Params) -> Mapping[str, Any]:
    for name in ("OpenTableFormatInput", "PartitionIndexes", "ViewUpdateAction"):
        if params.get(name):
            raise NotSimulatedError(f"the parameter {name} of a table")
    given: Mapping[str, Any] = params.get("TableInput") or {}
    if not given.get("Name"):
        raise AwsError("InvalidInputException", "TableInput.Name is required")
    return given
