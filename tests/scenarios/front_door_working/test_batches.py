"""Files of rows, answered as a whole: killed half-way, a run goes on, and each row has one answer, in its place."""

from pathlib import Path
from typing import Any

from bench.batch.answers import Reference, check
from bench.batch.rows import parts
from bench.batch.world import model_file
from lambdas.contract import BATCH_INPUT_PREFIX, BATCH_PREFIX
from tests.scenarios.front_door_working.working import Door

ROWS, OBJECTS = 40_000, 40
"""Many, so that the run goes on for longer than it takes to see that it has begun, and to kill it."""


def put_rows(door: Door) -> str:
    """Put the rows into S3; return the folder."""
    bucket = door.loop.endpoint.artefact_bucket
    folder = f"{BATCH_INPUT_PREFIX}/{door.name}/"
    for part in parts(ROWS, OBJECTS):
        door.loop.cloud.client("s3").put_object(Bucket=bucket, Key=f"{folder}{part.name}", Body=part.csv)
    return f"s3://{bucket}/{folder}"


def answered(door: Door, run: str) -> list[str]:
    """Return the keys of the answers of a run."""
    s3, bucket = door.loop.cloud.client("s3"), door.loop.endpoint.artefact_bucket
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{BATCH_PREFIX}/{door.name}/run={run}/").get("Contents", [])
    return [each["Key"] for each in listed if each["Key"].endswith(".csv.out")]


def outputs(door: Door, run: str) -> dict[str, bytes]:
    """Return the answers of a run, by the names of the rows' objects."""
    s3, bucket = door.loop.cloud.client("s3"), door.loop.endpoint.artefact_bucket
    keys = {Path(key).name.removesuffix(".out"): key for key in answered(door, run)}
    assert len(keys) == len(answered(door, run)), "no object has two answers"
    return {name: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for name, key in keys.items()}


def kill_job(door: Door, run: str) -> None:
    """Kill the model server of a run half-way."""

    def begun() -> bool:
        found = len(answered(door, run))
        assert found < OBJECTS, "the job had ended before it was killed"
        return found > 0

    door.loop.wait_for(begun, "an answer", poll=0.0)
    (job,) = door.loop.cloud.jobs.running()
    door.loop.cloud.faults.jobs.kill_transform_job(job)


def status(door: Door) -> dict[str, Any]:
    """Return how the latest run stands, as an operator sees it."""
    found: dict[str, Any] = door.operate("batch", "status")
    return found


def test_run_that_is_killed_half_way_answers_each_row_once(queued: Door, tmp_path: Path) -> None:
    folder = put_rows(queued)
    run = queued.operate("batch", "start", "--input", folder, "--reason", "the month is over")["run"]
    kill_job(queued, run)
    queued.loop.wait_for(lambda: not status(queued)["under_way"], "the run to end", poll=1.0)
    ended = status(queued)["run"]
    assert (ended["outcome"], ended["attempt"], ended["left"]) == ("done", 2, 0), ended
    found, reference = outputs(queued, run), Reference(model_file(tmp_path))
    assert sorted(found) == [part.name for part in parts(ROWS, OBJECTS)]
    for part in parts(ROWS, OBJECTS):
        check(part, found[part.name], reference)
