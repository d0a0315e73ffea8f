"""The operators' page says what the command line does."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lambdas import contract
from lambdas.monitoring.settings import Settings as Monitoring
from lambdas.retraining.said import Live as Champion
from lambdas.retraining.settings import Settings as Retraining
from lambdas.retraining.state import Champion as Version
from lambdas.retraining.state import State as RetrainingState
from lambdas.rollout.judge import Finding, Judgement, Tally, Verdict
from tests.docs.pages import Page
from tests.unit.tidegate.conftest import DECLARED, Account
from tests.unit.tidegate.states import FREEZE, NEXT, NOW, rolling
from tidegate import cli, documents, drift_views, retraining_status
from tidegate.answers import Answer
from tidegate.command_events import CommandEvent, RetrainEvent
from tidegate.commands.labels import document as labels_document
from tidegate.commands.retrain import answer_document
from tidegate.drift import Due, Window
from tidegate.live import Alarm, Live, Variant
from tidegate.models import archiving, showing, views
from tidegate.models.differing import compare
from tidegate.models.files import Files
from tidegate.models.record import Record
from tidegate.models.standing import Standing
from tidegate.parser import EXIT_STATUSES
from tidegate.registry import Package
from tidegate.retraining import Entry, Run
from tidegate.retraining_answers import Answer as RetrainAnswer
from tidegate.retraining_approvals import Waiting
from tidegate.rollouts import AuditEntry, Rollout
from tidegate.settings import find_endpoint
from tidegate.snapshot import NEW, Snapshot, VariantView

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operators.md").read_text()
ENTRY = AuditEntry("AUDIT#r#00000001", "2026-01-01T00:00:00+00:00", "r", "BAKE", "note", "Text.", {"by": "alice"})
SUMMARY = Rollout("r", "model", "1.2.0", "green", "BAKE", "", "", "2026-01-01T00:00:00+00:00", "")
FINDING = Finding("5xx", Tally(31, 1204), Tally(204, 22870), 12, 6.0, 6.0, -1.0, 1.0)
JUDGEMENT = Judgement(Verdict.HOLD, (FINDING,), str(FINDING))
VARIANT = Variant("green", 25.0, 25.0, 1, 1)
ALARM = Alarm("rain-local-green-unhealthy", "OK", NOW, "")
SNAPSHOT = Snapshot(
    at=NOW,
    endpoint=Live("rain-local", "InService", "rain-local-mixed", "", (VARIANT,)),
    state=replace(rolling(judged=JUDGEMENT.numbers), frozen=FREEZE, queued=NEXT),
    policy=rolling().rollout.policy,  # type: ignore[union-attr]  # it has one
    latest=SUMMARY,
    variants=(VariantView(VARIANT, "1.2.0", NEW, 0.25, (ALARM,)),),
)
PACKAGE = Package("arn", 1, "1.2.0", "Approved", "Completed", "image", "s3://model", datetime(2026, 1, 1, tzinfo=UTC))
STATUS = documents.status(SNAPSHOT, [ENTRY])
STEP = STATUS["rollout"]["plan"][2]
ANSWER = documents.answer(Answer(CommandEvent("rain-local", "pause", "c", "alice"), True, ENTRY))


ACCOUNT = Account()
ACCOUNT.deploy()
ENDPOINT = find_endpoint(ACCOUNT.aws, "local", None)
RECORD = Record(PACKAGE)
LISTED = showing.row(showing.row_of(RECORD, Standing(None), Files(ACCOUNT.aws)))
SHOWN = showing.whole(ACCOUNT.aws, ENDPOINT, RECORD, Standing(None))
WINDOW = drift_views.window_document(Window("", "", "none", 1, "1.2.0"), {})
DRIFT = drift_views.windows_document(
    "rain-local", Monitoring.from_json(json.dumps({"endpoint": "e", **DECLARED["monitoring"]})), Due(NOW, NOW), ()
)
RETRAINING = Retraining.from_json(json.dumps({"endpoint": "e", **DECLARED["retraining"]}))
RETRAIN = retraining_status.document(
    "rain-local",
    retraining_status.standing(RETRAINING, RetrainingState("rain-local"), Champion(Version("1.2.0")), (), NOW),
)
RETRAIN_ANSWER = answer_document(
    RetrainAnswer(RetrainEvent("rain-local", "start", "c", "alice"), True, Entry("", "", "command", ""))
)


@pytest.mark.parametrize(
    ("command", "document"),
    [
        ("`list`", documents.row(SNAPSHOT)),
        ("`list`", documents.lost_row("rain-local", "gone")),
        ("`status`", STATUS),
        ("... `live`", STATUS["live"]),
        ("... `variants`", STATUS["variants"][0]),
        ("... `alarms`", STATUS["variants"][0]["alarms"][0]),
        ("... `rollout`", STATUS["rollout"]),
        ("... `judgement`", STATUS["rollout"]["judgement"]),
        ("... `findings`", STATUS["rollout"]["judgement"]["findings"][0]),
        ("... `plan`", STEP),
        ("... `gates`", STEP["gates"][0]),
        ("... `frozen`", STATUS["frozen"]),
        ("... `queued`", STATUS["queued"]),
        ("... `rollouts`, `latest`", documents.summary(SUMMARY)),
        ("... `entries`, `trail`", documents.entry(ENTRY)),
        ("every command", ANSWER),
        ("`approve --version`", documents.decided(PACKAGE, "Approved", changed=True)),
        ("... `package`", documents.package(PACKAGE)),
        ("`models list`", LISTED),
        ("`models show`", {name: value for name, value in SHOWN.items() if name not in LISTED}),
        ("`models diff`", vars(compare(RECORD, RECORD, Files(ACCOUNT.aws)))),
        ("`models deprecate`", views.verdict_document(archiving.Verdict(RECORD, archiving.KEEP, "why"), dry_run=True)),
        ("`drift`", DRIFT),
        ("`drift`", drift_views.windows_document("rain-local", None, None, ())),
        ("... `windows`; `drift --window`", WINDOW),
        ("`retrain status`", RETRAIN),
        ("`retrain status`", retraining_status.document("rain-local", None)),
        ("`retrain history`", retraining_status.run_document(Run("r", "why", ""))),
        ("`retrain start`", RETRAIN_ANSWER),
        ("`labels put`", labels_document([], [])),
        ("... `waiting`", vars(Waiting("run", "1.2.0", "why", "command"))),
        ("every command", documents.unanswered(CommandEvent("rain-local", "pause", "c", "alice"), "no")),
    ],
)
def test_fields_of_the_json(command: str, document: dict[str, Any]) -> None:
    assert sorted(Page("operators.md").fields(command)) == sorted(document)


def by_command(told: str) -> list[str]:
    """Return what an exit status means of single commands: each ``of <commands>: <what>`` of its text."""
    return [clause.strip() for clause in re.findall(r"\bof [a-z, ]+: [^;.]+", " ".join(told.split()))]


def test_exit_statuses_are_those_of_the_help() -> None:
    table = re.findall(r"^\| (\d+) \|(.+)\|$", PAGE, re.MULTILINE)
    shown = re.findall(r"^  (\d+) +(\S.*(?:\n {7}.*)*)", EXIT_STATUSES, re.MULTILINE)
    of_page = {number: by_command(told.replace("`", "").replace("Of ", "of ")) for number, told in table}
    assert of_page == {number: by_command(told) for number, told in shown}
    assert of_page["1"]
    assert of_page["3"]


def commands() -> list[str]:
    lines = re.findall(r"python -m tidegate ([^`\n|(]+)", PAGE)
    short = re.findall(r"`((?:rollback|promote|unfreeze) --[^`]+)`", PAGE)
    return [line.replace('"..."', "why").strip() for line in (*lines, *short)]


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_commands_can_be_parsed(line: str) -> None:
    assert cli.build_parser().parse_args(line.split()).run is not None


@pytest.mark.parametrize(
    "step", ["local up --env loop", "labels put --env loop", "drift --env loop", "retrain status --env loop"]
)
def test_the_loop_by_hand_has_every_step(step: str) -> None:
    _, found, recipe = PAGE.partition("## The loop by hand")
    assert found
    assert f"python -m tidegate {step}" in recipe.partition("\n## ")[0]


def test_the_help_of_refusals_names_retraining() -> None:
    assert "refused by the engine or by retraining" in EXIT_STATUSES


def test_there_are_commands() -> None:
    assert len(commands()) > 10


def test_the_event_that_is_shown_is_what_the_command_line_sends() -> None:
    shown = re.search(r"--entries '(.*?)'\n", PAGE, re.DOTALL)
    assert shown is not None
    (entry,) = json.loads(shown[1])
    assert (entry["Source"], entry["DetailType"]) == (
        contract.OPERATOR_EVENT_SOURCE,
        contract.OPERATOR_COMMAND_DETAIL_TYPE,
    )
    assert CommandEvent(**json.loads(entry["Detail"])).command == "abort"


def test_the_policy_allows_no_other_event() -> None:
    shown = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    statements = {each["Sid"]: each for each in json.loads(shown[1])["Statement"]}
    assert statements["Command"]["Condition"]["StringEquals"] == {
        "events:source": contract.OPERATOR_EVENT_SOURCE,
        "events:detail-type": contract.OPERATOR_COMMAND_DETAIL_TYPE,
    }
    assert statements["Retrain"]["Condition"]["StringEquals"] == {
        "events:source": contract.OPERATOR_EVENT_SOURCE,
        "events:detail-type": contract.RETRAIN_COMMAND_DETAIL_TYPE,
    }
    assert [each.rpartition("/")[2] for each in statements["ReadDriftAndRetraining"]["Resource"]] == [
        contract.monitoring_table("ENV"),
        contract.retraining_table("ENV"),
    ]
    for parameter, resource in zip(
        (contract.monitoring_parameter, contract.retraining_parameter),
        statements["ReadTheirSettings"]["Resource"],
        strict=True,
    ):
        assert parameter("ENV", "") in resource.replace("*", "/")
    assert statements["ReadRollouts"]["Resource"].endswith(f"table/{contract.table_name('ENV')}")
    assert contract.endpoint_parameter("ENV", "") in statements["ReadSettings"]["Resource"].replace("*", "/")
