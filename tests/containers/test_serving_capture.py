"""The real server captures requests on standard output as the drift monitor reads them, and serves all the while."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lambdas.monitoring.capture.bodies import read_input, read_output
from lambdas.monitoring.capture.layout import Layout
from lambdas.monitoring.capture.records import read
from model_containers.serving.serving.settings import Settings, SettingsError
from model_containers.training import replay
from tests.containers.conftest import CONTEXT, ServerProcess

ROWS = replay.rows(8_000, 8_010)
ALL = {"TIDEGATE_CAPTURE_SAMPLING_PERCENT": "100"}
HEADERS = {"Content-Type": "text/csv", "Accept": "text/csv"}
PATIENCE = 60.0


class PipedServer(ServerProcess):
    """A server whose standard output is a pipe of this process's, read only up to the port."""

    def __init__(self, model_dir: Path) -> None:
        variables = os.environ | {"SAGEMAKER_BIND_TO_PORT": "0", "SM_MODEL_DIR": str(model_dir)} | ALL
        command = [sys.executable, "-m", "serving", "serve"]
        self._process = subprocess.Popen(
            command, cwd=CONTEXT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.output = self._process.stdout
        self._port = next(json.loads(line)["port"] for line in self.output if b'"port"' in line)

    @property
    def port(self) -> int:
        return self._port

    def wait_until(self, condition) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def captures(server):
    """Return the captured lines, as bytes."""
    return [json.dumps(line).encode() for line in server.lines() if "captureData" in line]


def captured(server, count):
    server.wait_until(lambda: len(captures(server)) >= count)
    return [read(line) for line in captures(server)]


def columns(unpacked):
    signature = json.loads((unpacked("1.0.0") / "signature.json").read_text())
    return [column["name"] for column in signature["columns"]], [each["name"] for each in signature["outputs"]]


def test_captures_are_read_by_the_monitor_as_they_are(start, unpacked):
    server = start(unpacked("1.0.0"), **ALL, TIDEGATE_CAPTURE_VARIANT="green", TIDEGATE_MODEL_VERSION="1.0.0").ready()
    inputs, outputs = (Layout.of((name, "number") for name in names) for names in columns(unpacked))
    records = [dict(zip(inputs.names, map(float, row.split(",")), strict=True)) for row in ROWS[:2]]

    server.invoke("\n".join(ROWS[:3]), X_Amzn_SageMaker_Inference_Id="csv", Accept="text/csv")
    server.invoke(json.dumps({"instances": records}), "application/json", X_Amzn_SageMaker_Inference_Id="json")
    server.invoke("\n".join([",".join(inputs.names), *ROWS[:2]]), X_Amzn_SageMaker_Inference_Id="header")
    server.invoke("no,numbers")
    server.get("/ping")

    found = {each.inference_id: each for each in captured(server, 3)}
    assert set(found) == {"csv", "json", "header"}, "what was refused is no traffic"
    for name, rows in (("csv", 3), ("json", 2), ("header", 2)):
        exchange = found[name]
        asked = read_input(exchange.input, inputs).rows
        assert [list(row) for row in asked] == [list(map(float, row.split(","))) for row in ROWS[:rows]]
        assert len(read_output(exchange.output, outputs).rows) == rows
        assert (exchange.variant, exchange.version) == ("green", "1.0.0")
    assert b"tidegate_captures_written_total 3" in server.get("/metrics").body


def test_redacted_values_are_nowhere_in_what_the_server_writes(start, unpacked):
    names, _ = columns(unpacked)
    hidden = names[2]
    server = start(unpacked("1.0.0"), **ALL, TIDEGATE_CAPTURE_REDACTED_COLUMNS=hidden).ready()
    secret = "1013.625"
    cells = ROWS[0].split(",")
    cells[2] = secret
    row = ",".join(cells)
    record = dict(zip(names, map(float, cells), strict=True))

    for body, kind in (
        (row, "text/csv"),
        (f"{','.join(names)}\n{row}", "text/csv"),
        (json.dumps({"instances": [record]}), "application/json"),
        (json.dumps({"columns": {name: [value] for name, value in record.items()}}), "application/json"),
        (json.dumps(list(record.values())), "application/jsonlines"),
    ):
        assert server.invoke(body, kind).status == 200

    captured(server, 5)
    assert secret not in json.dumps(server.lines())
    layout = Layout.of((name, "number") for name in names)
    for exchange in captured(server, 5):
        (read_row,) = read_input(exchange.input, layout).rows
        assert read_row[2] is None
        assert read_row[0] == float(cells[0])


def test_a_column_that_the_model_has_not_stops_capture_and_nothing_else(start, unpacked):
    server = start(unpacked("1.0.0"), **ALL, TIDEGATE_CAPTURE_REDACTED_COLUMNS="colour").ready()
    assert server.invoke(ROWS[0]).status == 200
    (said,) = [line["message"] for line in server.lines() if line.get("level") == "ERROR"]
    assert said.startswith("nothing is captured: TIDEGATE_CAPTURE_REDACTED_COLUMNS names 'colour'")
    server.terminate()
    assert server.exit_status() == 0
    assert captures(server) == []


def test_nothing_is_captured_unless_it_is_asked_for(start, unpacked):
    server = start(unpacked("1.0.0"), TIDEGATE_CAPTURE_LARGEST_BYTES="100").ready()
    server.invoke(ROWS[0])
    server.terminate()
    assert server.exit_status() == 0
    assert captures(server) == []


def test_many_requests_a_second_are_answered_and_all_accounted_for(start, unpacked):
    server = start(unpacked("1.0.0"), **ALL, TIDEGATE_CAPTURE_LARGEST_BYTES="60").ready()
    small, large = ROWS[0], "\n".join(ROWS)

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        for number in range(200):
            connection.request("POST", "/invocations", large if number % 4 == 0 else small, HEADERS)
            answer = connection.getresponse()
            assert answer.status == 200
            answer.read()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    server.terminate()
    assert server.exit_status() == 0
    assert len(captures(server)) == 600
    last = [line for line in server.lines() if "CapturesDropped" in line]
    assert sum(line["CapturesDropped"] for line in last) == 200
    assert sum(line["CapturesWritten"] for line in last) == 600


@pytest.mark.parametrize("end", ["closed", "unread"])
def test_an_output_that_nobody_reads_does_not_stop_serving(unpacked, end):
    server = PipedServer(unpacked("1.0.0"))
    try:
        server.ready()
        if end == "closed":
            server.output.close()
        body = "\n".join(ROWS * 20)
        for _ in range(40):  # more than a pipe holds
            assert server.invoke(body).status == 200
        time.sleep(0.6)  # in which the captures are written, or not
        assert server.invoke(ROWS[0]).status == 200
        if end == "closed":
            assert b'tidegate_captures_dropped_total{reason="not_written"}' in server.get("/metrics").body
    finally:
        server.end()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIDEGATE_CAPTURE_SAMPLING_PERCENT", "101"),
        ("TIDEGATE_CAPTURE_SAMPLING_PERCENT", "all"),
        ("TIDEGATE_CAPTURE_SAMPLING_PERCENT", "nan"),
        ("TIDEGATE_CAPTURE_LARGEST_BYTES", "0"),
        ("TIDEGATE_CAPTURE_LARGEST_BYTES", "131073"),
        ("TIDEGATE_CAPTURE_REDACTED_COLUMNS", "age,,city"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(name, value):
    with pytest.raises(SettingsError, match=f"{name} is '{value}'; allowed is"):
        Settings.from_environment({name: value})


def test_settings_are_read():
    read_ones = Settings.from_environment(
        {"TIDEGATE_CAPTURE_SAMPLING_PERCENT": "12.5", "TIDEGATE_CAPTURE_REDACTED_COLUMNS": "age, home town"}
    )
    assert read_ones.capture_sampling_percent == 12.5
    assert read_ones.capture_redacted_columns == ("age", "home town")
