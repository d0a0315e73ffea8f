"""What is written down of predictions: in Parquet files, without what is redacted, and without whom is erased."""

import base64
import gzip
import io
import json
from typing import Any

import polars
import pytest

from lambdas.contract import AUDIT_COLUMNS, AUDIT_ERRORS_PREFIX, AUDIT_PREFIX
from tests.scenarios.front_door_working.doors import REDACTED, SHOP
from tests.scenarios.front_door_working.working import Door, days

ALICE, BOB = "alice", "bob"
EACH = 4
TYPES = {"string": polars.String, "int": polars.Int32, "double": polars.Float64}


def written(door: Door) -> polars.DataFrame:
    """Return all that lies in the audit's files."""
    s3, bucket = door.loop.cloud.client("s3"), door.loop.endpoint.artefact_bucket
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{AUDIT_PREFIX}/{door.name}/").get("Contents", [])
    files = [io.BytesIO(s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()) for each in listed]
    columns = {name: TYPES[kind] for name, kind in AUDIT_COLUMNS.items()}
    return polars.concat([polars.DataFrame(schema=columns), *map(polars.read_parquet, files)])


@pytest.fixture(scope="module")
def asked(kept: Door) -> dict[str, list[str]]:
    """Ask about two subjects and about nobody; return the predictions' ids by subject, once all are written down."""
    # On a busy machine the first look for it may take longer than a request waits.
    kept.loop.wait_for(lambda: kept.send("GET", "schema").status == 200, "the model's signature to be known")
    rows = days(EACH, first=500)
    ids: dict[str, list[str]] = {}
    for subject in (ALICE, BOB, ""):
        told = {"subject": subject} if subject else {}
        replies = [kept.predict([row], caller="desk-7", **told) for row in rows]
        ids[subject] = [reply.headers["Tidegate-Prediction-Id"] for reply in replies]
    refused = kept.predict([[1.0]], subject=BOB)
    assert refused.status == 422
    ids["refused"] = [refused.headers["Tidegate-Prediction-Id"]]
    wanted = {each for found in ids.values() for each in found}
    kept.loop.wait_for(lambda: wanted <= set(written(kept)["id"]), "the predictions to be written down")
    return ids


def test_each_prediction_is_written_down_in_all_columns(kept: Door, asked: dict[str, list[str]]) -> None:
    table = written(kept)
    assert table.schema == {name: TYPES[kind] for name, kind in AUDIT_COLUMNS.items()}
    for subject in (ALICE, BOB, ""):
        found = table.filter(polars.col("id").is_in(asked[subject]))
        assert found.height == EACH
        assert found["subject"].to_list() == [subject or None] * EACH
        assert set(found["client"]) == {SHOP}
        assert set(found["caller"]) == {"desk-7"}
        assert set(found["endpoint"]) == {kept.name}
        assert set(found["status"]) == {200}
        assert set(found["rows"]) == {1}
        assert found["latency_ms"].min() > 0  # type: ignore[operator]
        assert found["input_hash"].n_unique() == EACH
        (live,) = kept.loop.weights()
        assert set(found["variant"]) == {live}
    sources = {
        subject: set(table.filter(polars.col("id").is_in(ids))["answer_source"]) for subject, ids in asked.items()
    }
    assert sources == {ALICE: {"model"}, BOB: {"cache"}, "": {"cache"}, "refused": {""}}
    (refused,) = table.filter(polars.col("id").is_in(asked["refused"])).to_dicts()
    assert (refused["status"], refused["output"], refused["input"]) == (422, None, None)


def test_what_is_redacted_is_not_written_down(kept: Door, asked: dict[str, list[str]]) -> None:
    rows = days(EACH, first=500)
    found = written(kept).filter(polars.col("id").is_in(asked[ALICE])).sort("at").to_dicts()
    for row, line in zip(rows, found, strict=True):
        ((names),) = json.loads(line["input"])
        assert names.pop(REDACTED) == "[redacted]"
        assert list(names.values()) == pytest.approx([each for place, each in enumerate(row) if place != 1])
        assert json.loads(line["output"]) == kept.directly(row)


def test_nothing_was_left_unfiled(kept: Door, asked: dict[str, list[str]]) -> None:
    assert asked
    assert set(unfiled(kept)) <= {"CONTROL_MESSAGE"}, "a check of CloudWatch Logs is no prediction"


def unfiled(door: Door) -> list[str]:
    """Return what kinds of messages could not be filed."""
    s3, bucket = door.loop.cloud.client("s3"), door.loop.endpoint.artefact_bucket
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{AUDIT_ERRORS_PREFIX}/{door.name}/").get("Contents", [])
    bodies = [s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed]
    raw = [base64.b64decode(json.loads(line)["rawData"]) for body in bodies for line in body.splitlines()]
    return [json.loads(gzip.decompress(each))["messageType"] for each in raw]


def test_subject_that_is_erased_is_gone_and_nobody_else(kept: Door, asked: dict[str, list[str]]) -> None:
    before = written(kept)
    told: dict[str, Any] = kept.operate("erase", "--subject", ALICE, "--yes")
    assert (told["rows_erased"], told["not_filed"]) == (EACH, 0), told
    after = written(kept)
    gone = set(before["id"]) - set(after["id"])
    assert gone == set(asked[ALICE])
    assert set(asked[BOB]) | set(asked[""]) <= set(after["id"])
    assert ALICE not in set(after["subject"])
    s3, bucket = kept.loop.cloud.client("s3"), kept.loop.endpoint.artefact_bucket
    versions = s3.list_object_versions(Bucket=bucket, Prefix=f"{AUDIT_PREFIX}/{kept.name}/")
    assert all(each["IsLatest"] for each in versions["Versions"]), "what was overwritten must not lie there either"
