"""A delivery stream's format conversion: JSON records become Parquet by the columns of a Glue table."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.errors import AwsError
from localcloud.services.accepted import ANY, OneOf
from localcloud.services.role_access import RoleAccess
from localcloud.services.streams.columns import ColumnType, MisfitError, parsed
from localcloud.services.streams.parquet import Compression, written

FAILED = "format-conversion-failed"
LEAST_MEGABYTES = 64
DEFAULT_MEGABYTES = 128
PARSE_ERROR = "DataFormatConversion.ParseError"
MALFORMED = "DataFormatConversion.MalformedData"
ACCEPTED: dict[str, Any] = {
    "Enabled": ANY,
    "SchemaConfiguration": dict.fromkeys(
        ("RoleARN", "CatalogId", "DatabaseName", "TableName", "Region", "VersionId"), ANY
    ),
    "InputFormatConfiguration": {
        "Deserializer": {"OpenXJsonSerDe": {"CaseInsensitive": OneOf(True), "ColumnToJsonKeyMappings": ANY}}
    },
    "OutputFormatConfiguration": {
        "Serializer": {
            "ParquetSerDe": {
                "Compression": OneOf("SNAPPY", "GZIP", "UNCOMPRESSED"),
                "BlockSizeBytes": OneOf(256 * 1024 * 1024),
                "PageSizeBytes": OneOf(1024 * 1024),
                "WriterVersion": OneOf("V1"),
            }
        }
    },
}
_DECODER = json.JSONDecoder()


class SchemaError(Exception):
    """The table cannot be read now."""


@dataclass(frozen=True)
class Misfit:
    """Why a record was not converted."""

    code: str
    message: str


@dataclass(frozen=True)
class Schema:
    """Where a table is, and under which role it is read."""

    role_arn: str
    database: str
    table: str
    region: str
    version: str

    def described(self) -> dict[str, Any]:
        """Return how an unconverted record names the table."""
        return {
            "catalogId": None,
            "databaseName": self.database,
            "tableName": self.table,
            "region": self.region,
            "versionId": self.version,
            "roleArn": self.role_arn,
        }


@dataclass(frozen=True)
class Conversion:
    """What a stream is told of conversion.

    Parameters
    ----------
    schema
        The table.
    roles
        Opens sessions of the role that reads it.
    compression
        Of the Parquet's pages.
    keys
        Key in the JSON of a column, where that is not its name.
    """

    schema: Schema
    roles: RoleAccess
    compression: Compression = "snappy"
    keys: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, destination: Mapping[str, Any], roles: RoleAccess) -> "Conversion | None":
        """Read a destination's DataFormatConversionConfiguration; None if nothing is to be converted."""
        given = destination.get("DataFormatConversionConfiguration")
        if not given or not given.get("Enabled", True):
            return None
        parts = [given.get(name) for name in ("SchemaConfiguration", *_FORMATS)]
        if not all(parts):
            raise _invalid("SchemaConfiguration, InputFormatConfiguration and OutputFormatConfiguration are required")
        _check_hints(destination)
        reader = (given["InputFormatConfiguration"].get("Deserializer") or {}).get("OpenXJsonSerDe")
        writer = (given["OutputFormatConfiguration"].get("Serializer") or {}).get("ParquetSerDe")
        if reader is None or writer is None:
            raise _invalid("Deserializer.OpenXJsonSerDe and Serializer.ParquetSerDe are required here")
        compression = _COMPRESSIONS[writer.get("Compression", "SNAPPY")]
        return cls(_schema(given["SchemaConfiguration"], roles), roles, compression, _keys(reader))

    def check(self) -> None:
        """Raise `AwsError` if the role may not read the table, or there is none."""
        try:
            self.columns()
        except SchemaError as error:
            raise _invalid(str(error)) from error

    def columns(self) -> dict[str, ColumnType]:
        """Return the table's columns as they are now; raise `SchemaError`."""
        place, latest = self.schema, self.schema.version == "LATEST"
        which = {"DatabaseName": place.database, "TableName": place.table}
        with self.roles.open(place.role_arn, "firehose") as session:
            try:
                glue = session.client("glue")
                glue.get_table(DatabaseName=place.database, Name=place.table)
                if latest:
                    found = glue.get_table_versions(**which)["TableVersions"][0]
                else:
                    found = glue.get_table_version(**which, VersionId=place.version)["TableVersion"]
            except (BotoCoreError, ClientError) as error:
                raise SchemaError(_unreadable(error)) from error
        listed = found["Table"].get("StorageDescriptor", {}).get("Columns") or []
        if not listed:
            raise SchemaError("The schema is invalid. The specified table has no columns.")
        return {column["Name"].lower(): parsed(column.get("Type", "string")) for column in listed}

    def run(self, records: Sequence[bytes]) -> tuple[bytes, dict[int, Misfit]]:
        """Return the records that fit as Parquet, empty if none does, and by place why the others do not."""
        columns, rows, misfits = self.columns(), list[dict[str, Any]](), dict[int, Misfit]()
        for place, record in enumerate(records):
            found = self._rows(record, columns)
            if isinstance(found, Misfit):
                misfits[place] = found
            else:
                rows.extend(found)
        return written(rows, columns, self.compression) if rows else b"", misfits

    def _rows(self, record: bytes, columns: Mapping[str, ColumnType]) -> list[dict[str, Any]] | Misfit:
        try:
            documents = list(_documents(record.decode()))
        except ValueError as error:
            return Misfit(PARSE_ERROR, f"Encountered malformed JSON. {error}")
        try:
            return [self._row(document, columns) for document in documents]
        except MisfitError as error:
            return Misfit(MALFORMED, f"Data does not match the schema. {error}")

    def _row(self, document: Any, columns: Mapping[str, ColumnType]) -> dict[str, Any]:
        if not isinstance(document, Mapping):
            raise MisfitError("a JSON object is needed for each row")
        given = {str(key).lower(): value for key, value in document.items()}
        return {name: self._cell(name, kind, given) for name, kind in columns.items()}

    def _cell(self, name: str, kind: ColumnType, given: Mapping[str, Any]) -> Any:
        try:
            return kind.read(given.get(self.keys.get(name, name)))
        except MisfitError as error:
            raise MisfitError(f"{name}: {error}") from None


