"""Format conversion: JSON records become Parquet objects by a Glue table; what does not fit goes where errors go."""

import base64
import gzip
import io
import json
from datetime import datetime

import polars
import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from localcloud.errors import NotSimulatedError
from localcloud.physics.settings import PhysicsSettings
from localcloud.services.streams.columns import MisfitError, parsed

COLUMNS = [
    {"Name": "id", "Type": "string"},
    {"Name": "Row_Count", "Type": "bigint"},
    {"Name": "rate", "Type": "double"},
    {"Name": "ok", "Type": "boolean"},
    {"Name": "at", "Type": "timestamp"},
    {"Name": "tags", "Type": "array<string>"},
    {"Name": "who", "Type": "struct<client:string,version:int>"},
]
READ = ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"]
ERRORS = "errors/!{firehose:error-output-type}/"


@pytest.fixture(scope="module")
def cloud():
    with LocalCloud(settings=PhysicsSettings(stream_buffer_limit_seconds=0.3, stream_retry_seconds=0.2)) as running:
        yield running


class Way:
    """Makes tables and streams."""

    def __init__(self, cloud, workshop):
        self.cloud, self.workshop = cloud, workshop
        self.glue, self.firehose, self.s3 = (cloud.client(name) for name in ("glue", "firehose", "s3"))

    def table(self, columns=COLUMNS):
        database, table = self.workshop.name("audit").replace("-", "_"), "answers"
        self.glue.create_database(DatabaseInput={"Name": database})
        given = {"Name": table, "StorageDescriptor": {"Columns": columns}}
        self.glue.create_table(DatabaseName=database, TableInput=given)
        return {"DatabaseName": database, "TableName": table}

    def role(self, *actions):
        statement = {"Effect": "Allow", "Action": ["s3:PutObject", *actions], "Resource": "*"}
        return self.workshop.role(statement, service="firehose.amazonaws.com")

    def stream(self, table, role=None, schema=None, **more):
        self.bucket, name = self.workshop.name("audits"), self.workshop.name("stream")
        self.s3.create_bucket(Bucket=self.bucket)
        role = role or self.role(*READ)
        destination = {
            "BucketARN": f"arn:aws:s3:::{self.bucket}",
            "RoleARN": role,
            "Prefix": "audit/!{timestamp:yyyy}/",
            "ErrorOutputPrefix": ERRORS,
            "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
            "DataFormatConversionConfiguration": {
                "SchemaConfiguration": {"RoleARN": role, "Region": "us-east-1", **table, **(schema or {})},
                "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
                "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
            },
            **more,
        }
        self.firehose.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination)
        return name

    def put(self, stream, *records):
        entries = [{"Data": r if isinstance(r, bytes) else json.dumps(r).encode()} for r in records]
        self.firehose.put_record_batch(DeliveryStreamName=stream, Records=entries)

    def objects(self, prefix):
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {e["Key"]: self.s3.get_object(Bucket=self.bucket, Key=e["Key"])["Body"].read() for e in listed}

    def rows(self):
        return [
            row
            for body in self.objects("audit/").values()
            for row in polars.read_parquet(io.BytesIO(body)).rows(named=True)
        ]


@pytest.fixture
def way(cloud, workshop):
    return Way(cloud, workshop)


def test_records_become_rows_of_the_tables_columns(way, wait_until):
    stream = way.stream(way.table())
    way.put(
        stream,
        {"ID": "a", "row_count": 3, "rate": 1, "ok": True, "at": "2026-01-02T03:04:05.5Z", "more": 1, "tags": ["x"]},
        {"id": {"b": 1}, "at": 1_767_322_800, "who": {"Client": "c", "version": "7"}},
    )
    wait_until(way.rows)
    first, second = way.rows()
    assert first == {
        "id": "a",
        "row_count": 3,
        "rate": 1.0,
        "ok": True,
        "at": datetime(2026, 1, 2, 3, 4, 5, 500_000),  # noqa: DTZ001 - as the table's type has it
        "tags": ["x"],
        "who": None,
    }
    assert (second["id"], second["row_count"], second["who"]) == ('{"b":1}', None, {"client": "c", "version": 7})
    ((key, body),) = way.objects("audit/").items()
    assert key.endswith(".parquet")
    assert (body[:4], body[-4:]) == (b"PAR1", b"PAR1")


