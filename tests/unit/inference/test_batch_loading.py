"""Answers of batches get under their keys once, whoever is killed on the way, and never over a newer run's."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas import contract
from lambdas.inference.adapters.attributes import written
from lambdas.inference.batch import keyed, loading, loads
from lambdas.inference.batch.adapters.answers import DynamoAnswers
from lambdas.inference.batch.adapters.files import S3Lines, split
from lambdas.inference.batch.keyed import CSV, JSON_LINES, UnusableLineError
from lambdas.inference.batch.loading import BLOCK, LONGEST_LINE, Line, Loader, Outcome, Task
from lambdas.inference.batch.objects import Input, Stored
from lambdas.inference.batch.settings import Batch, Plan
from lambdas.inference.batch.state import Model, Run, Wish
from lambdas.rollout.errors import RetryableError

ENDPOINT, BUCKET, TABLE, AT = "rain-local", "artefacts", "inference", 1_800_000_000.0
PLAN = Plan(ENDPOINT, BUCKET, Batch(serve_days=30))
RUN = Run(
    "run-1",
    Wish("c1", "s3://in/rows/", CSV, "operator", "anna", AT),
    AT,
    model=Model("m", "1.0", "package/1", width=8, outputs=("p",)),
)
TASK = Task(BUCKET, "answers", "load/", 0, "run-1", AT, "1.0", "package/1", CSV, ("probability", "rain"))


class CrashError(BaseException):
    """The function is killed."""


@dataclass
class World:
    """A file, a table and what was said, each call of which may be the last."""

    content: bytes
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: dict[str, bytes] = field(default_factory=dict)
    calls: int = 0
    crash_at: int | None = None
    crash_after: bool = False
    blocks: int = 1_000
    throttled: int = 0

    def loader(self) -> Loader:
        left = iter(range(self.blocks))
        return Loader(ENDPOINT, 30, self, self, self, lambda: next(left, None) is not None)  # type: ignore[arg-type]

    def lines(self, bucket: str, key: str, byte: int, longest: int) -> Iterator[Line]:
        return split(iter([self.content[byte:]]), byte, longest)

    def put(self, items: Sequence[dict[str, Any]]) -> list[Outcome]:
        self._called(before=True)
        if self.throttled:
            self.throttled -= 1
            raise RetryableError("throttled")
        done = []
        for place, item in enumerate(items):
            # Half of them are written when the function is killed.
            if self.calls == self.crash_at and place == len(items) // 2:
                raise CrashError
            done.append(self._put(item))
        self._called(before=False)
        return done

    def _put(self, item: dict[str, Any]) -> Outcome:
        there = self.items.get(item["pk"])
        if (
            there is None
            or there["at"] < item["at"]
            or (there["run"], there["source"]) == (item["run"], item["source"])
        ):
            self.items[item["pk"]] = item
            return Outcome.LOADED
        return Outcome.REPEATED if there["run"] == item["run"] else Outcome.SUPERSEDED

    def write(self, bucket: str, key: str, content: bytes) -> None:
        self._called(before=True)
        self.said[key] = content
        self._called(before=False)

    def _called(self, *, before: bool) -> None:
        self.calls += before
        if self.calls == self.crash_at and before != self.crash_after:
            raise CrashError

    def load_all(self, task: Task = TASK) -> None:
        """Load to the end, as the state machine does: what fails begins again where it began."""
        while not task.done:
            try:
                task = self.loader().load(task)
            except (CrashError, RetryableError):
                self.crash_at = None

    @property
    def answers(self) -> dict[str, Any]:
        return {key.split("#", 2)[2]: json.loads(item["answer"]) for key, item in self.items.items()}

    @property
    def summed_up(self) -> dict[str, Any]:
        results = loads.read(body for key, body in sorted(self.said.items()) if key.endswith(loads.RESULT))
        return loads.summed_up(PLAN, results, 1)


def rows(count: int, prefix: str = "k") -> bytes:
    return b"".join(f"{prefix}{number},0.{number},{number % 2}\n".encode() for number in range(count))


MANY = rows(3 * BLOCK + 7) + b"k1,0.5,1\n,0.1,0\n" + b"bell\a,0.1,0\n" + b"k2,0.7,0\n"


def test_answers_are_kept_under_their_keys_with_all_that_is_said_of_them() -> None:
    world = World(b'customer-1,0.25,1\r\n"a,""b""",1e-3,0\n\n')
    world.load_all()
    assert world.answers == {"customer-1": {"probability": 0.25, "rain": 1}, 'a,"b"': {"probability": 0.001, "rain": 0}}
    assert world.items["PREDICTION#rain-local#customer-1"] == {
        "pk": "PREDICTION#rain-local#customer-1",
        "sk": "BATCH",
        "answer": '{"probability":0.25,"rain":1}',
        "run": "run-1",
        "source": "0:1",
        "at": AT,
        "version": "1.0",
        "model": "package/1",
        "expires": int(AT) + 30 * 86_400,
    }


