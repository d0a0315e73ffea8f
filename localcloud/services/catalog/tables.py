"""A table of the catalog, in all its versions."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.errors import AwsError


@dataclass
class Table:
    """A table; `versions` holds each TableInput that it had, the newest last."""

    database: str
    name: str
    catalog: str
    versions: list[Mapping[str, Any]] = field(default_factory=list)
    created_at: float = field(default_factory=time.time)
    updated_at: float = field(default_factory=time.time)

    def change(self, given: Mapping[str, Any]) -> None:
        """Take a new version."""
        self.versions.append(given)
        self.updated_at = time.time()

    def described(self, version: int | None = None) -> dict[str, Any]:
        """Return a version of the table as the API shows it; the newest if none is asked for."""
        number = len(self.versions) - 1 if version is None else version
        return {
            **self.versions[number],
            "Name": self.name,
            "DatabaseName": self.database,
            "CatalogId": self.catalog,
            "CreateTime": self.created_at,
            "UpdateTime": self.updated_at,
            "VersionId": str(number),
            "IsRegisteredWithLakeFormation": False,
        }

    def version(self, version_id: str | None) -> dict[str, Any]:
        """Return a version under its number."""
        if version_id is not None and not (version_id.isdecimal() and int(version_id) < len(self.versions)):
            raise not_found(f"Version {version_id} of table {self.name} not found.")
        table = self.described(None if version_id is None else int(version_id))
        return {"Table": table, "VersionId": table["VersionId"]}


@dataclass
class Database:
    """A database and its tables, under their names in lower case."""

    name: str
    given: Mapping[str, Any]
    created_at: float = field(default_factory=time.time)
    tables: dict[str, Table] = field(default_factory=dict)

    def table(self, name: str) -> Table:
        """Return a table; raise EntityNotFoundException if it is not there."""
        found = self.tables.get(name.lower())
        if found is None:
            raise not_found(f"Table {name} not found.")
        return found

    def described(self, catalog: str) -> dict[str, Any]:
        """Return the database as the API shows it."""
        return {**self.given, "Name": self.name, "CatalogId": catalog, "CreateTime": self.created_at}


def not_found(message: str) -> AwsError:
    """Return the error for what is not in the catalog."""
    return AwsError("EntityNotFoundException", message)


def exists(what: str) -> AwsError:
    """Return the error for what is in the catalog already."""
    return AwsError("AlreadyExistsException", f"{what} already exists.")
