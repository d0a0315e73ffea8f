"""Which versions are archived, and that nothing is taken from anybody who needs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas import contract
from lambdas.retraining.state import Approval, Champion
from lambdas.retraining.state import Run as RetrainingRun
from lambdas.retraining.state import State as RetrainingState
from lambdas.rollout.admission import Said, admit
from lambdas.rollout.episode import ALREADY_LIVE, SUPERSEDED, Episode
from lambdas.rollout.ports import Package
from lambdas.rollout.state import Candidate, Command, Past, State
from tests.unit.tidegate.conftest import IMAGE, client_error
from tests.unit.tidegate.models.conftest import Run, Shelf, arn
from tests.unit.tidegate.states import IDLE, NOW, rolling
from tidegate.models.archiving import ALREADY, ARCHIVE, KEEP, LOST, Archiver, Policy, judge
from tidegate.models.record import records
from tidegate.models.standing import load
from tidegate.settings import EndpointSettings

ALL = Policy(keep=0, older_than_days=0)


def verdicts(shelf: Shelf, endpoint: EndpointSettings, policy: Policy = ALL) -> dict[str, tuple[str, str]]:
    aws = shelf.account.aws
    found = judge(records(aws, "rain-local"), load(aws, endpoint), policy, NOW)
    return {each.record.version: (each.action, each.reason) for each in found}


def carry_out(shelf: Shelf, endpoint: EndpointSettings) -> dict[str, tuple[str, str]]:
    aws = shelf.account.aws
    found = judge(records(aws, "rain-local"), load(aws, endpoint), ALL, NOW)
    done = Archiver(aws, endpoint, "alice", lambda: NOW).carry_out(found)
    return {each.record.version: (each.action, each.reason) for each in done}


def test_the_newest_and_the_young_stay(shelf: Shelf, endpoint: EndpointSettings) -> None:
    for number, days in enumerate((400, 300, 95, 30, 1)):
        shelf.add(f"1.{number}.0", days=days)
    found = verdicts(shelf, endpoint, Policy(keep=1, older_than_days=90))
    assert [action for action, _ in found.values()] == [KEEP, KEEP, ARCHIVE, ARCHIVE, ARCHIVE]
    assert found["1.4.0"][1] == "it is one of the 1 newest"
    assert "registered 30 d ago" in found["1.3.0"][1]
    assert found["1.2.0"][1] == "number 3 of the newest, registered 95 d ago, and nothing holds it"


def test_what_is_archived_does_not_count_among_the_newest(shelf: Shelf, endpoint: EndpointSettings) -> None:
    shelf.add("1.0.0", days=400)
    shelf.add("1.1.0", days=300, approval="Rejected", ModelLifeCycle={"Stage": "Archived", "StageStatus": "Deprecated"})
    found = verdicts(shelf, endpoint, Policy(keep=1, older_than_days=90))
    assert found == {"1.1.0": (ALREADY, "it was archived before"), "1.0.0": (KEEP, "it is one of the 1 newest")}


def test_what_was_approved_after_it_was_archived_is_looked_at_anew(shelf: Shelf, endpoint: EndpointSettings) -> None:
    shelf.add("1.0.0", days=400, approval="Approved", ModelLifeCycle={"Stage": "Archived", "StageStatus": "Deprecated"})
    assert "has not been taken in" in verdicts(shelf, endpoint)["1.0.0"][1]


def _live(state: State) -> State:
    return replace(state, live=replace(state.live, package_arn=arn(1)))


def _rolling_out(_: State) -> State:
    return rolling(package_arn=arn(1))


def _queued(state: State) -> State:
    return replace(state, queued=Candidate(arn(1), "1.0.0", NOW, {"Image": IMAGE}))


def _wanted_back(state: State) -> State:
    candidate = Candidate(arn(1), "1.0.0", 0.0, {"Image": IMAGE})
    return replace(state, commands=(Command("c", "rollback", NOW, "bob", to="1.0.0", candidate=candidate),))


def _failed(state: State) -> State:
    return replace(state, failed=Candidate(arn(1), "1.0.0", NOW, {"Image": IMAGE}))


def _past(state: State) -> State:
    return replace(state, past=(Past("1.0.0", arn(1), "config", "blue", NOW - 60),))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_live, "it is live"),
        (_rolling_out, "it is in the rollout 260101-100000-003, in BAKE"),
        (_queued, "it waits to be rolled out"),
        (_wanted_back, "it waits to be rolled out"),
        (_failed, "its rollout failed last and can be retried"),
        (_past, "it was live before, so that a rollback may go to it"),
    ],
)
def test_what_the_engine_holds_is_never_archived(
    shelf: Shelf, endpoint: EndpointSettings, change: Callable[[State], State], said: str
) -> None:
    shelf.add("1.0.0", days=400, approval="Approved")
    shelf.account.take_in(Episode(arn(1), NOW - 400 * 86_400, outcome=ALREADY_LIVE))
    shelf.account.record(replace(IDLE, newest_started=NOW))
    assert verdicts(shelf, endpoint)["1.0.0"][0] == ARCHIVE
    shelf.account.record(replace(change(IDLE), newest_started=NOW))
    assert verdicts(shelf, endpoint)["1.0.0"] == (KEEP, said)
    assert carry_out(shelf, endpoint)["1.0.0"][0] == KEEP
    assert shelf.account.sagemaker.updates == []


def test_what_runs_though_the_engine_does_not_know_it_stays(shelf: Shelf, endpoint: EndpointSettings) -> None:
    shelf.add("1.0.0", days=400)
    shelf.account.serve("by-hand", {"blue": 100.0}, {"blue": shelf.uri("1.0.0", "model.tar.gz")})
    assert verdicts(shelf, endpoint)["1.0.0"] == (KEEP, "the endpoint has instances of it")


@pytest.mark.parametrize(
    "episode",
    [None, Episode(arn(1), NOW - 500, closed_at=NOW - 400), Episode(arn(1), NOW - 50, outcome=SUPERSEDED)],
)
def test_an_approval_that_has_not_been_answered_is_left_alone(
    shelf: Shelf, endpoint: EndpointSettings, episode: Episode | None
) -> None:
    shelf.add("1.0.0", days=400, approval="Approved")
    shelf.account.record(replace(IDLE, newest_started=NOW - 100))
    if episode is not None:
        shelf.account.take_in(episode)
    assert verdicts(shelf, endpoint)["1.0.0"][0] == KEEP


def retraining_run(**changes: Any) -> RetrainingRun:
    champion = Champion("bootstrap")
    return replace(RetrainingRun("run-00001-abc", "drift", "it drifts", champion, NOW - 60, NOW, NOW), **changes)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (
            RetrainingState("rain-local", run=retraining_run()),
            "the retraining run run-00001-abc, which registered it, is under way",
        ),
        (
            RetrainingState("rain-local", run=retraining_run(id="other", champion=Champion("2.1.0", arn(1)))),
            "the retraining run other compares with it",
        ),
        (
            RetrainingState("rain-local", approval=Approval(arn(1), "2.1.0", "run-00001-abc", "bootstrap", "better")),
            "it is just being approved after the retraining run run-00001-abc",
        ),
    ],
)
def test_what_retraining_holds_is_never_archived(
    shelf: Shelf, endpoint: EndpointSettings, state: RetrainingState, said: str
) -> None:
    shelf.retrained("2.1.0", "2.0.0", days=400)
    shelf.account.declare("retraining")
    shelf.account.retraining(RetrainingState("rain-local"))
    assert verdicts(shelf, endpoint)["2.1.0"][0] == ARCHIVE
    shelf.account.retraining(state)
    assert verdicts(shelf, endpoint)["2.1.0"] == (KEEP, said)


def test_what_is_pinned_stays(shelf: Shelf, endpoint: EndpointSettings) -> None:
    shelf.add("1.0.0", days=400, metadata={contract.PACKAGE_PINNED_KEY: "alice: for the audit"})
    assert verdicts(shelf, endpoint)["1.0.0"] == (KEEP, "it is pinned (alice: for the audit)")


def test_archiving_says_who_and_why_and_doing_it_again_changes_nothing(
    shelf: Shelf, endpoint: EndpointSettings
) -> None:
    shelf.add("1.0.0", days=400)
    assert carry_out(shelf, endpoint)["1.0.0"][0] == ARCHIVE
    (update,) = shelf.account.sagemaker.updates
    assert (update["ModelApprovalStatus"], update["ModelLifeCycle"]["Stage"]) == ("Rejected", "Archived")
    assert update["ModelLifeCycle"]["StageStatus"] == "Deprecated"
    assert update["ApprovalDescription"].startswith("archived by alice on 2027-01-15: number 1 of the newest")
    assert carry_out(shelf, endpoint)["1.0.0"][0] == ALREADY
    assert len(shelf.account.sagemaker.updates) == 1


def test_why_somebody_rejected_a_version_stays_as_it_is(shelf: Shelf, endpoint: EndpointSettings) -> None:
    shelf.add("1.0.0", days=400, approval="Rejected", ApprovalDescription="it invents rain")
    assert carry_out(shelf, endpoint)["1.0.0"][0] == ARCHIVE
    (package,) = shelf.account.sagemaker.packages
    assert package["ApprovalDescription"] == "it invents rain"
    assert package["ModelLifeCycle"]["Stage"] == "Archived"


def test_what_goes_live_meanwhile_is_left_alone(shelf: Shelf, endpoint: EndpointSettings) -> None:
    shelf.add("1.0.0", days=400)
    aws = shelf.account.aws
    found = judge(records(aws, "rain-local"), load(aws, endpoint), ALL, NOW)
    shelf.account.record(_live(IDLE))
    (done,) = Archiver(aws, endpoint, "alice", lambda: NOW).carry_out(found)
    assert (done.action, done.reason) == (KEEP, "meanwhile: it is live")
    assert shelf.account.sagemaker.updates == []


@pytest.mark.parametrize("approval", ["Approved", "Rejected"])
def test_what_somebody_decides_on_meanwhile_is_left_alone(
    shelf: Shelf, endpoint: EndpointSettings, approval: str
) -> None:
    shelf.add("1.0.0", days=400)
    aws = shelf.account.aws
    found = judge(records(aws, "rain-local"), load(aws, endpoint), ALL, NOW)
    shelf.account.sagemaker.packages[0]["ModelApprovalStatus"] = approval
    (done,) = Archiver(aws, endpoint, "alice", lambda: NOW).carry_out(found)
    assert done.action == KEEP
    assert shelf.account.sagemaker.updates == []


def test_one_that_fails_does_not_keep_the_others_from_being_archived(
    shelf: Shelf, endpoint: EndpointSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.add("1.0.0", days=400)
    shelf.add("1.1.0", days=300)
    update = shelf.account.sagemaker.update_model_package

    def refuse_the_second(**request: Any) -> None:
        if request["ModelPackageArn"] == arn(2):
            raise client_error("AccessDeniedException", "not authorized to perform: sagemaker:UpdateModelPackage")
        update(**request)

    monkeypatch.setattr(shelf.account.sagemaker, "update_model_package", refuse_the_second)
    done = carry_out(shelf, endpoint)
    assert (done["1.1.0"][0], done["1.0.0"][0]) == (LOST, ARCHIVE)
    assert "your identity may not do this" in done["1.1.0"][1]


def test_rejecting_what_was_archived_ends_an_episode_and_touches_no_rollout(endpoint: EndpointSettings) -> None:
    """The engine's own rule, on which archiving what it does not hold relies."""
    state = rolling()
    old = Episode(arn(1), NOW - 400 * 86_400)
    rejected = Package(arn(1), "rain-local", "Rejected", "Completed", NOW, "1.0.0", [])
    admission = admit(state, old, rejected, None, Said("Rejected", NOW), NOW)  # type: ignore[arg-type]  # not asked for
    assert admission is not None
    assert not admission.episode.open
    assert (admission.state.rollout, admission.state.live, admission.entries) == (state.rollout, state.live, ())


