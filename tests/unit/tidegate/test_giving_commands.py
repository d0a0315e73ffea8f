"""Commands to the engine: what is sent, how the answer is found, and what a script learns from the exit status."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from tests.unit.tidegate.states import IDLE, rolling
from tidegate import cli, identity
from tidegate.answers import LONGEST_SECONDS, Asking, Pace
from tidegate.command_events import CommandEvent, put
from tidegate.commands import context as surroundings
from tidegate.errors import OperatorError, UsageError

Run = Callable[..., int]


class Ticking:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def pace(self) -> Pace:
        return Pace(lambda: self.seconds, self.sleep)


@pytest.fixture
def run(account: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command line against the account."""
    account.record(rolling())
    monkeypatch.setattr(surroundings, "open_environment", lambda _: account.aws)
    ticks = iter(range(10**6))
    monkeypatch.setattr("tidegate.commands.giving.Pace", lambda: Pace(lambda: float(next(ticks)), lambda _: None))
    monkeypatch.setattr("tidegate.commands.freezing.Pace", lambda: Pace(lambda: float(next(ticks)), lambda _: None))
    return lambda *argv: cli.main([*argv])


def details(account: Any) -> list[dict[str, Any]]:
    return [json.loads(entry["Detail"]) for entry in account.events.taken]


def event(**changes: Any) -> CommandEvent:
    return CommandEvent(**{"endpoint": "rain-local", "command": "pause", "id": "c-1", "by": "alice", **changes})


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["pause"], {"command": "pause"}),
        (["resume"], {"command": "resume"}),
        (["abort", "--reason", "it smells"], {"command": "abort", "reason": "it smells"}),
        (["retry"], {"command": "retry"}),
        (["promote"], {"command": "promote"}),
        (["promote", "--full"], {"command": "promote", "full": True}),
        (["rollback"], {"command": "rollback"}),
        (["rollback", "--to", "bootstrap"], {"command": "rollback", "to": "bootstrap"}),
        (["approve", "--step"], {"command": "approve"}),
        (["freeze"], {"command": "freeze"}),
        (["unfreeze"], {"command": "unfreeze"}),
        (["pause", "--rollout", "r-7"], {"command": "pause", "rollout": "r-7"}),
    ],
)
def test_what_is_sent(run: Run, account: Any, argv: list[str], expected: Mapping[str, Any]) -> None:
    account.answer()
    assert run(*argv) == 0
    (entry,) = account.events.taken
    assert (entry["Source"], entry["DetailType"]) == ("tidegate.operator", "Tidegate Operator Command")
    (detail,) = details(account)
    assert len(detail.pop("id")) == 36
    assert detail == {"endpoint": "rain-local", "by": "alice", **expected}


def test_every_command_has_an_id_of_its_own_unless_it_is_given_one(run: Run, account: Any) -> None:
    account.answer()
    for argv in (["pause"], ["pause"], ["pause", "--id", "mine", "--by", "the pipeline"]):
        assert run(*argv) == 0
    first, second, third = details(account)
    assert first["id"] != second["id"]
    assert (third["id"], third["by"]) == ("mine", "the pipeline")


