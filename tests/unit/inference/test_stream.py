"""Records of a stream are answered at least once and in their order, whatever fails."""

import importlib
import json
import math
import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas import contract
from lambdas.inference import settings as front_door_settings
from lambdas.inference.adapters import kinesis
from lambdas.inference.adapters.kinesis import KinesisResults
from lambdas.inference.handlers import wiring
from lambdas.inference.ports import InvocationError, Invoked
from lambdas.inference.predicting import Answered
from lambdas.inference.problems import Problem
from lambdas.inference.streaming.answers import LARGEST_BYTES, Outcome
from lambdas.inference.streaming.batching import Limits
from lambdas.inference.streaming.ports import World
from lambdas.inference.streaming.records import Record, Source
from lambdas.inference.streaming.taking import PAUSES, Taking
from lambdas.inference.view import Served

STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/rows"
BUSY = Problem("busy", "too much")
FAILED = Problem("model-failed", "500")
REFUSED = Problem("invalid-input", "row 1 has no dew_point")


def record(number: int, content: Any, key: str = "k") -> dict[str, Any]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {
        "eventID": f"shardId-0:{number}",
        "eventSourceARN": STREAM,
        "kinesis": {"sequenceNumber": str(number), "partitionKey": key, "data": b64encode(data).decode()},
    }


