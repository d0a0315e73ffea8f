"""Clients that know nothing of the local cloud talk to it."""

import json
import os
import subprocess

import boto3
import pytest

from model_containers.training import replay
from tests.scenarios.loop import ENDPOINT, Loop
from tests.sdk import sdk_python

ROWS = replay.rows(replay.REPLAY.start, replay.REPLAY.start + 3)
SDK_SCRIPT = """
import json, sys
from sagemaker.core.resources import Endpoint
endpoint = Endpoint.get(endpoint_name=sys.argv[1])
answer = endpoint.invoke(body=sys.argv[2].encode(), content_type="text/csv", accept="application/json")
print(json.dumps({"status": endpoint.endpoint_status, "variant": answer.invoked_production_variant,
                  "answer": json.loads(answer.body.read())}))
"""


def check(answer: dict) -> None:
    assert len(answer["predictions"]) == len(ROWS)
    assert all(0 <= each["probability"] <= 1 for each in answer["predictions"])


def test_stock_clients_invoke_the_endpoint(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in loop.cloud.environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("sagemaker-runtime")
    answer = client.invoke_endpoint(EndpointName=ENDPOINT, ContentType="text/csv", Body="\n".join(ROWS).encode())
    (live,) = loop.weights()
    assert answer["InvokedProductionVariant"] == live
    check(json.loads(answer["Body"].read()))

    told = subprocess.run(
        [sdk_python(), "-c", SDK_SCRIPT, ENDPOINT, "\n".join(ROWS)],
        env={**os.environ, **loop.cloud.environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-3000:]
    said = json.loads(told.stdout.splitlines()[-1])
    assert (said["status"], said["variant"]) == ("InService", live)
    check(said["answer"])
