"""batch: orders and their answers, how a run stands, and what became of runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lambdas import contract
from lambdas.inference.batch import items
from lambdas.inference.batch.controller import Controller
from lambdas.inference.batch.events import read_event
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import State, Summary
from tests.unit.inference.batch_world import PLAN, FakeStore, World
from tests.unit.tidegate.conftest import Account
from tidegate import cli
from tidegate.answers import Pace
from tidegate.commands import batch
from tidegate.commands import context as surroundings

TABLE = "tidegate-local-inference"
Run = Callable[..., int]


class TableStore(FakeStore):
    """The controller's store, of which the command line sees the items."""

    def __init__(self, account: Account) -> None:
        super().__init__()
        self._account = account
        account.dynamodb.others[TABLE] = {}

    def save(self, state: State, summaries: Any, plan: Plan) -> State:
        saved = super().save(state, summaries, plan)
        self._account.dynamodb.put_into(TABLE, items.state_item(saved))
        for summary in summaries:
            assert isinstance(summary, Summary)
            self._account.dynamodb.put_into(TABLE, items.run_item(state.name, summary, plan))
        return saved


@pytest.fixture
def world(account: Account) -> World:
    """An endpoint whose batches run, and listen to the account's bus."""
    made = World()
    made.store = TableStore(account)
    object.__setattr__(made.ports, "store", made.store)

    def listen(detail: Mapping[str, Any]) -> None:
        event = {"detail-type": contract.BATCH_COMMAND_DETAIL_TYPE, "id": "e", "time": "2027-01-15T08:00:00Z"}
        said = read_event({**event, "detail": detail}, PLAN, made.time)
        assert said is not None
        Controller(made.ports, PLAN).tell(said)

    account.events.on_event = listen  # type: ignore[assignment]
    return made


@pytest.fixture
def run(account: Account, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command line against the account."""
    monkeypatch.setattr(surroundings, "open_environment", lambda _: account.aws)
    ticks = iter(range(10**6))
    monkeypatch.setattr(batch, "Pace", lambda: Pace(lambda: float(next(ticks)), lambda _: None))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *argv: cli.main(["batch", *argv])


def test_a_run_is_started_shown_and_listed(run: Run, world: World, capsys: Any) -> None:
    assert run("start", "--endpoint", "rain", "--input", "s3://artefacts/rows/", "--id", "c1") == 0
    assert "The run 20270115t080000z-" in capsys.readouterr().out
    assert run("status", "--endpoint", "rain-local", "-o", "json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["under_way"], shown["run"]["status"], shown["run"]["version"]) == (True, "RUNNING", "1.0.0")
    assert run("status") == 0
    assert "now: its rows are being answered" in capsys.readouterr().out
    world.until_over()
    assert run("status") == 0
    told = capsys.readouterr().out
    assert "done" in told
    assert "5 of 5 objects, by version 1.0.0, job 1" in told
    assert "manifest.json" in told
    assert run("list") == 0
    assert "5 of 5" in capsys.readouterr().out


def test_what_waits_is_told_with_its_time(run: Run, world: World, capsys: Any) -> None:
    for identity in ("c1", "c2"):
        assert run("start", "--id", identity, "--by", "alice") == 0
    capsys.readouterr()
    assert run("status", "-o", "json") == 0
    (waiting,) = json.loads(capsys.readouterr().out)["waiting"]
    assert (waiting["id"], waiting["by"]) == ("c2", "alice")
    assert waiting["at"] == "2027-01-15T08:00:00+00:00"


def test_a_command_is_obeyed_once_and_answered_again(run: Run, world: World, account: Account, capsys: Any) -> None:
    for _ in range(2):
        assert run("start", "--id", "c1") == 0
    assert len(account.events.taken) == 1
    assert account.events.taken[0]["DetailType"] == "Tidegate Batch Command"
    assert run("stop", "--id", "c2", "-o", "json") == 0
    capsys.readouterr()
    world.until_over()
    assert world.outcomes == ["stopped"]


def test_what_is_refused_has_its_reason_and_status(run: Run, world: World, capsys: Any) -> None:
    assert run("stop") == 3
    assert "No run is under way" in capsys.readouterr().err
    assert run("start", "--input", "rows") == 3
    assert "must be a folder in S3" in capsys.readouterr().err
    assert run("status") == 0
    assert run("list") == 0
    assert capsys.readouterr().out.count("No batch has been run.") == 2


def test_no_answer_is_told_with_the_way_out(run: Run, world: World, account: Account, capsys: Any) -> None:
    account.events.on_event = lambda _: None
    assert run("start", "--id", "c9") == 1
    assert "run it again with --id c9" in " ".join(capsys.readouterr().err.split())
