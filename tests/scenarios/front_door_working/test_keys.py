"""Answers of batches are found by key: a killed loader, a newer run and an erasure leave one for each, or none."""

import json
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import pytest

from lambdas.contract import BATCH_INPUT_PREFIX, BATCH_PREFIX
from tests.scenarios.front_door_working.working import Door, Reply, days

ROWS = 3_000
FIRST, LAST = 0, ROWS - 1
ODD = 'a/b, 50% "of" Zoe'
"""A key that CSV and addresses have to quote."""


def put_rows(door: Door, first_day: int) -> None:
    """Put rows with keys into S3, in two files, with a key that comes twice and one that is none."""
    bucket, folder = door.loop.endpoint.artefact_bucket, f"{BATCH_INPUT_PREFIX}/{door.name}/"
    lines = [f"customer-{number},{cells(row)}" for number, row in enumerate(days(ROWS, first_day))]
    odd = '"' + ODD.replace('"', '""') + '"'
    second = [f"{odd},{cells(days(1, first_day)[0])}", lines[0], "," + lines[0].partition(",")[2]]
    for name, content in (("a.csv", lines), ("b.csv", second)):
        body = "".join(f"{line}\n" for line in content).encode()
        door.loop.cloud.client("s3").put_object(Bucket=bucket, Key=f"{folder}{name}", Body=body)


def cells(row: list[float]) -> str:
    return ",".join(map(str, row))


def run(door: Door, *, kill: bool = False) -> dict[str, Any]:
    """Run a batch to its end; its loader may be killed on the way."""
    started = door.operate("batch", "start", "--reason", "answers are to be asked for")["run"]
    if kill:
        door.loop.wait_for(lambda: len(door.items("PREDICTION")) > 0, "an answer", poll=0.0)
        assert door.loop.cloud.functions.kill(door.function("load")), "there was nobody to kill"
        assert len(door.items("PREDICTION")) < ROWS, "it was killed too late"
    door.loop.wait_for(lambda: ended_now(door), "the run to end", poll=1.0)
    ended: dict[str, Any] = door.operate("batch", "status")["run"]
    assert (ended["id"], ended["outcome"]) == (started, "done"), ended
    return ended


def ended_now(door: Door) -> bool:
    """Have the run looked at, as it would be within the minute; return whether it has ended."""
    door.loop.cloud.client("lambda").invoke(FunctionName=door.function("batch"), Payload=b"{}")
    return not door.operate("batch", "status")["under_way"]


def ask(door: Door, key: str) -> Reply:
    return door.send("GET", f"predictions/{quote(key, safe='')}")


def manifest(door: Door, identity: str) -> Any:
    key = f"{BATCH_PREFIX}/{door.name}/run={identity}/manifest.json"
    found = door.loop.cloud.client("s3").get_object(Bucket=door.loop.endpoint.artefact_bucket, Key=key)
    return json.loads(found["Body"].read())


@pytest.fixture(scope="module")
def first(kept: Door) -> dict[str, Any]:
    """A run whose loader is killed on the way."""
    put_rows(kept, 0)
    return run(kept, kill=True)


def test_each_row_is_found_by_its_key(kept: Door, first: dict[str, Any]) -> None:
    rows = days(ROWS)
    for number in (FIRST, LAST):
        found = ask(kept, f"customer-{number}")
        assert (found.status, found.source, found.version) == (200, "batch", first["version"]), found.body
        (wanted,) = kept.directly(rows[number])
        assert found.body["prediction"]["rain"] == wanted["rain"]
        assert found.body["prediction"]["probability"] == pytest.approx(wanted["probability"], abs=1e-5)
        begun = parsedate_to_datetime(found.headers["Last-Modified"])
        assert begun.strftime("%Y-%m-%dT%H:%M:%S") == first["started_at"][:19]
    assert ask(kept, ODD).body["prediction"]["rain"] in (0, 1)


def test_what_could_not_be_kept_is_named(kept: Door, first: dict[str, Any]) -> None:
    served = manifest(kept, first["id"])["served"]
    counts = {name: served[name] for name in ("rows", "loaded", "bad", "repeated", "superseded")}
    assert counts == {"rows": ROWS + 3, "loaded": ROWS + 1, "bad": 1, "repeated": 1, "superseded": 0}
    assert {each["key"] for each in served["findings"]} == {"", "customer-0"}
    assert len(kept.items("PREDICTION")) == ROWS + 1


def test_other_keys_are_problems(kept: Door, first: dict[str, Any]) -> None:
    assert ask(kept, "nobody").status == 404
    assert ask(kept, "x" * 300).status == 400


def test_a_newer_run_replaces_answers_and_erasing_takes_one(kept: Door, first: dict[str, Any]) -> None:
    put_rows(kept, 1)
    second = run(kept)
    found = ask(kept, "customer-7")
    (wanted,) = kept.directly(days(ROWS, 1)[7])
    assert found.body["prediction"]["probability"] == pytest.approx(wanted["probability"], abs=1e-5)
    assert {item["run"]["S"] for item in kept.items("PREDICTION")} == {second["id"]}
    assert kept.operate("erase", "--subject", "customer-7", "--yes")["answer_erased"] is True
    assert ask(kept, "customer-7").status == 404
    assert ask(kept, "customer-8").status == 200