def test_what_does_not_fit_goes_where_errors_go_as_it_came(way, wait_until):
    table = way.table()
    stream = way.stream(table)
    way.put(stream, {"id": "good"}, {"id": "bad", "row_count": "many"}, b"{no json", b'[{"id": "list"}]')
    wait_until(lambda: way.rows() and way.objects("errors/"))
    assert [row["id"] for row in way.rows()] == ["good"]
    ((_, body),) = way.objects("errors/format-conversion-failed/").items()
    lines = [json.loads(line) for line in body.splitlines()]
    assert [line["lastErrorCode"] for line in lines] == [
        "DataFormatConversion.MalformedData",
        "DataFormatConversion.ParseError",
        "DataFormatConversion.MalformedData",
    ]
    assert json.loads(base64.b64decode(lines[0]["rawData"])) == {"id": "bad", "row_count": "many"}
    assert "row_count" in lines[0]["lastErrorMessage"]
    assert lines[0]["dataCatalogTable"]["tableName"] == table["TableName"]


def test_extracted_log_messages_are_rows(way, wait_until):
    parts = {
        "Decompression": ("CompressionFormat", "GZIP"),
        "CloudWatchLogProcessing": ("DataMessageExtraction", "true"),
    }
    kinds = [
        {"Type": kind, "Parameters": [{"ParameterName": name, "ParameterValue": value}]}
        for kind, (name, value) in parts.items()
    ]
    stream = way.stream(way.table(), ProcessingConfiguration={"Enabled": True, "Processors": kinds})
    events = [{"message": json.dumps({"id": f"{number}"})} for number in range(2)]
    way.put(stream, gzip.compress(json.dumps({"logEvents": events}).encode()))
    wait_until(way.rows)
    assert [row["id"] for row in way.rows()] == ["0", "1"]


def test_a_version_of_the_table_is_kept_to_and_the_latest_followed(way, wait_until):
    table = way.table([{"Name": "id", "Type": "string"}])
    fixed = way.stream(table, schema={"VersionId": "0"})
    fixed_bucket = way.bucket
    latest = way.stream(table, schema={"VersionId": "LATEST"})
    columns = [{"Name": "id", "Type": "string"}, {"Name": "extra", "Type": "int"}]
    given = {"Name": table["TableName"], "StorageDescriptor": {"Columns": columns}}
    way.glue.update_table(DatabaseName=table["DatabaseName"], TableInput=given)
    way.put(latest, {"id": "a", "extra": 1})
    wait_until(way.rows)
    assert way.rows() == [{"id": "a", "extra": 1}]
    way.bucket = fixed_bucket
    way.put(fixed, {"id": "a", "extra": 1})
    wait_until(way.rows)
    assert way.rows() == [{"id": "a"}]


def test_the_role_must_be_allowed_to_read_the_table(way):
    with pytest.raises(ClientError, match=r"Access was denied when calling Glue.*glue:GetTable"):
        way.stream(way.table(), role=way.role("glue:GetTableVersions"))
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        way.stream({"DatabaseName": "none", "TableName": "none"})


def test_conversion_has_rules_of_its_own(way):
    table = way.table()
    with pytest.raises(ClientError, match=r"InvalidArgumentException.*at least 64"):
        way.stream(table, BufferingHints={"SizeInMBs": 5, "IntervalInSeconds": 60})
    with pytest.raises(ClientError, match=r"InvalidArgumentException.*must be UNCOMPRESSED"):
        way.stream(table, CompressionFormat="GZIP")
    conversion = {
        "SchemaConfiguration": {"RoleARN": way.role(*READ), **table},
        "InputFormatConfiguration": {"Deserializer": {"HiveJsonSerDe": {"TimestampFormats": ["millis"]}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
    }
    with pytest.raises(ClientError, match=r"NotSimulated.*HiveJsonSerDe"):
        way.stream(table, DataFormatConversionConfiguration=conversion)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("int", 2**31), ("bigint", 1.5), ("bigint", True), ("double", "much"), ("boolean", 1), ("timestamp", "soon"),
     ("date", "2026-13-01"), ("array<int>", ["x"]), ("struct<a:int>", 1)],
)  # fmt: skip
def test_values_that_are_not_of_a_type(kind, value):
    with pytest.raises(MisfitError):
        parsed(kind).read(value)


def test_values_that_are():
    assert parsed("struct<a:array<int>,b:double>").read({"A": ["1", 2], "b": "0.5"}) == {"a": [1, 2], "b": 0.5}
    assert parsed("timestamp").read(1_767_322_800_000) == parsed("timestamp").read("2026-01-02 03:00:00")
    with pytest.raises(NotSimulatedError, match="map<string,int>"):
        parsed("map<string,int>")
