"""What a batch has answered is found by its key, for as long as it is kept."""

import json
from dataclasses import replace
from typing import Any

import pytest
from inference_serving_fakes import SETTINGS as OF_ANY
from inference_serving_fakes import Clock, FakeFlags, FakeTable

from lambdas.inference.asking_by_key import KeyedAnswer, KeyedAnswers, KeyedCall
from lambdas.inference.batch import keyed
from lambdas.inference.batch.settings import Batch
from lambdas.inference.identity import Caller
from lambdas.inference.ports import Ports
from lambdas.inference.problems import Problem

DAY = 86_400
SETTINGS = replace(OF_ANY, batch=Batch(serve_days=30, readers=("shop",)))


class Log:
    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def record(self, line: str) -> None:
        self.lines.append(json.loads(line))

    def warning(self, message: str, **fields: object) -> None:
        pass


class Door:
    """What answers, and what it talks to."""

    def __init__(self) -> None:
        self.table, self.flags, self.log, self.clock = FakeTable(), FakeFlags(), Log(), Clock()
        # What else there is outside is not asked.
        outside, clocks = [None] * 3, [self.clock] * 3
        self.answers = KeyedAnswers(SETTINGS, Ports(None, self.table, *outside, self.flags, self.log, *clocks))  # type: ignore[arg-type]

    def keep(self, key: str, days: int = 30, answer: Any = None) -> None:
        told = {"run": "r", "source": "0:1", "at": self.clock() - 3600, "version": "1.2.0", "model": "package/1"}
        shown = json.dumps(answer or {"rain": 1}, separators=(",", ":"))
        self.table.put(keyed.item(SETTINGS.endpoint, key, shown, told, days))

    def ask(self, sent: str, client: str = "shop") -> KeyedAnswer:
        return self.answers.find(KeyedCall("id-1", Caller(client, {}), None, sent))

    def refusal(self, sent: str, client: str = "shop") -> Problem:
        with pytest.raises(Problem) as found:
            self.ask(sent, client)
        return found.value


@pytest.fixture
def door() -> Door:
    return Door()


def test_an_answer_says_who_gave_it_and_when(door: Door) -> None:
    door.keep("customer-1")
    found = door.ask("customer-1")
    assert json.loads(found.body) == {"prediction": {"rain": 1}}
    assert (found.version, found.time) == ("1.2.0", "Fri, 15 Jan 2027 07:00:00 GMT")


@pytest.mark.parametrize(
    ("sent", "key"),
    [("a%2Fb", "a/b"), ("a%20b", "a b"), ("50%25", "50%"), ("a+b", "a+b"), ("%2541", "%41")],
)
def test_a_key_is_decoded_once(door: Door, sent: str, key: str) -> None:
    door.keep(key)
    assert door.ask(sent).version == "1.2.0"


@pytest.mark.parametrize("sent", ["%FF", "", "%20a", "Zo%C3%AB", "%2E%2E", "a%0Ab", "x" * 257, "%41" * 4000])
def test_bad_keys_are_problems(door: Door, sent: str) -> None:
    assert door.refusal(sent).status == 400
    assert door.table.reads == 0


def test_what_is_not_there_or_has_expired_is_not_found(door: Door) -> None:
    assert door.refusal("customer-1").status == 404
    door.keep("customer-1", days=1)
    door.clock.time += DAY
    assert door.refusal("customer-1").slug == "not-found", "DynamoDB may not have deleted it yet"


def test_a_front_door_that_is_switched_off_refuses_it(door: Door) -> None:
    door.keep("a")
    door.flags.off("front_door")
    assert door.refusal("a").status == 503


def test_a_table_that_cannot_be_read_is_told(door: Door) -> None:
    door.table.away = True
    found = door.refusal("a")
    assert (found.slug, found.headers) == ("unavailable", {"Retry-After": "1"})


def test_a_client_that_is_not_among_its_readers_learns_nothing(door: Door) -> None:
    door.keep("customer-1")
    found = door.refusal("customer-1", "lab")
    assert (found.slug, door.table.reads) == ("forbidden", 0)
    assert "have it added to batch.serve.clients" in found.detail
    assert door.log.lines[0]["status"] == 403


def test_what_nobody_foresaw_is_written_down_as_that(door: Door) -> None:
    door.table.items = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        door.ask("customer-1")
    assert door.log.lines[0]["status"] == 500


def test_it_is_written_down_under_the_key_as_the_subject(door: Door) -> None:
    door.keep("customer-1")
    door.ask("customer-1")
    door.refusal("nobody")
    kept, missing = door.log.lines
    said = {name: kept[name] for name in ("subject", "answer_source", "output", "status", "model_version", "client")}
    assert said == {
        "subject": "customer-1",
        "answer_source": "batch",
        "output": '[{"rain":1}]',
        "status": 200,
        "model_version": "1.2.0",
        "client": "shop",
    }
    assert (missing["subject"], missing["status"], missing["answer_source"]) == ("nobody", 404, "")


def test_without_an_audit_nothing_is_written_down(door: Door) -> None:
    door.answers = KeyedAnswers(replace(SETTINGS, audit=None), door.answers._ports)
    door.keep("a")
    door.ask("a")
    assert door.log.lines == []
