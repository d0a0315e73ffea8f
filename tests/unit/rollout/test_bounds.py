"""However much comes in, the endpoint's item stays small, and people are told what can be told."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.sns import SnsNotifier
from lambdas.rollout.decision import with_notice
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import PermanentError, RetryableError
from lambdas.rollout.operators import read_command, take_command
from lambdas.rollout.state import Artefact, Command, Notice, Phase


def test_texts_of_a_command_are_cut_short() -> None:
    long = "x" * 300_000
    detail = {"endpoint": long, "command": long, "id": long, "rollout": long, "by": long, "reason": long}
    name, command = read_command(detail, "e", 5.0)
    sizes = [len(text) for text in (command.id, command.rollout or "", command.by, command.reason, command.kind, name)]
    assert sizes == [128, 128, 128, 500, 128, 128]


def commands(world: Any, kind: str, count: int) -> None:
    for number in range(count):
        take_command(world.ports, "rain-local", Command(f"{kind}-{number}", kind, world.clock.now(), "ops"))


def test_more_commands_than_can_wait_are_refused_and_logged(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    commands(world, "pause", 25)
    assert [command.id for command in world.store.state.commands] == [f"pause-{number}" for number in range(20)]
    assert sum("20 commands wait" in line for line, _ in world.log.lines) == 5
    refused = [entry["numbers"] for entry in world.store.audit if entry["kind"] == "command"]
    assert [each["command"] for each in refused] == [f"pause-{number}" for number in range(20, 25)]
    assert not any(each["accepted"] for each in refused)


def test_command_that_was_refused_for_want_of_room_is_not_obeyed_when_its_event_comes_again(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    commands(world, "pause", 21)
    world.pass_time(60)
    take_command(world.ports, "rain-local", Command("pause-20", "pause", world.clock.now(), "ops"))
    assert world.store.state.commands == ()


def test_command_that_gives_way_to_an_abort_is_said_to_be_refused(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    commands(world, "pause", 20)
    commands(world, "abort", 1)
    [refused] = [entry for entry in world.store.audit if entry["kind"] == "command"]
    assert refused["numbers"]["command"] == "pause-19"
    assert "ops asked to abort" in refused["text"]


def test_abort_is_never_crowded_out(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    commands(world, "pause", 25)
    commands(world, "abort", 1)
    assert len(world.store.state.commands) == 20
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_only_one_rollback_waits_for_each_may_carry_a_large_container(world: Any) -> None:
    commands(world, "rollback", 2)
    assert [command.id for command in world.store.state.commands] == ["rollback-0"]
    assert "another rollback waits" in world.store.texts("command")[0]
    commands(world, "freeze", 1)
    assert world.store.state.commands[-1].kind == "freeze"


def test_item_stays_small_whatever_operators_send(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    long = "ü" * 300_000
    for number in range(100):
        detail = {"endpoint": "rain-local", "command": "pause", "id": f"{number}{long}", "by": long, "reason": long}
        take_command(world.ports, *read_command(detail, "e", world.clock.now()))
        if number % 20 == 19:
            world.pass_time(60)
    assert len(world.store.written["rain-local"]) < 200_000
    assert len(world.store.state.seen) == 50


def test_only_the_latest_notices_wait_when_none_can_be_sent(world: Any) -> None:
    state = world.store.state
    for number in range(50):
        state = with_notice(state, f"subject {number}", "x" * 100_000)
    assert [notice.subject for notice in state.outbox] == [f"subject {number}" for number in range(30, 50)]
    assert len(json.dumps([notice.text for notice in state.outbox])) < 100_000


def test_rollouts_stop_when_too_much_of_the_last_ones_is_left(world: Any) -> None:
    left = tuple(Artefact("model", f"rain-local-{number}", "r") for number in range(700))
    world.sagemaker.refusals = {"delete_model": [PermanentError("AccessDeniedException")] * 10_000}
    world.store.save(replace(world.store.state, artefacts=left), now=0)
    world.approve()
    world.pass_time(200)
    assert world.outcomes == []
    assert "could not be deleted" in world.store.texts("hold")[0]


def test_artefact_that_cannot_be_deleted_does_not_keep_the_others(world: Any) -> None:
    stuck = Artefact("model", "rain-local-stuck", "r0")
    others = tuple(Artefact("model", f"rain-local-{number}", "r") for number in range(3))
    world.store.save(replace(world.store.state, artefacts=(stuck, *others)), now=0)
    delete = world.sagemaker.delete

    def refusing(kind: str, name: str) -> None:
        if name == stuck.name:
            raise PermanentError("AccessDeniedException: sagemaker:DeleteModel")
        delete(kind, name)

    world.sagemaker.delete = refusing
    world.pass_time(600)
    assert world.store.state.artefacts == (stuck,)


def test_notice_that_cannot_be_sent_does_not_block_the_later_ones(world: Any) -> None:
    notices = tuple(Notice(f"{n}", "text") for n in range(3))
    world.store.save(replace(world.store.state, outbox=notices, wake=world.clock.now()), now=0)
    tell = world.notifier.tell

    def refusing(subject: str, text: str) -> None:
        if subject == "0":
            raise PermanentError("InvalidParameter: Subject")
        tell(subject, text)

    world.notifier.tell = refusing
    Engine(world.ports, "me").run("rain-local")
    assert world.notifier.subjects == ["1", "2"]
    assert [notice.subject for notice in world.store.state.outbox] == ["0"]


def test_notices_wait_while_sns_is_down_and_are_sent_once(world: Any) -> None:
    world.notifier.error = RetryableError("ServiceUnavailable")
    notices = tuple(Notice(f"{n}", "text") for n in range(3))
    world.store.save(replace(world.store.state, outbox=notices), now=0)
    world.pass_time(120)
    assert {notice.subject for notice in world.store.state.outbox} == {"0", "1", "2"}
    world.notifier.error = None
    world.pass_time(120)
    assert sorted(world.notifier.subjects) == ["0", "1", "2"]


def test_notice_that_came_in_while_others_were_told_is_not_lost(world: Any) -> None:
    tell = world.notifier.tell

    def told(subject: str, text: str) -> None:
        world.notifier.tell = tell
        state = world.store.state
        world.store.save(replace(state, outbox=(*state.outbox, Notice("meanwhile", "text"))), now=0)
        tell(subject, text)

    world.notifier.tell = told
    world.store.save(replace(world.store.state, outbox=(Notice("before", "text"),)), now=0)
    Engine(world.ports, "me").run("rain-local")
    assert [notice.subject for notice in world.store.state.outbox] == ["meanwhile"]
    world.pass_time(120)
    assert world.notifier.subjects == ["before", "meanwhile"]


class Sns:
    """Takes what is published."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    def publish(self, TopicArn: str, Subject: str, Message: str) -> None:
        self.subjects.append(Subject)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("rain-local: promoted 1.1.0", "rain-local: promoted 1.1.0"),
        ("rain\nlocal:\tpromoted\x07 é", "rain local: promoted? ?"),
        ("x" * 200, "x" * 99),
        ("", "Tidegate"),
    ],
)
def test_subject_is_one_that_sns_takes(monkeypatch: pytest.MonkeyPatch, subject: str, expected: str) -> None:
    monkeypatch.setenv("TIDEGATE_TOPIC_ARN", "arn")
    sns = Sns()
    SnsNotifier(Lazy("sns", lambda service: sns)).tell(subject, "text")
    assert sns.subjects == [expected]
