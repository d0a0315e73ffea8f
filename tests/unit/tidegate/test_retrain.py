"""retrain: orders and their answers, how it stands and why nothing starts, and what became of runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from lambdas import contract
from lambdas.retraining.decide import decide
from lambdas.retraining.decision import Entry
from lambdas.retraining.handlers.events import read_event
from lambdas.retraining.said import Given
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Approval, Champion, Outcome, State, Status, Summary, Window
from lambdas.retraining.state import Run as RetrainingRun
from tests.unit.tidegate.conftest import RETRAINING_TABLE, Account
from tests.unit.tidegate.states import IDLE, NOW, rolling
from tidegate import cli, retraining
from tidegate.answers import Pace
from tidegate.commands import context as surroundings
from tidegate.commands import retrain
from tidegate.retraining import Run as Listed
from tidegate.retraining_status import live_of
from tidegate.retraining_views import in_words
from tidegate.settings import find_endpoint

Run = Callable[..., int]
STATE = State("rain-local", champion="1.1.0", scheduled_from=NOW - 60)
CHAMPION = Champion("2.0.0")
RUN = RetrainingRun("run-00001-abc", "drift", "dew_point drifted", CHAMPION, NOW - 7200, NOW - 600, NOW - 600)
NUMBERS = {
    "champion": {"accuracy": 0.7813},
    "challenger": {"accuracy": 0.8402},
    "gain": 0.0589,
    "p_value": 0.0004,
    "rows": 2000,
}


@pytest.fixture
def run(account: Account, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command line against the account, whose model is retrained."""
    monkeypatch.setattr(surroundings, "open_environment", lambda _: account.aws)
    ticks = iter(range(10**6))
    monkeypatch.setattr(retrain, "Pace", lambda: Pace(lambda: float(next(ticks)), lambda _: None))
    monkeypatch.setattr("time.time", lambda: NOW)
    monkeypatch.setenv("COLUMNS", "160")
    account.declare("retraining")
    account.record(IDLE)
    account.retraining(STATE)
    return lambda *argv: cli.main(["retrain", *argv])


def settings(account: Account) -> Settings:
    return Settings.from_json(account.ssm.parameters["/tidegate/local/retraining/rain-local"])


def obey(account: Account) -> None:
    """Let retraining's own rules answer every order from now on."""

    def answer(detail: Mapping[str, Any]) -> None:
        sent = account.events.taken[-1]
        found = read_event(
            {
                "source": sent["Source"],
                "detail-type": sent["DetailType"],
                "detail": detail,
                "id": "e",
                "time": "2027-01-15T08:00:00Z",
            }
        )
        assert found is not None
        name, said = found
        assert name == "rain-local"
        state = retraining.load(account.aws, find_endpoint(account.aws, "local", None))
        decision = decide(state, Given(said, live_of(IDLE, settings(account))), NOW, settings(account))
        account.retraining(decision.state, *decision.entries)

    account.events.on_event = answer