_FORMATS = ("InputFormatConfiguration", "OutputFormatConfiguration")
_COMPRESSIONS: dict[str, Compression] = {"SNAPPY": "snappy", "GZIP": "gzip", "UNCOMPRESSED": "uncompressed"}


def check_compression(destination: Mapping[str, Any]) -> None:
    """Raise `AwsError` if an object is to be compressed as a whole although its format is converted."""
    given = destination.get("DataFormatConversionConfiguration") or {}
    if given.get("Enabled", True) and given and destination.get("CompressionFormat", "UNCOMPRESSED") != "UNCOMPRESSED":
        raise _invalid("CompressionFormat must be UNCOMPRESSED when data format conversion is enabled")


def _documents(text: str) -> Any:
    """Yield the JSON documents of a record: there may be several, with white space between them or none."""
    at = 0
    while (at := _past_space(text, at)) < len(text):
        document, at = _DECODER.raw_decode(text, at)
        yield document


def _past_space(text: str, at: int) -> int:
    return len(text) - len(text[at:].lstrip())


def _check_hints(destination: Mapping[str, Any]) -> None:
    size = (destination.get("BufferingHints") or {}).get("SizeInMBs", DEFAULT_MEGABYTES)
    if size < LEAST_MEGABYTES:
        least = f"at least {LEAST_MEGABYTES} when data format conversion is enabled"
        raise _invalid(f"BufferingHints.SizeInMBs {size} is too small: it must be {least}")


def _schema(given: Mapping[str, Any], roles: RoleAccess) -> Schema:
    for name in ("RoleARN", "DatabaseName", "TableName"):
        if not given.get(name):
            raise _invalid(f"SchemaConfiguration.{name} is required")
    region = given.get("Region", roles.region)
    if region != roles.region:
        raise _invalid(f"SchemaConfiguration.Region {region}: there is {roles.region} only")
    return Schema(given["RoleARN"], given["DatabaseName"], given["TableName"], region, given.get("VersionId", "LATEST"))


def _keys(reader: Mapping[str, Any]) -> dict[str, str]:
    given = reader.get("ColumnToJsonKeyMappings") or {}
    return {str(column).lower(): str(key).lower() for column, key in given.items()}


def _unreadable(error: Exception) -> str:
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    if code == "AccessDeniedException":
        return (
            "Access was denied when calling Glue. Please ensure that the role specified in the data format conversion "
            f"configuration has the necessary permissions. {error}"
        )
    return f"The schema cannot be read from Glue: {error}"


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)
