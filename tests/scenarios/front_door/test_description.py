"""The description in OpenAPI is taken at its word: whatever is sent, it describes the answer."""

import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lambdas import contract
from lambdas.inference import routes
from lambdas.inference.adapters.attributes import written
from lambdas.inference.batch import keyed
from lambdas.inference.openapi import document, signature_in
from lambdas.inference.problems import CONTENT_TYPE
from stacks.config.loading import ROOT
from tests.scenarios.front_door.conftest import Opened
from tests.scenarios.front_door.door import ENVIRONMENT, Door
from tests.scenarios.front_door.doors import ROWS

MODEL = ROOT / "model_containers" / "bootstrap" / "rain" / "model.tar.gz"
EXAMPLES = 12
OPTIONS = (
    "--checks=all",
    "--phases=coverage,fuzzing,stateful",
    f"--max-examples={EXAMPLES}",
    "--generation-deterministic",
    "--no-shrink",
    "--continue-on-failure",
    "--suppress-health-check=all",
    "--warnings=off",
    "--no-color",
    "--report=har",
)
SETTINGS = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 413, 415, 422]
"""
"""Too many rows are a body that is too large, which the tool would not have thought of."""

LEAST = {
    ("POST", "/predictions"): {200, 400, 404, 415, 422},
    ("GET", "/predictions/{key}"): {200, 400, 404},
    ("GET", "/schema"): {200},
    ("POST", "/jobs"): {202, 400, 409, 415, 422},
    ("GET", "/jobs/{id}"): {200, 404},
}
"""Statuses without which too little was tried."""


def keep_answer(door: Door, key: str) -> None:
    """Keep an answer as a batch's, under a key that the tool thinks of."""
    told = {"version": "1.0.0", "model": "m", "at": time.time()}
    answer = keyed.item(door.endpoint, key, '{"probability":0.75,"rain":1}', told, 1)
    door.cloud.client("dynamodb").put_item(TableName=contract.inference_table(ENVIRONMENT), Item=written(answer))


@pytest.fixture(scope="module")
def exchanged(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Let schemathesis send what it can think of, as a tester; return requests and answers if it has no complaint."""
    door = opened.keyed
    keep_answer(door, "0")
    folder = tmp_path_factory.mktemp("description")
    described, report = folder / "openapi.json", folder / "exchanged.har"
    described.write_text(json.dumps(document(signature_in(MODEL), auth=("api_key",), most_rows=ROWS)))
    script = Path(sys.executable).with_name("schemathesis")
    (folder / "schemathesis.toml").write_text(SETTINGS)
    # In lower case as described: the tool takes the key away by that name, to see whether it is asked for.
    at = (f"--url={door.url}", f"--header=x-api-key: {door.keys['lab']}", f"--report-har-path={report}")
    said = subprocess.run(
        [str(script), "run", str(described), *at, *OPTIONS],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    entries: list[dict[str, Any]] = json.loads(report.read_text())["log"]["entries"]
    return entries


def test_every_answer_is_one_that_is_described(opened: Opened, exchanged: list[dict[str, Any]]) -> None:
    """What the tool has found no fault with has reached the model, and has been refused for many reasons."""
    found = defaultdict(set)
    for each in exchanged:
        found[each["request"]["method"], _resource(opened.keyed, each["request"]["url"])].add(
            each["response"]["status"]
        )
    assert {(route.method, route.path) for route in routes.ROUTES} == LEAST.keys()
    for route, statuses in LEAST.items():
        assert statuses <= found[route], (route, found[route])


def test_every_refusal_is_a_problem_document(exchanged: list[dict[str, Any]]) -> None:
    """Those of methods that are not described too, which the tool leaves to their servers."""
    refusals = [each["response"] for each in exchanged if each["response"]["status"] >= 400]
    assert refusals
    odd = [each for each in refusals if each["content"]["mimeType"] != CONTENT_TYPE]
    assert not odd, odd[:3]


def _resource(door: Door, url: str) -> str:
    path = urlsplit(url).path.removeprefix(urlsplit(door.url).path.rstrip("/"))
    for name, parameter in (("/jobs/", "{id}"), ("/predictions/", "{key}")):
        if path.startswith(name):
            return f"{name}{parameter}"
    return path
