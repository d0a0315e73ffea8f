"""What is written down of a prediction gets from logs into columns, and nobody on the way may do more than that."""

import json
import re

import pytest

from lambdas import contract
from lambdas.inference.audit import LARGEST_BYTES, Prediction, line
from lambdas.inference.settings import Audit
from tests.infra.front_doors import endpoint_of, functions, ids, listed, may, only

AUDITED = [("local", "rain-local"), ("prod", "rain-prod"), ("opened", "rain-local")]
MEGABYTES = 64
"""The least that Firehose takes where it converts formats."""


@pytest.fixture(params=AUDITED, ids=lambda each: each[0])
def case(request, doors):
    """A template and the SageMaker name of its endpoint."""
    name, endpoint = request.param
    return doors[name].inference, endpoint


def record(**changes):
    """Return a line that is written of a prediction of which everything is known."""
    written = Prediction(
        id="a-1",
        at=1_700_000_000.5,
        endpoint="rain-local",
        client="shop",
        caller="me",
        subject="anna",
        status=200,
        latency_ms=3.25,
        model_version="1.0.0",
        model_key="arn:aws:sagemaker:us-east-1:123456789012:model-package/rain-local/1",
        variant="blue",
        answer_source="model",
        input_hash="0" * 64,
        rows=1,
        input=[[1.0, "x"]],
        columns=["wind", "sky"],
        output=[{"rain": 0.5}],
    )
    return line(Prediction(**{**vars(written), **changes}), Audit(keep_input=True, redacted=frozenset({"wind"})))


