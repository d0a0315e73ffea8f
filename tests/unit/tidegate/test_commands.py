from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from rich.console import Console

from tidegate import aws_errors, cli
from tidegate.commands import packages, progress
from tidegate.commands.context import Context
from tidegate.errors import OperatorError, UsageError

MODELS = {"blue": "s3://assets/seed.tar.gz"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.add(Path(__file__), arcname="model.onnx")
    return path


@pytest.fixture
def make_context(account: Any, endpoint: Any) -> Callable[..., tuple[Context, Callable[[], str]]]:
    """Return what makes a command's surroundings, and what reads what it printed."""

    def make(json: bool = False) -> tuple[Context, Callable[[], str]]:
        out = io.StringIO()
        return Context(account.aws, endpoint, Console(file=out, width=200), json), out.getvalue

    return make


def two_rollouts(account: Any) -> None:
    account.serve("seed", {"blue": 100.0}, MODELS)
    common = {"kind": "model", "slot": "green", "started_at": "2026-01-01T10:00:00+00:00"}
    account.dynamodb.put("ROLLOUT#r1", id="r1", version="1.1.0", phase="PROMOTED", outcome="PROMOTED", **common)
    common["started_at"] = "2026-01-02T10:00:00+00:00"
    account.dynamodb.put("ROLLOUT#r2", id="r2", version="1.2.0", phase="BAKE", **common)
    account.dynamodb.put("AUDIT#r2#00000010", at="2026-01-02T10:00:20+00:00", rollout="r2", phase="BAKE", text="Bakes.")
    account.dynamodb.put(
        "AUDIT#r2#00000009", at="2026-01-02T10:00:20+00:00", rollout="r2", phase="SHIFT", text="To 10."
    )
    account.dynamodb.put("AUDIT#r1#00000001", at="2026-01-01T10:00:00+00:00", rollout="r1", phase="PREPARE", text="r1.")


def test_register_says_what_comes_next(make_context: Any, model: Path) -> None:
    context, printed = make_context()
    assert packages.register(context, model, "1.1.0") == 0
    assert "1.1.0 registered as arn:" in printed()
    assert "approve --env local --version 1.1.0" in printed()


def test_approving_twice_succeeds_and_says_that_nothing_changed(make_context: Any, model: Path) -> None:
    context, printed = make_context()
    packages.register(context, model, "1.1.0")
    assert packages.decide(context, "1.1.0", "Approved") == 0
    assert "rollout starts by itself" in printed()
    assert packages.decide(context, "1.1.0", "Approved") == 0
    assert "nothing changed" in printed()


def test_list_as_json_says_which_version_serves(make_context: Any, account: Any, model: Path) -> None:
    context, printed = make_context(json=True)
    packages.register(make_context()[0], model, "1.1.0")
    packages.register(make_context()[0], model, "1.1.1")
    data = account.sagemaker.packages[0]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    account.serve("final", {"green": 100.0}, {"green": data})
    packages.list_packages(context)
    assert [(row["version"], row["serving"]) for row in json.loads(printed())] == [("1.1.0", True), ("1.1.1", False)]


def test_status_shows_versions_shares_and_the_latest_rollout(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context()
    progress.status(context)
    for expected in ("rain-local", "InService", "bootstrap", "100%", "rollout r2", "BAKE", "Bakes."):
        assert expected in printed()


def test_history_lists_rollouts_oldest_first(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context(json=True)
    progress.history(context, None)
    assert [row["id"] for row in json.loads(printed())] == ["r1", "r2"]


def test_history_of_a_rollout_is_its_trail_in_order(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context(json=True)
    progress.history(context, "r2")
    assert [row["text"] for row in json.loads(printed())] == ["To 10.", "Bakes."]


def test_history_of_an_unknown_rollout_is_refused(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    with pytest.raises(UsageError, match="no rollout 'r9'"):
        progress.history(make_context()[0], "r9")


def test_watch_tells_each_entry_once_and_ends_when_idle(make_context: Any, account: Any) -> None:
    two_rollouts(account)
    context, printed = make_context()
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            account.dynamodb.items[1]["outcome"] = {"S": "ROLLED_BACK"}

    assert progress.watch(context, until_idle=True, sleep=nap) == 0
    assert len(naps) == 2
    assert printed().count("Bakes.") == 1


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nonsense"],
        ["register"],
        ["approve"],
        ["local"],
        ["status", "-o", "xml"],
        ["local", "logs", "--lines", "x"],
    ],
)
def test_a_command_that_cannot_be_parsed_exits_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(argv)
    assert raised.value.code == 2


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
