"""Metrics in the log: held to the specification of CloudWatch's embedded metric format."""

import json
import threading

import pytest

from model_containers.serving.serving.observability.emf import Reporter
from model_containers.serving.serving.observability.metrics import Metrics

# "Specification: Embedded metric format", CloudWatch user guide.
UNITS = {"Count", "Milliseconds", "Bytes"}
NOON = 1_800_000_000.25


class Minutes:
    """A clock whose pauses end when the test says so."""

    def __init__(self):
        self._turns = threading.Semaphore(0)
        self._paused = threading.Semaphore(0)
        self.asked = []
        self.ending = False

    def pause(self, seconds):
        self.asked.append(seconds)
        self._paused.release()
        assert self._turns.acquire(timeout=60)
        return self.ending

    def pass_one(self):
        """Let a pause end, and wait for the next."""
        assert self._paused.acquire(timeout=60)
        self._turns.release()
        assert self._paused.acquire(timeout=60)
        self._paused.release()

    def end(self):
        self.ending = True
        self._turns.release()


@pytest.fixture
def counted():
    found = Metrics(latency_threshold_seconds=0.123, output_names=("probability",))
    found.watch(queue_rows=lambda: 7, queue_bytes=lambda: 448, requests_in_flight=lambda: 9)
    return found


@pytest.fixture
def lines():
    return []


@pytest.fixture
def reporter(counted, lines):
    return Reporter(counted, write=lines.append, now=lambda: NOON, properties={"model_digest": "sha256:ab"})


def read(line):
    """Return a line's metrics as {name: (value, unit)}, having held it to the specification."""
    assert len(line.encode()) < 256 * 1024
    assert "\n" not in line
    root = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert isinstance(root["_aws"]["Timestamp"], int)
    (directive,) = root["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Tidegate/Serving"
    assert 0 < len(directive["Metrics"]) <= 100
    for names in directive["Dimensions"]:
        assert len(names) <= 9
        assert all(isinstance(root[name], str) and root[name] for name in names)
    found = {}
    for metric in directive["Metrics"]:
        value = root[metric["Name"]]
        numbers = value if isinstance(value, list) else [value]
        assert 0 < len(numbers) <= 100
        assert all(type(each) in (int, float) for each in numbers)
        assert metric["Unit"] in UNITS
        assert metric["Name"] not in found
        found[metric["Name"]] = (value, metric["Unit"])
    return found


def test_only_what_is_new_is_reported(counted, reporter, lines):
    counted.answered(200, 0.01)
    counted.answered(500, 0.2)
    counted.answered(400, 0.001)
    counted.answered(413, 0.001)
    counted.batch(64, 2, 3, [0.001, 0.002], 0.004)
    counted.shed("queue_rows")
    counted.refused_input({"wind": 4})
    reporter.flush()
    counted.answered(200, 0.123)
    reporter.flush()

    first, second = map(read, lines)
    expected = {"Requests": 4, "Errors4xx": 2, "Errors5xx": 1, "Shed": 1, "RefusedCells": 4, "SlowRequests": 1}
    expected |= {"Batches": 1, "Rows": 64, "PaddedRows": 3}
    assert {name: first[name] for name in expected} == {name: (each, "Count") for name, each in expected.items()}
    quiet = dict.fromkeys(expected, 0) | {"Requests": 1}
    assert {name: second[name][0] for name in expected} == quiet
    assert first["BatchRows"] == ([64.0], "Count")
    assert "BatchRows" not in second
    assert json.loads(lines[0])["model_digest"] == "sha256:ab"
    assert json.loads(lines[0])["_aws"]["Timestamp"] == int(NOON * 1000)


def test_latencies_of_a_busy_minute_keep_their_percentiles(counted, reporter, lines):
    for index in range(10_000):
        counted.answered(200, 0.010 if index % 50 else 0.4)
        counted.batch(64, 1, 0, [0.002], 0.004)
    reporter.flush()

    found = read(lines[0])

    values, unit = found["RequestLatency"]
    assert (len(values), unit) == (100, "Milliseconds")
    assert 7.5 <= sorted(values)[49] <= 10
    assert 300 <= sorted(values)[98] <= 500
    assert 7.5 <= found["RequestLatencyP50"][0] <= 10
    assert 300 <= found["RequestLatencyP99"][0] <= 500
    assert 1 <= found["QueueWait"][0][50] <= 2
    assert 3 <= found["BatchCompute"][0][50] <= 5
    assert len(lines[0]) < 16_000


def test_a_quiet_minute_reports_zeros_and_levels(reporter, lines):
    reporter.flush()

    found = read(lines[0])

    assert found["Requests"] == (0, "Count")
    assert "RequestLatency" not in found
    assert (found["QueueRows"], found["QueueBytes"]) == ((7, "Count"), (448, "Bytes"))
    assert found["RequestsInFlight"] == (9, "Count")
    assert found["ResidentMemory"][0] > 1e6


@pytest.mark.parametrize("dimensions", [{}, {"EndpointName": "rain", "VariantName": "blue"}])
def test_dimensions_are_those_that_are_given(counted, lines, dimensions):
    Reporter(counted, dimensions=dimensions, write=lines.append).flush()

    read(lines[0])
    assert json.loads(lines[0])["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [list(dimensions)]


def test_reports_each_minute_and_a_last_time_at_the_end(counted, lines):
    minutes = Minutes()
    reporter = Reporter(counted, write=lines.append, pause=minutes.pause)
    reporter.start()
    for number in (1, 2, 3):
        counted.answered(200, 0.01)
        minutes.pass_one()
        assert len(lines) == number
    counted.answered(200, 0.01)
    counted.answered(200, 0.01)
    minutes.end()
    reporter.close()

    assert [read(line)["Requests"][0] for line in lines] == [1, 1, 1, 2]
    assert minutes.asked[0] == 60


def test_closing_does_not_wait_for_the_minute_to_end(counted, lines):
    reporter = Reporter(counted, write=lines.append, interval_seconds=3600)
    reporter.start()
    reporter.close()

    assert len(lines) == 1
    assert not any(thread.name == "metrics" for thread in threading.enumerate())


def test_a_report_that_fails_is_not_the_last(counted, lines):
    minutes = Minutes()
    fails = [True]

    def write(line):
        if fails.pop() if fails else False:
            raise OSError("disk full")
        lines.append(line)

    reporter = Reporter(counted, write=write, pause=minutes.pause)
    reporter.start()
    minutes.pass_one()
    minutes.pass_one()
    minutes.end()
    reporter.close()

    assert len(lines) == 2