def test_the_answer_is_printed(run: Run, account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    account.answer(text="alice paused the rollout.")
    assert run("pause") == 0
    assert capsys.readouterr().out == "alice paused the rollout.\n"


def test_the_answer_as_json(run: Run, account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    account.answer(text="alice paused the rollout.")
    assert run("pause", "-o", "json", "--id", "c-9") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["accepted"] is True
    assert (answer["id"], answer["command"], answer["by"]) == ("c-9", "pause", "alice")
    assert answer["text"] == "alice paused the rollout."


def test_a_refusal_is_3_with_the_reason(run: Run, account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    account.answer(accepted=False, text="alice asked to abort, but a rollout is not under way.")
    assert run("abort") == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "but a rollout is not under way" in said.err
    assert "python -m tidegate status --env local --endpoint rain-local" in said.err


def test_a_refusal_as_json_is_on_stderr(run: Run, account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    account.answer(accepted=False, text="but a rollout is not under way.")
    assert run("abort", "--output=json") == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert json.loads(said.err)["error"] == "but a rollout is not under way."
    assert json.loads(said.err)["next"].startswith("see: python -m tidegate status")


def test_no_answer_in_time_is_1(run: Run, account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pause", "--id", "c-1") == 1
    said = capsys.readouterr().err
    assert "waiting for the answer to pause from rain-local" in said
    assert "in 30 s" in said
    assert "--id c-1" in said


def test_what_was_answered_before_is_not_asked_again(
    run: Run, account: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    account.answer(text="alice paused the rollout.")
    assert run("pause", "--id", "c-1") == 0
    assert run("pause", "--id", "c-1") == 0
    assert len(account.events.taken) == 1
    assert capsys.readouterr().out.count("alice paused the rollout.") == 2


def test_an_id_belongs_to_one_command(run: Run, account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    account.answer()
    assert run("pause", "--id", "c-1") == 0
    assert run("abort", "--id", "c-1") == 2
    assert "was that of the command pause" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["approve"],
        ["approve", "--version", "1.1.0", "--step"],
        ["approve", "--version", "1.1.0", "--rollout", "r"],
        ["approve", "--version", "1.1.0", "--id", "c"],
        ["freeze", "--all", "--endpoint", "rain"],
        ["pause", "--endpoint", "snow"],
        ["pause", "--id", "x" * 129],
        ["pause", "--reason", "x" * 501],
        ["rollback", "--to"],
        ["rollback", "--to", ""],
        ["rollback", "--to", " "],
        ["history", "--limit", "0"],
        ["history", "--limit", "-1"],
        ["promote", "--ful"],
    ],
)
def test_what_is_wrongly_asked_is_2_and_sends_nothing(run: Run, account: Any, argv: list[str]) -> None:
    assert run(*argv) == 2
    assert account.events.taken == []


def test_approve_without_a_choice_names_both(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("approve") == 2
    said = capsys.readouterr().err
    assert "--version V" in said
    assert "--step" in said


def test_what_is_wrongly_asked_is_told_in_json_too(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("pause", "--nonsense", "-o", "json") == 2
    said = json.loads(capsys.readouterr().err)
    assert "--nonsense" in said["error"]
    assert said["next"] == "see: python -m tidegate --help"


def test_nobody_listens_to_a_command_for_an_endpoint_without_a_record(
    run: Run, account: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    account.dynamodb.items.clear()
    assert run("pause") == 1
    account.record(replace(IDLE, retired=True))
    assert run("pause") == 1
    said = capsys.readouterr().err
    assert "is not known to the engine yet" in said
    assert "has been retired" in said
    assert account.events.taken == []


def test_freeze_all_tells_each_endpoint_s_own_answer(
    run: Run, account: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    account.deploy("hail-local")
    account.record(replace(IDLE, name="hail-local"))
    account.answer(text="Frozen.")
    assert run("freeze", "--all", "--reason", "Black Friday", "-o", "json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["endpoint"], row["accepted"], row["text"]) for row in rows] == [
        ("hail-local", True, "Frozen."),
        ("rain-local", True, "Frozen."),
    ]
    assert {detail["reason"] for detail in details(account)} == {"Black Friday"}
    assert len({detail["id"] for detail in details(account)}) == 2


def test_freeze_all_goes_on_when_one_endpoint_cannot_be_reached(
    run: Run, account: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    account.deploy("hail-local")
    account.answer(text="Frozen.")
    assert run("freeze", "--all", "-o", "json") == 1
    hail, rain = json.loads(capsys.readouterr().out)
    assert hail["accepted"] is None
    assert "not known to the engine" in hail["error"]
    assert rain["accepted"] is True


def test_a_refusal_among_all_is_3(run: Run, account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    account.answer(accepted=False, text="It is not.")
    assert run("unfreeze", "--all") == 3
    assert "refused" in capsys.readouterr().out


def test_an_entry_that_the_bus_does_not_take_is_told_with_its_code(account: Any) -> None:
    account.events.failures = [{"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "no"}]
    with pytest.raises(OperatorError, match="NotAuthorizedForSourceException: no") as raised:
        put(account.aws, event(), lambda _: None)
    assert "nothing is done" in raised.value.message
    assert raised.value.hint == "run it again with --id c-1"


def test_an_entry_that_fails_in_passing_is_put_again(account: Any) -> None:
    account.events.failures = [{"ErrorCode": "InternalFailure"}, {"ErrorCode": "ThrottlingException"}]
    naps: list[float] = []
    put(account.aws, event(), naps.append)
    assert len(account.events.taken) == 1
    assert len(naps) == 2


def test_it_is_given_up_when_it_goes_on_failing(account: Any) -> None:
    account.events.failures = [{"ErrorCode": "InternalFailure"}] * 9
    with pytest.raises(OperatorError, match="InternalFailure"):
        put(account.aws, event(), lambda _: None)
    assert len(account.events.failures) == 6


def test_without_an_answer_of_the_bus_nobody_knows(account: Any) -> None:
    account.events.failures = [ReadTimeoutError(endpoint_url="https://events")]
    with pytest.raises(OperatorError) as raised:
        put(account.aws, event(), lambda _: None)
    assert "not known; run it again with --id c-1, it is obeyed once" in raised.value.hint


@pytest.mark.parametrize(
    ("state", "fate"),
    [
        (rolling(), "may still do so"),
        (replace(rolling(), seen=("c-1",)), "it was obeyed"),
    ],
)
def test_without_an_answer_it_says_whether_the_command_is_durable(
    account: Any, endpoint: Any, state: Any, fate: str
) -> None:
    account.record(state)
    with pytest.raises(OperatorError, match=fate):
        Asking(account.aws, endpoint, event(), Ticking().pace, repeated=False).wait()


def test_a_command_that_waits_in_the_item_is_durable(account: Any, endpoint: Any) -> None:
    account.record(rolling())
    waiting: dict[str, Any] = {"id": "c-1", "kind": "pause", "at": 1, "by": "alice"}

    def take(_: Mapping[str, Any]) -> None:
        state = next(item for item in account.dynamodb.items if item["sk"] == "STATE")
        state["commands"] = [waiting]

    account.events.on_event = take
    time = Ticking()
    with pytest.raises(OperatorError, match="it is durable and will be obeyed"):
        Asking(account.aws, endpoint, event(), time.pace, repeated=False).wait()
    assert time.seconds == LONGEST_SECONDS


def test_an_answer_that_comes_between_two_looks_is_found(account: Any, endpoint: Any) -> None:
    account.record(rolling())
    time = Ticking()
    looks: list[float] = []

    def tick(waited: float) -> None:
        looks.append(waited)
        if len(looks) == 3:
            numbers = {"command": "c-1", "name": "pause", "by": "alice", "accepted": True}
            account.audit(11, "Paused.", rollout="260101-100000-003", kind="command", numbers=numbers)

    answer = Asking(account.aws, endpoint, event(), time.pace, repeated=False).wait(tick)
    assert answer.accepted
    assert answer.entry.text == "Paused."
    assert looks == [0.5, 1.0, 1.5]


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:iam::123456789012:user/bob", "bob"),
        ("arn:aws:sts::123456789012:assumed-role/operator/alice@example.com", "alice@example.com"),
        ("arn:aws:iam::123456789012:root", "root"),
    ],
)
def test_who_asks_is_the_last_part_of_the_arn(account: Any, arn: str, expected: str) -> None:
    account.sts.arn = arn
    assert identity.caller(account.aws) == expected


@pytest.mark.parametrize(
    "error",
    [
        ConnectTimeoutError(endpoint_url="https://sts"),
        ClientError({"Error": {"Code": "Throttling", "Message": "m"}}, "GetCallerIdentity"),
    ],
)
def test_who_asks_is_the_machine_s_user_when_sts_does_not_say(
    account: Any, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "carol")
    account.sts.arn = error
    assert identity.caller(account.aws) == "carol (not verified)"


def test_a_text_that_the_engine_would_cut_is_refused() -> None:
    with pytest.raises(UsageError, match="--to has 257"):
        event(to="v" * 257)
    assert event(to="v" * 256).to