def shown(run: Run, capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert run(*argv, "-o", "json") == 0
    return json.loads(capsys.readouterr().out)


def test_an_order_is_sent_and_its_answer_told(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    obey(account)
    answer = shown(run, capsys, "start", "--reason", "the autumn was odd", "--id", "c-1")
    (sent,) = account.events.taken
    assert (sent["Source"], sent["DetailType"]) == ("tidegate.operator", "Tidegate Retrain Command")
    assert json.loads(sent["Detail"]) == {
        "endpoint": "rain-local",
        "command": "start",
        "id": "c-1",
        "by": "alice",
        "reason": "the autumn was odd",
    }
    assert (answer["accepted"], answer["command"], answer["by"]) == (True, "start", "alice")
    assert answer["run"].startswith("run-00001-")
    assert "alice ordered it: the autumn was odd" in answer["text"]


def test_an_order_given_again_is_answered_without_being_sent(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    obey(account)
    first = shown(run, capsys, "start", "--reason", "why", "--id", "c-1")
    assert shown(run, capsys, "start", "--reason", "why", "--id", "c-1") == first
    assert len(account.events.taken) == 1


def test_a_refusal_is_3_with_its_reason(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    obey(account)
    account.retraining(replace(STATE, run=RUN))
    assert run("start", "--reason", "why") == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "the run run-00001-abc is under way" in said
    assert "python -m tidegate retrain status --env local --endpoint rain-local" in said
    account.retraining(STATE)
    assert run("stop") == 3
    assert "no run is under way" in capsys.readouterr().err


def test_no_answer_in_time_is_1_with_the_id(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.retraining(STATE, Entry("command", "Another's.", {"command": "c-0", "accepted": True}))
    assert run("start", "--reason", "why", "--id", "c-1") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "no answer to retrain start from rain-local in 30 s" in said
    assert "--id c-1" in said


def test_a_run_has_a_reason(run: Run) -> None:
    assert run("start") == 2


@pytest.mark.parametrize("reason", ["", "  ", "\t\n"])
def test_an_empty_reason_is_refused_with_a_way_out(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str], reason: str
) -> None:
    assert run("start", "--reason", reason) == 2
    assert 'say why, as in --reason "' in capsys.readouterr().err
    assert account.events.taken == []


def then(account: Account, change: Callable[[State], None]) -> None:
    """Let something happen right after an order is obeyed."""
    obey(account)
    answer = account.events.on_event

    def both(detail: dict[str, Any]) -> None:
        answer(detail)
        change(retraining.load(account.aws, find_endpoint(account.aws, "local", None)))

    account.events.on_event = both


def test_a_start_tells_that_the_run_runs(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    def started(state: State) -> None:
        assert state.run is not None
        account.retraining(replace(state, run=replace(state.run, status=Status.RUNNING, execution="arn:execution")))

    then(account, started)
    assert run("start", "--reason", "why", "--id", "c-1") == 0
    assert "It runs: arn:execution." in capsys.readouterr().out
    assert shown(run, capsys, "start", "--reason", "why", "--id", "c-1")["status"] == "RUNNING"


def test_a_start_that_fails_at_once_is_1_with_its_reason(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    def failed(state: State) -> None:
        assert state.run is not None
        account.summarise_run(Summary(state.run, Outcome.FAILED.value, "Nothing was captured.", NOW))
        account.retraining(replace(state, run=None))

    then(account, failed)
    assert run("start", "--reason", "why", "--id", "c-1", "-o", "json") == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["status"] == "failed"
    error = json.loads(told.err)
    assert error["error"].endswith("has failed: Nothing was captured.")
    assert "retrain history" in error["next"]


def test_a_start_that_takes_longer_says_where_to_look(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    obey(account)
    assert run("start", "--reason", "why") == 0
    said = capsys.readouterr().out
    assert "It has not been started yet; see: python -m tidegate retrain status --env local" in said


@pytest.mark.parametrize("argv", [("status",), ("history",)])
def test_an_endpoint_that_is_not_retrained_is_said_to_be_none(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    account.ssm.parameters.pop("/tidegate/local/retraining/rain-local")
    account.dynamodb.others.pop(RETRAINING_TABLE)
    assert run(*argv) == 0
    assert "rain-local is not retrained; add retraining:" in capsys.readouterr().out
    assert run("start", "--reason", "why") == 1
    assert account.events.taken == []


def test_nothing_asks_for_a_run(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    found = shown(run, capsys, "status")
    assert (found["retrained"], found["run"], found["cause"], found["against"]) == (True, None, None, None)
    assert (found["month_runs"], found["monthly_runs"]) == (0, 8)
    assert run("status") == 0
    said = capsys.readouterr().out
    assert "no run is under way, and nothing asks for one" in said
    assert "2 of 3 windows with 2 severe features or more; now 0 of 0" in said
    assert "0 of 8 runs of this month are used" in said


def drifted(*severe: int) -> tuple[Window, ...]:
    names = ("dew_point", "pressure", "wind")
    return tuple(
        Window(f"w{number}", NOW - 600 + 60 * number, NOW - 540 + 60 * number, "severe", many, names[:many])
        for number, many in enumerate(severe)
    )


def test_the_cool_down_is_told_with_its_end(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    state = replace(STATE, windows=drifted(2, 1, 3), last_ended_at=NOW - 1800, last_run="run-00001-abc")
    account.retraining(state)
    found = shown(run, capsys, "status")
    assert found["cause"]["trigger"] == "drift"
    assert found["against"]["why"] == "cooling down"
    assert found["cooldown_until"] == "2027-01-15T08:30:00+00:00"
    assert found["against_operator"] is None
    assert [each["counts"] for each in found["windows"]] == [True, False, True]
    assert run("status") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "no run starts though 2 of the last 3 windows had 2 or more severely drifted features" in said
    assert "now 2 of 3" in said


def test_a_spent_budget_holds_up_operators_too(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.retraining(replace(STATE, month="2027-01", month_runs=8))
    found = shown(run, capsys, "status")
    assert (found["against"]["why"], found["against_operator"]["why"]) == ("budget", "budget")
    assert run("status") == 0
    assert "an operator could start none either: 8 of 8 runs of 2027-01" in capsys.readouterr().out


def test_last_month_s_runs_are_not_counted(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.retraining(replace(STATE, month="2026-12", month_runs=8))
    assert shown(run, capsys, "status")["month_runs"] == 0


def test_a_rollout_that_is_under_way_holds_a_run_up(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.record(rolling())
    assert "1.2.0 is being rolled out" in shown(run, capsys, "status")["against"]["text"]


def test_a_run_that_is_under_way(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.retraining(replace(STATE, run=replace(RUN, execution="arn:execution", problem="throttled", attempts=2)))
    found = shown(run, capsys, "status")["run"]
    assert (found["id"], found["trigger"], found["champion"]) == ("run-00001-abc", "drift", "2.0.0")
    assert found["started_at"] == "2027-01-15T07:50:00+00:00"
    assert run("status") == 0
    said = capsys.readouterr().out
    assert "the run run-00001-abc is under way (INTENDED) for 10 min" in said
    assert "because dew_point drifted" in said
    assert "throttled" in said


def test_an_approval_that_is_under_way(run: Run, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.retraining(replace(STATE, approval=Approval("arn:2", "2.1.0", "run-00001-abc", "2.0.0", "better")))
    assert run("status") == 0
    assert "2.1.0, which the run run-00001-abc registered, is just being approved" in capsys.readouterr().out


def test_the_runs_with_what_was_measured_in_words(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.summarise_run(Summary(RUN, Outcome.REGISTERED.value, "It is better.", NOW, {**NUMBERS, "version": "2.1.0"}))
    account.summarise_run(Summary(replace(RUN, id="run-00002-def", decided_at=NOW)))
    first, second = shown(run, capsys, "history")["runs"]
    assert (first["outcome"], first["version"], first["champion"]) == ("registered", "2.1.0", "2.0.0")
    assert (second["outcome"], second["ended_at"]) == (None, None)
    assert run("history") == 0
    table = " ".join(capsys.readouterr().out.split())
    assert "10 min" in table
    assert "under way" in table
    assert run("status") == 0
    assert "last: It is better." in capsys.readouterr().out


def test_numbers_in_words() -> None:
    listed = Listed("r", "why", "", "", "registered", "2.1.0", numbers=NUMBERS, champion="2.0.0")
    assert in_words(listed) == (
        "accuracy 84.0% against 78.1% of 2.0.0 (+5.9 points, p = 0.0004) on 2,000 held-out rows"
    )
    assert in_words(replace(listed, numbers={**NUMBERS, "p_value": None})) == (
        "accuracy 84.0% against 78.1% of 2.0.0 (+5.9 points) on 2,000 held-out rows"
    )
    assert in_words(replace(listed, numbers={})) == ""
    assert "(+5.9 points, p < 0.0001)" in in_words(replace(listed, numbers={**NUMBERS, "p_value": 0.00004}))


@pytest.mark.parametrize(
    "text", ["Run r registered 2.1.0. It waits for a person: its gain may be chance.", "its gain may be chance."]
)
@pytest.mark.parametrize("order", ["status", "history"])
def test_what_waits_for_a_person_is_told_with_the_command(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str], order: str, text: str
) -> None:
    account.summarise_run(Summary(RUN, Outcome.REGISTERED.value, "It is better.", NOW, {**NUMBERS, "version": "2.1.0"}))
    account.retraining(STATE, Entry("approval", text, {"status": "PendingManualApproval"}, run=RUN.id))
    package = account.sagemaker.create_model_package(
        ModelPackageGroupName="rain-local",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={"Containers": [{"Image": "image", "ModelDataUrl": "s3://model"}]},
        CustomerMetadataProperties={contract.PACKAGE_VERSION_KEY: "2.1.0"},
    )
    command = "python -m tidegate approve --version 2.1.0 --env local --endpoint rain-local"
    assert shown(run, capsys, order)["waiting"] == [
        {"run": RUN.id, "version": "2.1.0", "why": "its gain may be chance.", "command": command}
    ]
    assert run(order) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2.1.0, which the run run-00001-abc registered: It waits for a person: its gain may be chance." in said
    assert command in said
    account.sagemaker.update_model_package(**package, ModelApprovalStatus="Rejected")
    assert shown(run, capsys, order)["waiting"] == []


def test_the_audit_trail_is_shown_when_asked_for(
    run: Run, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    account.retraining(
        STATE, Entry("refused", "No run starts.", {"why": "budget"}), Entry("command", "No.", {"by": "bob"})
    )
    assert shown(run, capsys, "history")["entries"] == []
    entries = shown(run, capsys, "history", "--trail")["entries"]
    assert [each["text"] for each in entries] == ["No run starts.", "No."]
    assert run("history", "--trail") == 0
    said = capsys.readouterr().out
    assert "there has been no run yet" in said
    assert "bob" in said
