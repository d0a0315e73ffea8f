"""What the container captures, redacts and drops, without a server."""

import json
import random
import threading
import time

import pytest

from lambdas.monitoring.capture.records import read
from model_containers.serving.serving.observability.capture import Recorder, Sampling, UnknownColumnError, recorder
from model_containers.serving.serving.observability.capture.redaction import Redaction, UnredactableError
from model_containers.serving.serving.observability.metrics import Metrics

COLUMNS, HIDDEN = ["age", "city", "income"], ["city"]


@pytest.fixture
def metrics():
    return Metrics(latency_threshold_seconds=None)


@pytest.fixture
def written():
    return []


@pytest.fixture
def made(metrics, written):
    """Return what makes recorders whose lines go to a list."""

    def make(percent=100.0, hidden=(), largest_bytes=1000, write=None, **about):
        found = Recorder.of(
            percent,
            metrics,
            columns=COLUMNS,
            outputs=["score"],
            hidden=tuple(hidden),
            largest_bytes=largest_bytes,
            about=about,
            chance=random.Random(1),
        )
        found._write = write or (lambda lines: written.extend(lines.splitlines()))
        return found

    return make


def offer(to, body=b"33,Ulm,2500\n", kind="text/csv", answer=b'{"predictions":[{"score":0.5}]}', **named):
    to.offer(kind, body, "application/json", answer, named)


def named(inference_id):
    return {"x-amzn-sagemaker-inference-id": inference_id}


def test_a_line_reads_like_one_of_sagemakers(made, written):
    to = made(variant="green", modelVersion="1.2.0")
    offer(to, **named("id-1"), **{"x-amzn-sagemaker-custom-attributes": "trace=7"})
    to._flush()

    (line,) = written
    exchange = read(line)
    assert (exchange.input.data, exchange.input.encoding) == ("33,Ulm,2500\n", "CSV")
    assert exchange.output.text() == '{"predictions":[{"score":0.5}]}'
    assert (exchange.identity, exchange.variant, exchange.version) == ("id-1", "green", "1.2.0")
    assert time.time() - exchange.at < 60
    record = json.loads(line)
    assert record["eventMetadata"]["customAttributes"] == ["trace=7"]
    assert record["eventVersion"] == "0"
    assert record["captureData"]["endpointInput"]["mode"] == "INPUT"


def test_a_request_without_an_id_has_one_of_its_own(made, written):
    to = made()
    offer(to)
    offer(to)
    to._flush()
    first, second = map(read, written)
    assert first.inference_id == "" != first.event_id != second.event_id


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ("inference-id=a-1", "a-1"),
        ("trace=7; inference-id=a-1;x", "a-1"),
        ("my-inference-id=a-1", ""),
        ("inference-id=", ""),
        ("", ""),
    ],
)
def test_custom_attributes_can_name_a_request(made, written, attributes, name):
    to = made()
    offer(to, **{"x-amzn-sagemaker-custom-attributes": attributes})
    offer(to, **named("own"), **{"x-amzn-sagemaker-custom-attributes": attributes})
    to._flush()
    assert [read(line).inference_id for line in written] == [name, "own"]


def test_other_bodies_are_base64(made, written):
    to = made()
    offer(to, b"\x93NUMPY\xff", "application/x-npy")
    to._flush()
    part = read(written[0]).input
    assert (part.encoding, part.content_type) == ("BASE64", "application/x-npy")


def test_large_bodies_are_counted_and_not_written(made, written, metrics):
    to = made()
    offer(to, b"x" * 1001)
    offer(to, answer=b"x" * 1001)
    offer(to, b"x" * 1000)
    to._flush()
    assert len(written) == 1
    assert metrics.snapshot().uncaptured == {"too_large": 2}
    assert metrics.snapshot().captured == 1


def test_a_line_that_no_log_event_holds_is_counted(made, written, metrics):
    to = made(largest_bytes=131_072)
    offer(to, b'"' * 131_072)  # each of which takes two in JSON
    to._flush()
    assert written == []
    assert metrics.snapshot().uncaptured == {"too_large": 1}


def test_what_finds_no_room_is_counted(made, metrics, monkeypatch):
    monkeypatch.setattr(recorder, "MOST_HELD_BYTES", 3 * 1100)
    to = made()
    for _ in range(5):
        offer(to)
    assert metrics.snapshot().uncaptured == {"buffer_full": 2}
    to._flush()
    offer(to)
    assert metrics.snapshot().uncaptured == {"buffer_full": 2}


def test_a_writer_that_hangs_holds_nobody_up(made, metrics):
    free, begun = threading.Event(), threading.Event()

    def hang(_lines):
        begun.set()
        free.wait(20)

    to = made(write=hang)
    to.start()
    offer(to)
    assert begun.wait(20)
    began = time.monotonic()
    for _ in range(20_000):
        offer(to)
    assert time.monotonic() - began < 10
    assert metrics.snapshot().uncaptured["buffer_full"] > 1000
    free.set()
    to.close()


def test_a_closed_output_is_counted_and_over_with(made, metrics):
    def broken(_lines):
        raise BrokenPipeError

    to = made(write=broken)
    offer(to)
    to._flush()
    assert metrics.snapshot().uncaptured == {"not_written": 1}


def test_what_is_left_is_written_at_the_end(made, written):
    to = made()
    to.start()
    offer(to)
    to.close()
    assert len(written) == 1