def test_a_dry_run_says_why_and_changes_nothing(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.add("1.0.0", days=9999)
    shelf.add("1.1.0", metadata={contract.PACKAGE_PINNED_KEY: "alice"})
    options = ("models", "deprecate", "--keep", "0", "--older-than", "0", "--dry-run")
    assert run(*options) == 0
    said = capsys.readouterr().out
    assert "would archive" in said
    assert "it is pinned (alice)" in said
    assert run(*options, "-o", "json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [(each["version"], each["action"], each["changed"]) for each in shown] == [
        ("1.1.0", "keep", False),
        ("1.0.0", "archive", False),
    ]
    assert shelf.account.sagemaker.updates == []


def test_the_command_archives_and_a_failure_is_1(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.add("1.0.0", days=9999)
    options = ("models", "deprecate", "--keep", "0", "-o", "json")
    with monkeypatch.context() as patch:

        def refuse(**_: Any) -> None:
            raise client_error("AccessDeniedException", "no")

        patch.setattr(shelf.account.sagemaker, "update_model_package", refuse)
        assert run(*options) == 1
        assert json.loads(capsys.readouterr().out)[0]["action"] == "failed"
    assert run(*options) == 0
    assert json.loads(capsys.readouterr().out)[0]["changed"] is True
    assert "archived by alice on" in shelf.account.sagemaker.packages[0]["ApprovalDescription"]


def test_nothing_is_archived_before_the_engine_has_recorded_anything(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.add("1.0.0", days=9999)
    shelf.account.dynamodb.items.clear()
    assert run("models", "deprecate", "--keep", "0") == 1
    assert "it is not known what is in use" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--keep=-1", "--keep=x", "--older-than=-1", "--older-than=nan", "--older-than=x"])
def test_a_policy_that_is_none_is_refused(run: Run, option: str) -> None:
    assert run("models", "deprecate", option) == 2


def test_pinning_and_unpinning(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.add("1.0.0")
    assert run("models", "pin", "1.0.0", "--reason", "the audit's, (don't touch)") == 0
    metadata = shelf.account.sagemaker.packages[0]["CustomerMetadataProperties"]
    assert metadata[contract.PACKAGE_PINNED_KEY] == "alice: the audit s don t touch"
    assert run("models", "pin", "1.0.0", "--reason", "again") == 0
    assert "is pinned already (alice: the audit s don t touch)" in capsys.readouterr().out
    assert run("models", "unpin", "1.0.0", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "arn": arn(1),
        "version": "1.0.0",
        "pinned": False,
        "changed": True,
    }
    assert shelf.account.sagemaker.packages[0]["CustomerMetadataProperties"] == {"tidegate:version": "1.0.0"}
    assert run("models", "unpin", "1.0.0") == 0
    assert len(shelf.account.sagemaker.updates) == 2