def test_of_two_rows_with_one_key_side_by_side_the_first_is_kept() -> None:
    world = World(b"k1,0.1,0\nk2,0.2,1\nk1,0.3,1\n")
    world.load_all()
    assert world.answers["k1"] == {"probability": 0.1, "rain": 0}
    assert [(each["line"], each["key"]) for each in world.summed_up["findings"]] == [(3, "k1")]


def test_bad_and_repeated_keys_are_findings_by_line_and_no_row_is_lost() -> None:
    world = World(MANY)
    world.load_all()
    found = world.summed_up
    assert (found["rows"], found["loaded"], found["bad"], found["repeated"]) == (3 * BLOCK + 11, 3 * BLOCK + 7, 2, 2)
    said = {each["line"]: each["why"] for each in found["findings"]}
    first = 3 * BLOCK + 8
    assert set(said) == {first, first + 1, first + 2, first + 3}
    assert "another row of the run has the key" in said[first]
    assert "printable" in said[first + 2]
    assert world.answers["k1"] == {"probability": 0.1, "rain": 1}, "the first row of a key is the one that counts"
    everything = b"".join(world.said[place] for place in found["all_findings"])
    assert len(everything.splitlines()) == 4


def test_killed_at_any_call_all_is_loaded_as_if_nothing_had_been() -> None:
    calm = World(MANY, blocks=1)
    calm.load_all()
    assert calm.calls > 6
    for crash_at in range(1, calm.calls + 1):
        for after in (False, True):
            world = World(MANY, blocks=1, crash_at=crash_at, crash_after=after)
            world.load_all()
            assert world.crash_at is None, "nobody was killed"
            assert world.items == calm.items
            assert world.summed_up == calm.summed_up, (crash_at, after)


def test_loading_twice_is_loading_once() -> None:
    world = World(MANY)
    world.load_all()
    before, said = dict(world.items), world.summed_up
    world.load_all()
    assert (world.items, world.summed_up) == (before, said)


def test_a_newer_run_replaces_answers_and_an_older_one_never_does() -> None:
    world = World(rows(3))
    newer = replace(TASK, run="run-2", at=AT + 60, version="2.0")
    world.load_all(newer)
    world.load_all()
    assert {item["version"] for item in world.items.values()} == {"2.0"}
    assert world.summed_up["superseded"] == 3
    world.load_all(replace(newer, run="run-3", at=AT + 120, version="3.0"))
    assert {item["version"] for item in world.items.values()} == {"3.0"}


def test_it_stops_in_time_and_goes_on_at_the_next_byte() -> None:
    world = World(MANY, blocks=1)
    task = world.loader().load(TASK)
    assert (task.done, task.line) == (False, 2 * BLOCK), "one block there is always time for"
    assert task.byte == len(b"".join(MANY.splitlines(keepends=True)[: 2 * BLOCK]))


def test_what_was_loaded_before_the_table_refused_more_counts() -> None:
    world = World(MANY, throttled=1)
    with pytest.raises(RetryableError):
        world.loader().load(TASK)
    task = world.loader().load(TASK)
    assert task.done
    late = World(MANY)
    put = late.put
    late.put = lambda items: put(items) if late.calls < 2 else _refuse()  # type: ignore[method-assign]
    assert late.loader().load(TASK).line == 2 * BLOCK


def _refuse() -> list[Outcome]:
    raise RetryableError("throttled")


def test_a_line_that_no_item_can_hold_is_a_finding() -> None:
    world = World(b"a," + b"1" * LONGEST_LINE + b"\nb,0.5,1\n")
    world.load_all()
    assert set(world.answers) == {"b"}
    assert "no more" in world.summed_up["findings"][0]["why"]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_lines_are_the_same_however_the_file_comes(size: int) -> None:
    content = b"one\n\ntwo\r\n" + b"x" * 50 + b"\nlast"
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    found = list(split(iter(pieces), 0, 20))
    assert [line.content for line in found] == [b"one", b"", b"two\r", None, b"last"]
    assert [line.end for line in found] == [4, 5, 10, 61, len(content)]


@pytest.mark.parametrize("key", ["", " a", "a ", "a\nb", "\a", "x" * 257, "Zoë", ".", ".."])
def test_keys_that_cannot_be_asked_for_are_no_keys(key: str) -> None:
    assert not keyed.usable(key)


def test_lines_of_json_carry_key_and_answer() -> None:
    line = json.dumps({"key": "zoe/1", "SageMakerOutput": {"rain": [1, 2]}}).encode()
    assert keyed.read_line(line, JSON_LINES, ()) == ("zoe/1", '{"rain":[1,2]}')
    for wrong in (b"{}", b"[]", b'{"key": 7, "SageMakerOutput": 1}', b"\xff", b"no"):
        with pytest.raises(UnusableLineError):
            keyed.read_line(wrong, JSON_LINES, ())


