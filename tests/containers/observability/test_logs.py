"""The log: JSON lines with what identifies a request and the model, and never a body."""

import io
import json
import sys
import threading
import time

import pytest

from model_containers.serving.serving.errors import StartError
from model_containers.serving.serving.observability import logs


class Dawdling(io.StringIO):
    """Lets other threads run in the middle of every write."""

    def write(self, text):
        middle = len(text) // 2
        for part in (text[:middle], text[middle:]):
            super().write(part)
            time.sleep(0)
        return len(text)


@pytest.fixture
def log(monkeypatch, as_a_program):
    """Configure the log to standard output, and return what reads it."""
    output = Dawdling()
    monkeypatch.setattr(sys, "stdout", output)
    logs.configure("INFO")
    return lambda: [json.loads(line) for line in output.getvalue().splitlines()]


def test_bound_fields_are_on_every_line_until_taken_away(log):
    logs.bind(model_digest="sha256:ab", model_version="1.1.0")
    logs.LOGGER.info("ready")
    logs.bind(model_version=None)
    logs.LOGGER.info("again")

    ready, again = log()
    assert (ready["model_digest"], ready["model_version"], ready["message"]) == ("sha256:ab", "1.1.0", "ready")
    assert again["model_digest"] == "sha256:ab"
    assert "model_version" not in again


def test_request_is_identified_by_its_headers(log):
    given = {"x-amzn-sagemaker-inference-id": "i-1", "x-amzn-sagemaker-custom-attributes": "a=1", "content-type": "x"}
    logs.LOGGER.info("refused", extra=logs.request_fields(given))
    logs.LOGGER.info("refused", extra=logs.request_fields({}))

    named, anonymous = log()
    assert (named["inference_id"], named["custom_attributes"]) == ("i-1", "a=1")
    assert set(anonymous) == {"time", "level", "message"}


@pytest.mark.parametrize("body", [b"secret,1,2", bytearray(b"secret,1,2"), memoryview(b"secret,1,2")])
def test_bytes_are_never_shown(log, body):
    logs.LOGGER.info("refused", extra={"body": body})

    (line,) = log()
    assert line["body"] == "<10 bytes>"


def test_long_texts_are_cut_and_line_breaks_do_not_break_lines(log):
    logs.LOGGER.info("a\nb", extra={"detail": "x" * 100_000})

    (line,) = log()
    assert line["message"] == "a\nb"
    assert len(line["detail"]) < 5_000


@pytest.mark.parametrize(("error", "has_traceback"), [(StartError("x is 1; set 2"), False), (ValueError("x"), True)])
def test_only_errors_that_nobody_foresaw_are_logged_with_a_traceback(log, error, has_traceback):
    try:
        raise error
    except Exception:
        logs.LOGGER.exception("the model cannot be served")

    (line,) = log()
    assert ("exception" in line) is has_traceback


def test_metric_lines_and_log_lines_do_not_mix(log):
    def write():
        for _ in range(200):
            logs.write_line(json.dumps({"_aws": "x" * 5000}))

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        logs.LOGGER.info("y" * 1000)
    for thread in threads:
        thread.join(60)

    lines = log()
    assert sum("_aws" in line for line in lines) == 600
    assert sum("message" in line for line in lines) == 200


def test_metric_lines_are_written_whatever_the_level(log):
    logs.LOGGER.setLevel("CRITICAL")
    logs.write_line('{"_aws": 1}')

    assert log() == [{"_aws": 1}]
