from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from rich.console import Console

from lambdas.rollout.state import Phase
from tests.unit.tidegate.states import FREEZE, IDLE, NEXT, NOW, rolling, rollout
from tidegate import aws_errors, cli
from tidegate.commands import approving, ending, packages, progress
from tidegate.commands.context import Context
from tidegate.errors import NotPromotedError, OperatorError, UsageError
from tidegate.looking import Clock
from tidegate.registry import MODEL_FILES

MODELS = {"blue": "s3://assets/seed.tar.gz"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        for name in MODEL_FILES:
            file.add(Path(__file__), arcname=name)
    return path


@pytest.fixture
def make_context(account: Any, endpoint: Any) -> Callable[..., tuple[Context, Callable[[], str]]]:
    """Return what makes a command's surroundings, and what reads what it printed."""

    def make(json: bool = False) -> tuple[Context, Callable[[], str]]:
        out = io.StringIO()
        return Context(account.aws, endpoint, Console(file=out, width=200), json), out.getvalue

    return make


FIRST, SECOND = "260101-100000-001", "260102-100000-002"


def two_rollouts(account: Any) -> None:
    """Let 1.1.0 have been promoted, and 1.2.0 bake."""
    account.serve("rain-local-mixed", {"blue": 75.0, "green": 25.0}, MODELS)
    promoted = rollout(id=FIRST, version="1.1.0", phase=Phase.PROMOTED, started_at=NOW - 9000, phase_since=NOW - 8000)
    account.summarise("rain-local", promoted)
    account.record(rolling(id=SECOND))
    account.audit(1, "Starts.", rollout=FIRST, phase="PREPARE")
    paused = {"by": "alice", "command": "c", "name": "pause", "accepted": True}
    account.audit(9, "To 25.", rollout=SECOND, phase="SHIFT")
    account.audit(10, "Bakes.", rollout=SECOND, phase="BAKE")
    account.audit(11, "Paused.", rollout=SECOND, phase="BAKE", kind="command", numbers=paused)


def test_register_says_what_comes_next(make_context: Any, model: Path) -> None:
    context, printed = make_context()
    assert packages.register(context, model, "1.1.0") == 0
    assert "1.1.0 registered as arn:" in printed()
    assert "next: python -m tidegate approve --version 1.1.0 --env local --endpoint rain-local" in printed()


def test_approving_twice_succeeds_and_says_that_nothing_changed(make_context: Any, model: Path) -> None:
    context, printed = make_context()
    packages.register(context, model, "1.1.0")
    assert approving.approve_version(context, "1.1.0") == 0
    assert "rollout starts by itself" in printed()
    assert approving.approve_version(context, "1.1.0") == 0
    assert "nothing changed" in printed()


def test_versions_as_json_say_which_one_serves(make_context: Any, account: Any, model: Path) -> None:
    context, printed = make_context(json=True)
    packages.register(make_context()[0], model, "1.1.0")
    packages.register(make_context()[0], model, "1.1.1")
    data = account.sagemaker.packages[0]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    account.serve("final", {"green": 100.0}, {"green": data})
    packages.list_versions(context)
    assert [(row["version"], row["serving"]) for row in json.loads(printed())] == [("1.1.0", True), ("1.1.1", False)]


def test_an_unknown_version_is_to_be_registered_before_it_is_approved(make_context: Any) -> None:
    with pytest.raises(UsageError) as raised:
        packages.decide(make_context()[0], "9", "Approved")
    assert "register --model model.tar.gz --version 9" in raised.value.hint


def test_an_unknown_version_that_is_rejected_is_not_to_be_registered(make_context: Any) -> None:
    with pytest.raises(UsageError) as raised:
        packages.decide(make_context()[0], "9", "Rejected")
    assert "register" not in raised.value.hint
    assert "python -m tidegate versions" in raised.value.hint


def test_status_shows_versions_shares_and_the_rollout(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context()
    assert progress.status(context) == 0
    for expected in ("rain-local", "InService", "75%", SECOND, "BAKE", "Bakes."):
        assert expected in printed()


def test_status_as_json(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context(json=True)
    assert progress.status(context) == 0
    found = json.loads(printed())
    assert found["live"]["version"] == "1.1.0"
    assert [(each["name"], each["version"], each["role"], each["weight"]) for each in found["variants"]] == [
        ("blue", "1.1.0", "live", 75.0),
        ("green", "1.2.0", "new", 25.0),
    ]
    active = found["rollout"]
    assert (active["id"], active["phase"], active["step"], active["steps"]) == (SECOND, "BAKE", 2, 4)
    assert [part["status"] for part in active["plan"]] == ["done", "done", "present", "to-come", "to-come", "to-come"]
    assert [entry["by"] for entry in found["trail"]] == [None, None, "alice"]


def test_history_lists_rollouts_oldest_first_and_who_did_what(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context(json=True)
    assert progress.history(context, None) == 0
    found = json.loads(printed())
    assert [row["id"] for row in found["rollouts"]] == [FIRST, SECOND]
    assert [row["text"] for row in found["entries"]] == ["Starts.", "To 25.", "Bakes.", "Paused."]
    assert found["entries"][-1]["by"] == "alice"


def test_history_for_a_person_names_who(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context()
    progress.history(context, None)
    assert re.search(rf"alice +{SECOND} +BAKE +Paused\.", printed())
    assert re.search(rf"engine +{FIRST} +PREPARE +Starts\.", printed())
    assert re.search(rf"{FIRST} +model +1\.1\.0 +green", printed())


def test_history_of_a_rollout_is_its_trail_in_order(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context(json=True)
    progress.history(context, SECOND)
    found = json.loads(printed())
    assert [row["text"] for row in found["entries"]] == ["To 25.", "Bakes.", "Paused."]
    assert [row["id"] for row in found["rollouts"]] == [SECOND]


def test_a_long_history_is_cut_and_says_so(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context()
    progress.history(context, None, limit=1)
    assert "(3 earlier entries: --limit all)" in printed()
    assert "Bakes." not in printed()
    progress.history(context, None, limit=None)
    assert "Starts." in printed()


def test_history_of_an_unknown_rollout_is_refused(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    with pytest.raises(UsageError, match="no rollout 'r9'"):
        progress.history(make_context()[0], "r9")


class Days:
    """Time that passes only while somebody sleeps, and what happens meanwhile."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        self.naps = 0
        self._happenings = list(happenings)

    def sleep(self, _: float) -> None:
        self.naps += 1
        if self._happenings:
            self._happenings.pop(0)()

    @property
    def clock(self) -> Clock:
        return Clock(lambda: NOW + self.naps, self.sleep)


def ends(account: Any, phase: Phase, **changes: Any) -> Callable[[], None]:
    """Return what lets the active rollout end."""

    def end() -> None:
        account.record(IDLE)
        account.summarise("rain-local", rollout(**{"id": SECOND, "phase": phase, "phase_since": NOW, **changes}))
        account.audit(12, "It is over.", rollout=SECOND, phase=phase.value)

    return end


def test_watch_tells_each_entry_once_and_ends_when_idle(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context()
    days = Days(lambda: None, ends(account, Phase.PROMOTED))
    assert progress.watch(context, until_idle=True, clock=days.clock) == 0
    assert days.naps == 2
    assert [line.split("  ")[-1].strip() for line in printed().splitlines()] == [
        *("To 25.", "Bakes.", "Paused.", "It is over.")
    ]


def test_watch_until_idle_is_4_when_the_rollout_was_rolled_back(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    days = Days(ends(account, Phase.ROLLED_BACK, abort_reason="it was worse"))
    with pytest.raises(NotPromotedError, match="ended in ROLLED_BACK: it was worse") as raised:
        progress.watch(make_context()[0], until_idle=True, clock=days.clock)
    assert raised.value.exit_status == 4


def test_watch_as_json_writes_an_entry_a_line(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context(json=True)
    progress.watch(context, until_idle=True, clock=Days(ends(account, Phase.PROMOTED)).clock)
    assert [json.loads(line)["number"] for line in printed().splitlines()] == [9, 10, 11, 12]


def test_watch_goes_on_while_a_version_is_about_to_start(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    ended = ends(account, Phase.PROMOTED)

    def queue() -> None:
        ended()
        account.record(replace(IDLE, queued=NEXT))

    days = Days(queue, lambda: None, ended)
    assert progress.watch(make_context()[0], until_idle=True, clock=days.clock) == 0
    assert days.naps == 3


def test_watch_gets_over_what_fails_in_passing(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "Query")
    days = Days(lambda: account.dynamodb.failing.append(throttled), ends(account, Phase.PROMOTED))
    assert progress.watch(make_context()[0], until_idle=True, clock=days.clock) == 0


def test_watch_does_not_get_over_what_stays(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Query")
    with pytest.raises(ClientError):
        progress.watch(
            make_context()[0], until_idle=True, clock=Days(lambda: account.dynamodb.failing.append(denied)).clock
        )


def test_waiting_for_an_approved_version_follows_it_from_queue_to_end(
    make_context: Any, account: Any, model: Path
) -> None:
    context, _ = make_context()
    account.serve("seed", {"blue": 100.0}, MODELS)
    account.record(IDLE)
    packages.register(context, model, "1.2.0")
    arn = account.sagemaker.packages[0]["ModelPackageArn"]
    before = ending.last_ended(context)
    package = packages.decide(context, "1.2.0", "Approved")
    days = Days(
        lambda: account.record(replace(IDLE, queued=replace(NEXT, package_arn=arn), frozen=FREEZE)),
        *[lambda: None] * 300,
        lambda: account.record(rolling(id=SECOND, package_arn=arn)),
        ends(account, Phase.PROMOTED),
    )
    assert ending.wait_for_rollout_of(context, package, before, days.clock) == 0
    assert days.naps == 303


def test_waiting_for_a_version_whose_rollout_never_starts_is_given_up(
    make_context: Any, account: Any, model: Path
) -> None:
    context, _ = make_context()
    account.serve("seed", {"blue": 100.0}, MODELS)
    account.record(IDLE)
    packages.register(context, model, "1.2.0")
    package = packages.decide(context, "1.2.0", "Approved")
    with pytest.raises(OperatorError, match="no rollout of 1\\.2\\.0 has started in 180 s"):
        ending.wait_for_rollout_of(context, package, "", Days().clock)


def test_waiting_for_a_version_that_is_live_is_over_at_once(make_context: Any, account: Any, model: Path) -> None:
    context, _ = make_context()
    account.serve("seed", {"blue": 100.0}, MODELS)
    packages.register(context, model, "1.2.0")
    package = packages.decide(context, "1.2.0", "Approved")
    account.record(replace(IDLE, live=replace(IDLE.live, package_arn=package.arn)))
    days = Days()
    assert ending.wait_for_rollout_of(context, package, "", days.clock) == 0
    assert days.naps == 0


def test_waiting_as_json_ends_with_the_rollout_s_summary(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context(json=True)
    assert ending.wait_for_end(context, Days(ends(account, Phase.PROMOTED)).clock) == 0
    assert json.loads(printed())["outcome"] == "PROMOTED"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["register"],
        ["reject"],
        ["local"],
        ["abort", "--env"],
        ["status", "-o", "xml"],
        ["local", "logs", "--lines", "x"],
    ],
)
def test_a_command_that_cannot_be_parsed_is_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--help"], ["abort", "--help"], ["local", "--help"]])
def test_help_names_the_exit_statuses(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(argv)
    assert raised.value.code == 0
    shown = capsys.readouterr().out
    assert re.findall(r"^  (\d+) ", shown, re.MULTILINE) == ["0", "1", "2", "3", "4", "130"]


def test_interrupted_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tidegate.commands.progress.open_context", interrupt)
    assert cli.main(["watch"]) == 130


def test_an_error_of_aws_is_told_in_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise NoCredentialsError

    monkeypatch.setattr("tidegate.commands.progress.open_context", fail)
    assert cli.main(["status", "-o", "json"]) == 1
    said = json.loads(capsys.readouterr().err)
    assert "credentials" in said["error"]
    assert "sign in" in said["next"]


def test_a_missing_model_exits_2_before_any_call(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status = cli.main(["register", "--env", "dev", "--model", str(tmp_path / "no.tar.gz"), "--version", "1"])
    assert status == 2
    assert "there is no file" in capsys.readouterr().err


def test_environment_local_without_a_local_cloud_exits_1_and_says_how_to_start_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["status", "--env", "local"]) == 1
    said = capsys.readouterr().err
    assert "not running" in said
    assert "python -m tidegate local up" in said


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (NoCredentialsError(), "sign in"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "tidegate local status"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "m"}}, "Op"), "sign in again"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "m"}}, "Op"), "may not do this"),
    ],
)
def test_errors_of_aws_say_what_to_do_next(error: Any, hint: str) -> None:
    explained = aws_errors.explain(error)
    assert isinstance(explained, OperatorError)
    assert hint in explained.hint


@pytest.mark.parametrize(
    ("command", "choices"), [("jobs", "list,show,dead,redrive"), ("batch", "start,stop,status,list")]
)
def test_a_command_without_its_order_names_the_choices(
    command: str, choices: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command]) == 2
    assert f"{{{choices}}}" in capsys.readouterr().err