@pytest.mark.parametrize("ids", [True, False])
def test_the_sample_has_its_share(ids):
    takes = Sampling(10, random.Random(3)).takes
    taken = sum(takes(f"request-{number}" if ids else "") for number in range(20_000))
    assert 1800 < taken < 2200


def test_a_request_fares_as_it_did(made):
    one, other = Sampling(30), Sampling(30)
    names = [f"id-{number}" for number in range(200)]
    assert [one.takes(name) for name in names] == [other.takes(name) for name in names]
    assert Sampling(100).takes("") is True


def test_metrics_say_what_was_dropped_and_only_where_requests_are_captured(metrics):
    assert b"captures" not in metrics.render()
    metrics.capture_dropped("too_large")
    metrics.captured(3)
    assert b'tidegate_captures_dropped_total{reason="too_large"} 1' in metrics.render()
    assert b"tidegate_captures_written_total 3" in metrics.render()


@pytest.mark.parametrize(
    ("kind", "body", "redacted"),
    [
        ("text/csv", "33,Ulm,2500\n34,Kiel,1\n", "33,,2500\n34,,1\n"),
        ("text/csv; charset=utf-8", "33,Ulm,2500", "33,,2500\n"),
        ("text/csv", "age,city,income\r\n33,Ulm,2500\r\n", "age,city,income\n33,,2500\n"),
        ("text/csv", "city, age ,income\nUlm,33,2500", "city, age ,income\n,33,2500\n"),
        ("text/csv", '\ufeff"city","age","income"\n"Ulm, old",33,2500\n', "city,age,income\n,33,2500\n"),
        ("text/csv", '33,"Ulm ""old""\nand new","2,5"\n', '33,,"2,5"\n'),
        ("text/csv", "33,Ulm,2500\r34,Kiel,1\n\n", "33,,2500\n34,,1\n"),
        ("application/json", '{"instances": [[33, "Ulm", 1], {"city": "Kiel", "age": 3}]}', None),
        ("application/json", '[[33, "Ulm", 1]]', "[[33,null,1]]"),
        ("application/json", '{"columns": {"city": ["Ulm", "Kiel"], "age": [1, 2]}}', None),
        ("application/json", '{"note": "from Ulm", "instances": [[33, "Ulm", 1]]}', '{"instances":[[33,null,1]]}'),
        ("application/jsonlines", '[33, "Ulm", 1]\n{"city": "Kiel"}\n', '[33,null,1]\n{"city":null}\n'),
    ],
)
def test_values_of_redacted_columns_are_nowhere(kind, body, redacted):
    found = Redaction(COLUMNS, HIDDEN, "instances", has_header=True).redact(kind, body.encode()).decode()
    assert "Ulm" not in found
    assert "Kiel" not in found
    if redacted is not None:
        assert found == redacted
    if "33" in body:
        assert "33" in found


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/csv", "33,Ulm\n"),
        ("text/csv", "33,Ulm,2500,1\n"),
        ("text/csv", '33,"Ulm,2500\n'),
        ("text/csv", b"33,\xff,2500\n"),
        ("application/json", "{broken"),
        ("application/json", '"Ulm"'),
        ("application/json", '{"rows": [[1, "Ulm", 2]]}'),
        ("application/json", '[[1, "Ulm"]]'),
        ("application/json", '["Ulm"]'),
        ("application/jsonlines", '[1, "Ulm", 2]\nUlm\n'),
        ("application/x-npy", "Ulm"),
        ("", "33,Ulm,2500\n"),
    ],
)
def test_what_cannot_be_redacted_for_sure_is_not_written(made, written, metrics, kind, body):
    body = body if isinstance(body, bytes) else body.encode()
    with pytest.raises(UnredactableError):
        Redaction(COLUMNS, HIDDEN, "instances", has_header=True).redact(kind, body)
    to = made(hidden=HIDDEN)
    offer(to, body, kind)
    to._flush()
    assert written == []
    assert metrics.snapshot().uncaptured == {"not_redacted": 1}


def test_outputs_are_redacted_as_well(made, written):
    to = made(hidden=["score"])
    offer(to)
    to.offer("text/csv", b"33,Ulm,1\n", "text/csv", b"0.5\n", {})
    to._flush()
    first, second = map(read, written)
    assert first.output.data == '{"predictions":[{"score":null}]}'
    assert second.output.data == "null\n"
    assert "Ulm" in first.input.data


def test_an_output_of_several_cells_is_not_taken_for_one_of_one(made, written):
    to = made(hidden=["score"])
    to.offer("text/csv", b"33,Ulm,1\n", "text/csv", b"0.5,0.7\n", {})
    to._flush()
    assert written == []


def test_a_column_that_the_model_has_not_is_an_error(made):
    with pytest.raises(UnknownColumnError, match=r"'town'.*age, city, income.*score"):
        made(hidden=["town"])


def test_lines_of_the_log_are_not_torn_apart(capfd, as_a_program):
    from model_containers.serving.serving.observability import logs

    logs.configure("INFO")
    line = json.dumps({"data": "x" * 5000}).encode()
    writers = [threading.Thread(target=logs.write_lines, args=(b"\n".join([line] * 20) + b"\n",)) for _ in range(4)]
    for each in writers:
        each.start()
    for number in range(50):
        logs.LOGGER.info("between", extra={"number": number})
    for each in writers:
        each.join()
    shown = capfd.readouterr().out.splitlines()
    assert len([json.loads(each) for each in shown]) == 130