@dataclass
class FakeModel:
    """Answers a row by its first value; `says` are what it does instead with the next requests."""

    says: list[Problem | str] = field(default_factory=list)
    unknown: frozenset[float] = frozenset()
    hated: frozenset[float] = frozenset()
    deadly: frozenset[float] = frozenset()
    asked: list[list[Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def check(self, rows: Sequence[Any]) -> None:
        if any(value(row) in self.unknown for row in rows):
            raise REFUSED

    def ask(self, identity: str, rows: Sequence[Any]) -> Answered:
        self.asked.append(list(rows))
        self.ids.append(identity)
        said = self.says.pop(0) if self.says else None
        if isinstance(said, Problem):
            raise said
        if any(value(row) in self.deadly for row in rows):
            raise FAILED
        if any(value(row) in self.hated for row in rows):
            raise REFUSED
        body = said or json.dumps({"predictions": [value(row) for row in rows]})
        return Answered(body, "model", Served("blue", "2.0.0", "k2", "k2@a"), "blue")


def value(row: Any) -> Any:
    return row["x"] if isinstance(row, dict) else row[0]


@dataclass
class FakeResults:
    """The stream of answers; `failures` are where the next writes fail."""

    written: list[Outcome] = field(default_factory=list)
    failures: list[int | None] = field(default_factory=list)

    def put(self, outcomes: Sequence[Outcome]) -> int | None:
        place = self.failures.pop(0) if self.failures else None
        place = None if place is None or place >= len(outcomes) else place
        self.written += outcomes if place is None else outcomes[:place]
        return place

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(each.data()) for each in self.written]


class Bench:
    """A shard and its function."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.model, self.results = FakeModel(), FakeResults()
        self.left, self.pauses, self.warnings = 100.0, list[float](), list[str]()
        self.limits = limits or Limits(4, 10_000)

    def take(self, *records: dict[str, Any]) -> str | None:
        world = World(self.model, self.results, lambda: self.left, self._pause, self.warnings.append)
        return Taking(world, self.limits, needed=20.0).take([Record.of(each) for each in records])

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.left -= seconds

    def told(self) -> list[Any]:
        return [each.get("predictions", each.get("error", {}).get("status")) for each in self.results.documents()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_every_form_of_a_record_is_answered_in_one_request(bench: Bench) -> None:
    assert bench.take(record(1, {"instances": [[1], [2]]}), record(2, {"x": 3}), record(3, [4])) is None
    assert bench.model.asked == [[[1], [2], {"x": 3}, [4]]]
    assert bench.told() == [[1, 2], [3], [4]]
    first, second, _ = bench.results.documents()
    assert first == {
        "id": "rows/shardId-0:1",
        "source": {"partition_key": "k", "sequence_number": "1"},
        "predictions": [1, 2],
        "prediction_id": bench.model.ids[0],
        "row": 0,
        "model_version": "2.0.0",
        "variant": "blue",
    }
    assert (second["row"], second["prediction_id"]) == (2, first["prediction_id"])


def test_records_are_split_at_most_rows_and_most_bytes(bench: Bench) -> None:
    bench.take(*(record(number, [number]) for number in range(6)))
    assert [len(rows) for rows in bench.model.asked] == [4, 2]
    small = Bench(Limits(100, 25))
    small.take(*(record(number, [10**9]) for number in range(5)))
    assert [len(rows) for rows in small.model.asked] == [2, 2, 1]


def test_the_same_records_are_asked_about_under_the_same_id(bench: Bench) -> None:
    for _ in range(2):
        bench.take(record(1, [1]), record(2, [2]))
    assert bench.model.ids[0] == bench.model.ids[1]
    assert bench.results.documents()[0]["id"] == bench.results.documents()[2]["id"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"\xff", 400),
        (b"NaN", 400),
        (3, 422),
        ("text", 422),
        ([], 422),
        ({}, 422),
        ({"instances": []}, 422),
        ({"instances": 3}, 422),
        ({"instances": [[1]], "x": 1}, 422),
        ({"instances": [[1]] * 5}, 413),
        (b" " * 10_001, 413),
    ],
)
def test_what_can_never_be_answered_does_not_hold_up_the_others(bench: Bench, content: Any, status: int) -> None:
    assert bench.take(record(1, [1]), record(2, content), record(3, [3])) is None
    assert bench.told() == [[1], status, [3]]
    assert bench.results.documents()[1]["error"]["detail"]


def test_data_that_is_no_base64_can_never_be_answered(bench: Bench) -> None:
    broken = record(1, [1])
    broken["kinesis"]["data"] = "?"
    assert bench.take(broken) is None
    assert bench.told() == [400]


def test_rows_that_the_signature_refuses_are_not_sent(bench: Bench) -> None:
    bench.model.unknown = frozenset({2})
    bench.take(*(record(number, [number]) for number in (1, 2, 3)))
    assert bench.told() == [[1], 422, [3]]
    assert bench.model.asked == [[[1], [3]]]


def test_a_row_that_only_the_model_refuses_is_found(bench: Bench) -> None:
    bench.model.hated = frozenset({3})
    assert bench.take(*(record(number, [number]) for number in (1, 2, 3, 4))) is None
    assert bench.told() == [[1], [2], 422, [4]]


@pytest.mark.parametrize("trouble", [BUSY, Problem("throttled", "slowly"), Problem("timeout", "slow")])
def test_an_endpoint_in_trouble_is_waited_for(bench: Bench, trouble: Any) -> None:
    bench.model.says = [trouble]
    assert bench.take(record(1, [1]), record(2, [2])) is None
    assert (bench.told(), bench.pauses) == ([[1], [2]], [1.0])


@pytest.mark.parametrize("failure", [FAILED, "{", "[]", '{"predictions": 1}', '{"predictions": [1]}'])
def test_records_that_the_model_fails_on_together_are_asked_about_in_halves(bench: Bench, failure: Any) -> None:
    bench.model.says = [failure]
    assert bench.take(record(1, [1]), record(2, [2])) is None
    assert (bench.told(), bench.pauses) == ([[1], [2]], [])


def test_a_record_that_the_model_fails_on_holds_up_none_before_it_and_nobody_waits() -> None:
    bench = Bench(Limits(1000, 10**6))
    bench.model.deadly = frozenset({50})
    records = [record(number, [number]) for number in range(100)]
    assert bench.take(*records) == "50"
    assert bench.told() == [[number] for number in range(50)]
    assert bench.pauses == []
    assert len(bench.model.asked) <= 2 + 2 * math.log2(len(records))
    bench.model.asked.clear()
    assert bench.take(*records[50:]) == "50"
    assert bench.pauses == []
    assert len(bench.model.asked) <= 3 + math.log2(len(records))


def test_only_the_record_that_the_model_fails_on_is_given_up_and_waited_for() -> None:
    """Batches come again as Lambda documents it: bisected after a failure, cut before what was returned."""
    bench, attempts = Bench(Limits(1000, 10**6)), 3
    bench.model.deadly = frozenset({50})
    waiting = [([record(number, [number]) for number in range(100)], 0)]
    given_up: list[str] = []
    while waiting:
        batch, tried = waiting.pop(0)
        again, bench.left = bench.take(*batch), 60.0
        sequences = [each["kinesis"]["sequenceNumber"] for each in batch]
        if again is None:
            continue
        if (place := sequences.index(again)) > 0:
            waiting.insert(0, (batch[place:], tried))
        elif len(batch) > 1:
            waiting[:0] = [(batch[: len(batch) // 2], tried), (batch[len(batch) // 2 :], tried)]
        elif tried < attempts:
            waiting.insert(0, (batch, tried + 1))
        else:
            given_up += sequences
    assert given_up == ["50"]
    assert bench.told() == [[number] for number in range(100) if number != 50]
    assert tuple(bench.pauses) == PAUSES * (attempts + 1), "it is waited for when it is alone"


@pytest.mark.parametrize("number", [1, 2, 100, 1000])
def test_a_model_that_fails_on_everything_is_waited_for_and_not_asked_about_every_half(number: int) -> None:
    bench = Bench(Limits(1000, 10**6))
    bench.model.deadly = frozenset(range(number))
    assert bench.take(*(record(each, [each]) for each in range(number))) == "0"
    assert tuple(bench.pauses) == PAUSES
    assert len(bench.model.asked) <= 2 + math.ceil(math.log2(number)) + len(PAUSES)


def test_a_model_that_answers_again_while_it_is_waited_for_is_asked_in_halves_again(bench: Bench) -> None:
    bench.model.says, bench.model.deadly = [FAILED] * 3, frozenset({4})
    assert bench.take(record(1, [1]), record(2, [2])) is None
    assert (bench.told(), bench.pauses) == ([[1], [2]], [1.0])
    assert bench.take(*(record(number, [number]) for number in (1, 2, 3, 4))) == "4"
    assert bench.pauses == [1.0]


def test_no_request_is_made_for_which_no_time_is_left() -> None:
    bench = Bench(Limits(1000, 10**6))
    bench.model.hated = frozenset({7})
    asking = bench.model.ask

    def slowly(identity: str, rows: Sequence[Any]) -> Answered:
        bench.left -= 10.0
        return asking(identity, rows)

    bench.model.ask = slowly  # type: ignore[method-assign]
    bench.left = 65.0
    assert bench.take(*(record(number, [number]) for number in range(64))) == "4"
    assert bench.left >= 10.0


def test_nothing_is_written_for_which_no_time_is_left(bench: Bench) -> None:
    bench.left = 19.0
    assert bench.take(record(1, b"no JSON"), record(2, [2])) == "1"
    assert bench.results.written == []


def test_an_endpoint_that_stays_in_trouble_holds_up_what_is_behind(bench: Bench) -> None:
    bench.model.says = ['{"predictions": [0, 0, 0, 0]}', *[BUSY] * (len(PAUSES) + 1)]
    assert bench.take(*(record(number, [number]) for number in range(1, 10))) == "5"
    assert len(bench.told()) == 4
    assert tuple(bench.pauses) == PAUSES


def test_nothing_is_waited_for_that_comes_too_late(bench: Bench) -> None:
    bench.left, bench.model.says = 22.5, [BUSY] * 9
    assert bench.take(record(1, [1])) == "1"
    assert bench.pauses == [1.0]
    bench.left = 19.0
    assert bench.take(record(2, [1])) == "2"
    assert len(bench.model.asked) == 2


def test_trouble_while_the_guilty_row_is_looked_for_loses_nothing(bench: Bench) -> None:
    bench.model.says = [REFUSED, '{"predictions": [1, 2]}', BUSY]
    assert bench.take(*(record(number, [number]) for number in (1, 2, 3, 4))) is None
    assert bench.told() == [[1], [2], [3], [4]]


def test_answers_that_cannot_be_written_come_again(bench: Bench) -> None:
    bench.results.failures = [2]
    assert bench.take(*(record(number, [number]) for number in (1, 2, 3, 4))) == "3"


def test_an_answer_too_large_for_the_stream_is_an_error() -> None:
    outcome = Outcome(Source("s", "0", "1", "k"), {"predictions": ["x" * LARGEST_BYTES]})
    assert json.loads(outcome.data())["error"]["status"] == 413


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.integers(0, 9).map(lambda x: [x]), st.just(b"{")), min_size=1, max_size=12),
    st.lists(st.sampled_from([BUSY, REFUSED, FAILED]), max_size=12),
    st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=6),
    st.frozensets(st.integers(0, 9), max_size=2),
)
def test_generated_shards_are_answered_in_order(contents: Any, says: Any, failures: Any, hated: Any) -> None:
    bench = Bench()
    bench.model.says, bench.model.hated, bench.results.failures = list(says), hated, list(failures)
    records = [record(number, content) for number, content in enumerate(contents)]
    for _ in range(99):
        bench.left = 100.0
        again = bench.take(*records)
        if again is None:
            break
        records = [each for each in records if int(each["kinesis"]["sequenceNumber"]) >= int(again)]
    ids = [int(each["source"]["sequence_number"]) for each in bench.results.documents()]
    assert again is None
    assert list(dict.fromkeys(ids)) == list(range(len(contents))), "each is answered, the first time in order"
    for each in bench.results.documents():
        content = contents[int(each["source"]["sequence_number"])]
        if content == b"{":
            assert each["error"]["status"] == 400
        elif "predictions" in each:
            assert each["predictions"] == content


# The stream of answers.


class FakeKinesis:
    """Takes what `refuse` does not refuse."""

    def __init__(self, refuse: Callable[[int, dict[str, Any]], bool] = lambda call, record: False) -> None:
        self.refuse, self.calls, self.taken = refuse, list[list[dict[str, Any]]](), list[dict[str, Any]]()

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
        assert StreamName == "answers"
        assert 0 < len(Records) <= 500
        self.calls.append(Records)
        found = []
        for each in Records:
            if self.refuse(len(self.calls), each):
                found.append({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slowly"})
            else:
                self.taken.append(each)
                found.append({"SequenceNumber": "1", "ShardId": "0"})
        return {"FailedRecordCount": 0, "Records": found}


def put(client: FakeKinesis, keys: str, monkeypatch: pytest.MonkeyPatch) -> int | None:
    monkeypatch.setenv(contract.ENV_OUTPUT_STREAM, "answers")
    outcomes = [
        Outcome(Source("rows", "0", str(number), key), {"predictions": [number]}) for number, key in enumerate(keys)
    ]
    return KinesisResults(lambda _: None, lambda _: None, lambda: client).put(outcomes)


def test_answers_of_one_key_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeKinesis(lambda call, record: call == 1 and record["PartitionKey"] == "a")
    assert put(client, "aabac", monkeypatch) is None
    told = [(each["PartitionKey"], json.loads(each["Data"])["predictions"][0]) for each in client.taken]
    assert [number for key, number in told if key == "a"] == [0, 1, 3]
    assert sorted(number for _, number in told) == [0, 1, 2, 3, 4]


def test_what_was_not_sent_counts_as_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeKinesis(lambda call, record: record["PartitionKey"] == "b")
    assert put(client, "aab", monkeypatch) == 1


def test_a_call_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import EndpointConnectionError

    client, failures = FakeKinesis(), [EndpointConnectionError(endpoint_url="x")] * 2
    taking = client.put_records

    def failing(**request: Any) -> Any:
        if failures:
            raise failures.pop()
        return taking(**request)

    monkeypatch.setattr(client, "put_records", failing)
    assert put(client, "ab", monkeypatch) is None
    failures += [EndpointConnectionError(endpoint_url="x")] * 9
    assert put(client, "ab", monkeypatch) == 0


def test_calls_hold_no_more_than_kinesis_takes() -> None:
    records = [(number, {"Data": b"x" * 2**20, "PartitionKey": "k"}) for number in range(7)]
    assert [len(call) for call in kinesis.calls(records)] == [4, 3]
    many = [(number, {"Data": b"x", "PartitionKey": "k"}) for number in range(1001)]
    assert [len(call) for call in kinesis.calls(many)] == [500, 500, 1]


# The function.


class Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 100_000


def test_the_function_answers_as_lambda_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Runtime:
        failing = False

        def invoke(self, body: bytes, variant: str | None, prediction_id: str, seconds: float) -> Invoked:
            if self.failing:
                raise InvocationError(BUSY, at_fault=True)
            return Invoked(json.dumps({"predictions": [0.5 for _ in json.loads(body)["instances"]]}), "blue")

    runtime, client = Runtime(), FakeKinesis()
    text = {"endpoint": "rain-local", "auth": "iam", "clients": {}, "segments": [], "breaker": {}, "timeout_seconds": 1}
    monkeypatch.setenv(contract.ENV_FRONT_DOOR, json.dumps(text | {"default_answer": {"rain": 0}}))
    monkeypatch.setenv(contract.ENV_OUTPUT_STREAM, "answers")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(wiring, "SageMakerRuntime", lambda *_: runtime)
    monkeypatch.setattr(wiring, "Views", lambda *_: type("None_", (), {"latest": lambda _: None})())
    monkeypatch.setattr(kinesis, "Lazy", lambda *_, **__: lambda: client)
    monkeypatch.setattr("time.sleep", lambda _: None)
    front_door_settings.front_door.cache_clear()
    sys.modules.pop("lambdas.inference.handlers.stream", None)
    stream = importlib.import_module("lambdas.inference.handlers.stream")
    event = {"Records": [record(1, [1.0]), record(2, b"{")]}
    assert stream.handler(event, Context()) == {"batchItemFailures": []}
    assert [each["PartitionKey"] for each in client.taken] == ["k", "k"]
    runtime.failing = True
    with pytest.raises(stream.NothingAnsweredError, match="none of 2 records from rows/shardId-0:1"):
        stream.handler(event, Context())
    alone, behind = {"Records": [record(1, [1.0])]}, {"Records": [record(1, b"{"), record(2, [1.0])]}
    assert stream.handler(alone, Context()) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert stream.handler(behind, Context()) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    front_door_settings.front_door.cache_clear()