def test_cells_without_names_are_a_list() -> None:
    assert keyed.read_line(b"k,0.1,0.9,sun,nan", CSV, ("p", "label")) == ("k", '[0.1,0.9,"sun",null]')


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"k,1e999", CSV),
        (b'{"key": "k", "SageMakerOutput": 1e999}', JSON_LINES),
        (b'{"key": "k", "SageMakerOutput": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON_LINES),
        (b"k," + b"\x01" * 60_000, CSV),
    ],
    ids=["infinite", "infinite in JSON", "deep", "larger when written"],
)
def test_an_answer_that_no_item_can_hold_is_a_finding(line: bytes, kind: str) -> None:
    with pytest.raises(UnusableLineError):
        keyed.read_line(line, kind, ())


def test_text_takes_the_room_in_an_item_that_it_had_in_the_file() -> None:
    text = "é" * 120_000
    assert keyed.read_line(f"k,{text}".encode(), CSV, ()) == ("k", f'["{text}"]')


def test_batch_transform_takes_keys_off_and_puts_them_before_answers() -> None:
    assert keyed.data_processing(CSV, 8) == {
        "InputFilter": "$[1:]",
        "JoinSource": "Input",
        "OutputFilter": "$[0,9:]",
    }
    assert keyed.data_processing(JSON_LINES, 0)["OutputFilter"] == "$['key','SageMakerOutput']"


def test_what_is_left_is_told_by_what_was_said_from_the_beginning_on() -> None:
    recorded = Input("in", "rows/", tuple(Stored(f"rows/{name}", 9, name) for name in "abc"))
    first = {"file": 0, "from": 0, "to": 50, "lines": 5, "done": False}
    results = [
        first,
        {**first, "from": 50, "to": 90, "lines": 9, "done": True},
        # Somebody was killed behind byte 40 and followed by somebody who got to 60.
        {**first, "file": 1, "to": 60, "lines": 6},
        {**first, "file": 1, "from": 40, "to": 70, "lines": 7},
    ]
    left = loads.tasks(PLAN, RUN, recorded, results)
    assert [(task.file, task.byte, task.line) for task in left] == [(1, 60, 6), (2, 0, 0)]
    assert left[0].key == "batch/rain-local/run=run-1/part=0/b.out"
    assert json.loads(loading.written(left))[0]["outputs"] == ["p"]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(contract.ENV_INFERENCE_TABLE, TABLE)
    with mock_aws():
        client = boto3.client("dynamodb")
        keys = (("pk", "HASH"), ("sk", "RANGE"))
        client.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def answer(key: str, run: str = "run-1", source: str = "0:1", at: float = AT) -> dict[str, Any]:
    told = {"run": run, "source": source, "at": at, "version": run, "model": "m"}
    return keyed.item(ENDPOINT, key, '{"rain":1}', told, 30)


def test_the_table_keeps_the_newest_runs_first_row(table: Any) -> None:
    answers = DynamoAnswers(table, lambda: 10.0)
    assert answers.put([answer("a"), answer("b", source="0:2")]) == [Outcome.LOADED, Outcome.LOADED]
    assert answers.put([answer("a")]) == [Outcome.LOADED], "again, as after a kill"
    assert answers.put([answer("a", source="1:1")]) == [Outcome.REPEATED]
    assert answers.put([answer("a", "run-2", at=AT + 0.001)]) == [Outcome.LOADED]
    assert answers.put([answer("a")]) == [Outcome.SUPERSEDED]
    found = table.get_item(TableName=TABLE, Key=written({"pk": "PREDICTION#rain-local#a", "sk": "BATCH"}))["Item"]
    assert found["run"] == {"S": "run-2"}


class Throttling:
    """DynamoDB that has had enough, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def put_item(self, **_: Any) -> None:
        from botocore.exceptions import ClientError

        if self.times:
            self.times -= 1
            raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "m"}}, "PutItem")


def test_what_is_throttled_is_written_after_longer_and_longer_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(contract.ENV_INFERENCE_TABLE, TABLE)
    pauses: list[float] = []
    patient = DynamoAnswers(Throttling(6), lambda: 60.0, pauses.append)
    assert patient.put([answer("a")]) == [Outcome.LOADED]
    assert len(pauses) == 6
    assert all(0.5 * 0.05 * 2**number <= pause <= 0.05 * 2**number for number, pause in enumerate(pauses))
    with pytest.raises(RetryableError):
        DynamoAnswers(Throttling(9), lambda: 0.0, pauses.append).put([answer("a")])


def test_files_are_read_from_any_byte_on(table: Any) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="answers", Body=MANY)
    at = MANY.index(b"\n", 5_000) + 1
    found = list(S3Lines(lambda: s3).lines(BUCKET, "answers", at, LONGEST_LINE))
    assert [line.content for line in found] == MANY[at:].splitlines()
    assert found[-1].end == len(MANY)
    assert list(S3Lines(lambda: s3).lines(BUCKET, "answers", len(MANY), LONGEST_LINE)) == []
