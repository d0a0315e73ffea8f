"""Rows as a Parquet object."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from localcloud.services.streams.columns import ColumnType

if TYPE_CHECKING:
    import polars

Compression = Literal["snappy", "gzip", "uncompressed"]


def written(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, ColumnType], compression: Compression) -> bytes:
    """Return rows as Parquet, with all the columns, in their order."""
    # Imported late: it takes long, and most clouds convert nothing.
    import polars

    schema = {name: _dtype(kind) for name, kind in columns.items()}
    data = {name: [row.get(name) for row in rows] for name in columns}
    output = io.BytesIO()
    polars.DataFrame(data, schema=schema).write_parquet(output, compression=compression)
    return output.getvalue()


def _dtype(kind: ColumnType) -> "polars.DataType":
    import polars

    if kind.kind == "array":
        return polars.List(_dtype(kind.inner[0]))
    if kind.kind == "struct":
        fields = zip(kind.names, kind.inner, strict=True)
        return polars.Struct([polars.Field(name, _dtype(inner)) for name, inner in fields])
    return {
        "string": polars.String(),
        "tinyint": polars.Int8(),
        "smallint": polars.Int16(),
        "int": polars.Int32(),
        "integer": polars.Int32(),
        "bigint": polars.Int64(),
        "float": polars.Float32(),
        "double": polars.Float64(),
        "boolean": polars.Boolean(),
        "timestamp": polars.Datetime("us"),
        "date": polars.Date(),
    }[kind.kind]
