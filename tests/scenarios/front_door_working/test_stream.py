"""Rows in one stream, answers in another: each at least once, in its key's order, whatever the endpoint does."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.scenarios.front_door_working.working import Door, days

KEYS = ("north", "south", "east")
EVER = 1_000_000


@dataclass
class Streams:
    """The two streams, as those know them who write rows and read answers.

    Parameters
    ----------
    door
        The endpoint.
    kinesis
        A client.
    sent
        Sequence numbers of the records that were written, in order, by their keys.
    answers
        Answers so far, in order, by the records' keys.
    """

    door: Door
    kinesis: Any
    sent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    _iterator: str = ""

    def write(self, contents: list[Any]) -> list[str]:
        """Write records, each under another key; return their sequence numbers."""
        return [self._put(each, KEYS[place % len(KEYS)]) for place, each in enumerate(contents)]

    def _put(self, content: Any, key: str) -> str:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        put = self.kinesis.put_record(StreamName=self.door.described["rows"], Data=data, PartitionKey=key)
        number: str = put["SequenceNumber"]
        self.sent[key].append(number)
        return number

    def read(self) -> dict[str, dict[str, Any]]:
        """Read on; return the first answer to each record, by its sequence number."""
        if not self._iterator:
            self._iterator = self._begin()
        got = self.kinesis.get_records(ShardIterator=self._iterator)
        self._iterator = got["NextShardIterator"]
        for record in got["Records"]:
            answer = json.loads(record["Data"])
            assert record["PartitionKey"] == answer["source"]["partition_key"]
            self.answers[record["PartitionKey"]].append(answer)
        first: dict[str, dict[str, Any]] = {}
        for found in self.answers.values():
            for answer in found:
                first.setdefault(answer["source"]["sequence_number"], answer)
        return first

    def _begin(self) -> str:
        name = self.door.described["answers"]
        (shard,) = self.kinesis.describe_stream(StreamName=name)["StreamDescription"]["Shards"]
        iterator: str = self.kinesis.get_shard_iterator(
            StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return iterator

    def await_answers(self, numbers: list[str]) -> list[dict[str, Any]]:
        """Wait until records are answered; return their first answers, in order."""
        found = self.door.loop.wait_for(lambda: self._if_all(numbers), "the answers")
        return [found[number] for number in numbers]

    def _if_all(self, numbers: list[str]) -> dict[str, dict[str, Any]] | None:
        found = self.read()
        return found if found.keys() >= set(numbers) else None

    def check_order(self) -> None:
        """Check that answers of a key came in its records' order, and that one record's are alike in what they are."""
        for key, answers in self.answers.items():
            first = list(dict.fromkeys(each["source"]["sequence_number"] for each in answers))
            assert first == self.sent[key], key
            ids = {(each["id"], each["source"]["sequence_number"]) for each in answers}
            assert len(ids) == len(first)


@pytest.fixture(scope="module")
def streams(queued: Door) -> Streams:
    """The endpoint's streams."""
    return Streams(queued, queued.loop.cloud.client("kinesis"))


@pytest.fixture(autouse=True)
def in_order(streams: Streams) -> Iterator[None]:
    """After each test, all that has been answered was answered in order."""
    yield
    streams.check_order()


def test_records_are_answered_as_the_model_answers_their_rows(streams: Streams) -> None:
    rows = days(20, first=300)
    bodies: list[Any] = [*rows, {"instances": rows[:3]}]
    answers = streams.await_answers(streams.write(bodies))
    expected = [streams.door.directly(row) for row in rows]
    assert [each["predictions"] for each in answers] == [*expected, [part for one in expected[:3] for part in one]]
    assert len({each["id"] for each in answers}) == len(answers)
    assert {each["model_version"] for each in answers} == {streams.door.predict(rows[:1]).version}


def test_poison_is_answered_with_an_error_and_stops_nobody(streams: Streams) -> None:
    good = days(6, first=330)
    poison = [b"no JSON", b"\xff\xfe", b"", [1, 2], {"instances": []}, ["x"] * 8, b"[NaN,1,1,1,1,1,1,1]", 7]
    mixed: list[Any] = [each for pair in zip(good, poison[:6], strict=True) for each in pair] + poison[6:]
    answers = streams.await_answers(streams.write(mixed))
    for content, answer in zip(mixed, answers, strict=True):
        if content in good:
            assert answer["predictions"] == streams.door.directly(content)
        else:
            assert answer["error"]["type"].startswith("urn:tidegate:problem:invalid"), answer
            assert "predictions" not in answer


def test_endpoint_in_trouble_halts_the_stream_until_it_answers_again(streams: Streams) -> None:
    (variant,) = streams.door.loop.weights()
    rows = days(12, first=350)
    streams.door.loop.cloud.faults.fail_answers(variant, EVER, endpoint=streams.door.name)
    numbers = streams.write(rows)
    function = streams.door.function("stream")
    streams.door.loop.wait_for(lambda: _asked(streams.door) > 1, "the endpoint to be asked again")
    assert not set(numbers) & streams.read().keys()
    assert streams.door.loop.cloud.functions.kill(function), "its worker is killed as well"
    streams.door.loop.cloud.faults.clear()
    answers = streams.await_answers(numbers)
    assert [each["predictions"] for each in answers] == [streams.door.directly(row) for row in rows]


def _asked(door: Door) -> int:
    (fault,) = door.loop.cloud.faults.endpoints._answers
    return EVER - int(fault.times)


def test_killed_workers_and_containers_leave_no_record_without_its_answer(streams: Streams) -> None:
    rows = days(40, first=380)
    function = streams.door.function("stream")
    numbers = []
    with streams.door.loop.killing(function, times=2) as killed:
        for first in range(0, len(rows), 10):
            numbers += streams.write(rows[first : first + 10])
            if first == 20:
                assert streams.door.kill_containers()
        answers = streams.await_answers(numbers)
    assert killed
    assert [each["predictions"] for each in answers] == [streams.door.directly(row) for row in rows]