def destination(template):
    return only(template, "AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]


PYTHON = {"string": (str,), "int": (int,), "double": (int, float)}
RECORDS = {
    "whole": {},
    "failed": {"status": 503, "model_version": "", "variant": "", "answer_source": "", "output": None},
    "bare": {"subject": None, "input": None, "columns": None},
    "large": {"output": "x" * LARGEST_BYTES},
}


@pytest.mark.parametrize("changes", RECORDS.values(), ids=RECORDS)
def test_the_columns_are_what_is_written_down(case, changes):
    template, _ = case
    table = only(template, "AWS::Glue::Table")["TableInput"]["StorageDescriptor"]
    columns = {column["Name"]: column["Type"] for column in table["Columns"]}
    assert columns == contract.AUDIT_COLUMNS
    written = json.loads(record(**changes))
    assert {name for name in written if not name.endswith("_left_out")} == set(columns)
    for name, kind in columns.items():
        assert written[name] is None or isinstance(written[name], PYTHON[kind]), name


def picks(pattern, text):
    """Return whether a pattern of the one form that is used here matches a line; raise on any other pattern."""
    found = re.fullmatch(r'\{ \$\.(\w+) = "(\w+)" \}', pattern)
    assert found, pattern
    try:
        return json.loads(text).get(found[1]) == found[2]
    except ValueError:
        return False


def test_what_is_written_down_leaves_the_log_and_nothing_else(case):
    template, _ = case
    for filtered in ids(template, "AWS::Logs::SubscriptionFilter").values():
        assert picks(filtered["FilterPattern"], record())
        assert not picks(filtered["FilterPattern"], '{"level": "INFO", "message": "record", "prediction": "a-1"}')
        assert not picks(filtered["FilterPattern"], "START RequestId: prediction")


def test_the_logs_of_those_who_predict_are_followed(case):
    template, _ = case
    made = functions(template, "rain")
    predicting = [made[each] for each in ("predict", "work", "stream") if each in made]
    logs = [function["LoggingConfig"]["LogGroup"] for _, function in predicting]
    filters = ids(template, "AWS::Logs::SubscriptionFilter").values()
    followed = [each["LogGroupName"] for each in filters]
    assert sorted(followed, key=str) == sorted(logs, key=str)
    ((stream, _),) = ids(template, "AWS::KinesisFirehose::DeliveryStream").items()
    for each in filters:
        assert template.text(each["DestinationArn"]) == f"<{stream}.Arn>"


def test_records_become_columns_in_files_by_the_hour(case):
    template, name = case
    to = destination(template)
    assert to["Prefix"] == f"audit/{name}/!{{timestamp:yyyy/MM/dd/HH}}/"
    assert to["ErrorOutputPrefix"].startswith(f"audit-errors/{name}/!{{firehose:error-output-type}}/")
    assert to["BufferingHints"]["SizeInMBs"] >= MEGABYTES
    processing = to["ProcessingConfiguration"]
    assert processing["Enabled"] is True
    assert [each["Type"] for each in processing["Processors"]] == ["Decompression", "CloudWatchLogProcessing"]
    told = {
        each["ParameterName"]: each["ParameterValue"] for one in processing["Processors"] for each in one["Parameters"]
    }
    assert told == {"CompressionFormat": "GZIP", "DataMessageExtraction": "true"}
    assert "CompressionFormat" not in to, "Parquet compresses by itself, and Firehose refuses both"


def test_the_conversion_reads_the_table_whose_files_these_are(case):
    template, name = case
    conversion, table = destination(template)["DataFormatConversionConfiguration"], only(template, "AWS::Glue::Table")
    assert conversion["Enabled"] is True
    assert list(conversion["InputFormatConfiguration"]["Deserializer"]) == ["OpenXJsonSerDe"]
    assert list(conversion["OutputFormatConfiguration"]["Serializer"]) == ["ParquetSerDe"]
    schema = conversion["SchemaConfiguration"]
    assert (schema["DatabaseName"], schema["TableName"]) == (table["DatabaseName"], table["TableInput"]["Name"])
    assert schema["DatabaseName"] == only(template, "AWS::Glue::Database")["DatabaseInput"]["Name"]
    assert re.fullmatch(r"[a-z0-9_]+", schema["DatabaseName"])
    bucket = destination(template)["BucketARN"].removeprefix("arn:aws:s3:::")
    assert table["TableInput"]["StorageDescriptor"]["Location"] == f"s3://{bucket}/audit/{name}/"
    assert "parquet" in table["TableInput"]["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]


def test_a_query_reads_the_hours_that_it_asks_for(case):
    template, _ = case
    table = only(template, "AWS::Glue::Table")["TableInput"]
    assert table["PartitionKeys"] == [{"Name": "datehour", "Type": "string"}]
    assert "datehour" not in contract.AUDIT_COLUMNS
    told = table["Parameters"]
    hours = {key.removeprefix("projection.datehour."): value for key, value in told.items() if ".datehour." in key}
    pattern, interval = hours["format"], (hours["interval"], hours["interval.unit"])
    assert (told["projection.enabled"], hours["type"], interval) == ("true", "date", ("1", "HOURS"))
    # A template that is filled in is a place that Firehose writes to.
    place = told["storage.location.template"].replace("${datehour}", f"!{{timestamp:{pattern}}}")
    bucket = destination(template)["BucketARN"].removeprefix("arn:aws:s3:::")
    assert place == f"s3://{bucket}/{destination(template)['Prefix']}"


def test_every_hour_that_has_not_expired_can_be_asked_for(doors):
    for name in ("local", "prod", "opened"):
        _, door = endpoint_of(doors[name], "rain")
        told = only(doors[name].inference, "AWS::Glue::Table")["TableInput"]["Parameters"]
        found = re.fullmatch(r"NOW-(\d+)DAYS,NOW", told["projection.datehour.range"])
        assert found, told
        assert int(found[1]) > door.audit.retention_days


def test_the_stream_writes_what_is_written_down_and_nothing_else(case):
    template, name = case
    allowed = may(template, "EndpointrainAuditRole")
    assert set(allowed) == {"WritePredictions", "FindBucket", "ReadColumns", "SealPredictions", "WriteLog"}
    bucket = destination(template)["BucketARN"]
    assert set(allowed["WritePredictions"]["Resource"]) == {
        f"{bucket}/{one}/{name}/*" for one in ("audit", "audit-errors")
    }
    assert allowed["FindBucket"]["Resource"] == bucket
    schema = destination(template)["DataFormatConversionConfiguration"]["SchemaConfiguration"]
    assert {each.split(":", 5)[5] for each in allowed["ReadColumns"]["Resource"]} == {
        "catalog",
        f"database/{schema['DatabaseName']}",
        f"table/{schema['DatabaseName']}/{schema['TableName']}",
    }
    condition = allowed["SealPredictions"]["Condition"]
    assert condition["StringEquals"]["kms:ViaService"].startswith("s3.")
    environment = name.partition("-")[2]
    aliases = condition["ForAnyValue:StringEquals"]["kms:ResourceAliases"]
    assert aliases == f"alias/tidegate-{environment}-registry", "the artefact bucket's"
    assert schema["RoleARN"].startswith("<EndpointrainAuditRole")
    assert destination(template)["RoleARN"] == schema["RoleARN"]


def test_firehose_and_the_logs_of_this_account_alone_take_these_roles(case):
    template, _ = case
    (delivers,) = only(template, "AWS::IAM::Role", "EndpointrainAuditRole")["AssumeRolePolicyDocument"]["Statement"]
    assert delivers["Principal"] == {"Service": "firehose.amazonaws.com"}
    assert delivers["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    (sends,) = only(template, "AWS::IAM::Role", "EndpointrainAuditSender")["AssumeRolePolicyDocument"]["Statement"]
    assert sends["Principal"] == {"Service": "logs.amazonaws.com"}
    (source,) = sends["Condition"]["StringLike"].values()
    assert re.fullmatch(r"arn:aws:logs:[\w-]+:123456789012:\*", source)
    (statement,) = template.statements("EndpointrainAuditSender")
    assert set(listed(statement["Action"])) == {"firehose:PutRecord", "firehose:PutRecordBatch"}
    ((stream, _),) = ids(template, "AWS::KinesisFirehose::DeliveryStream").items()
    assert statement["Resource"] == f"<{stream}.Arn>"


def test_roles_columns_and_log_are_there_before_the_stream(case):
    template, _ = case
    (stream,) = template.of_type("AWS::KinesisFirehose::DeliveryStream").values()
    for kind in ("Role", "RoleDefaultPolicy", "Table", "Errors"):
        assert any(each.startswith(f"EndpointrainAudit{kind}") for each in stream["DependsOn"]), kind
    logging = destination(template)["CloudWatchLoggingOptions"]
    written = only(template, "AWS::Logs::LogStream")
    assert logging["Enabled"] is True
    assert (logging["LogGroupName"], logging["LogStreamName"]) == (written["LogGroupName"], written["LogStreamName"])


@pytest.mark.parametrize("name", ["local", "prod", "opened"])
def test_what_is_written_down_expires_as_the_file_says(doors, name):
    endpoint, door = endpoint_of(doors[name], "rain")
    full = endpoint.full_name(doors[name].environment.environment)
    bucket = only(doors[name].registry, "AWS::S3::Bucket", "ArtefactsBucket")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    days = {each.get("Prefix"): each["ExpirationInDays"] for each in rules if "ExpirationInDays" in each}
    assert {prefix: days.get(f"{prefix}/{full}/") for prefix in ("audit", "audit-errors", "inference")} == {
        "audit": door.audit.retention_days,
        "audit-errors": door.audit.retention_days,
        "inference": door.jobs.keep_days + 1,  # nothing goes before the job's own item
    }


def test_where_nothing_is_written_down_there_is_nothing_for_it(opened):
    for kind in ("AWS::KinesisFirehose::DeliveryStream", "AWS::Logs::SubscriptionFilter", "AWS::Glue::Table"):
        assert not ids(opened.inference, kind, "Endpointsnow")
