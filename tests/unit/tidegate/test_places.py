"""Which environments are this machine's: AWS must never be reached for one of them, nor the other way round."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.tidegate.test_local_process import note, serve
from tidegate import cli, target
from tidegate.environments import nothing_deployed
from tidegate.errors import OperatorError
from tidegate.local import assembly
from tidegate.local.progress import DeployDisplay
from tidegate.local.state import StateFolder
from tidegate.places import is_local, local_environments


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.yaml").write_text(text)


def test_environments_of_this_machine_are_told_by_their_account() -> None:
    assert local_environments() == ["local", "loop"]
    assert not is_local("prod")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('account: "123456789012"\n', True),
        ("# this machine\naccount: 123456789012 # nobody's\n", True),
        ('account: "111122223333"\n', False),
        ("region: us-east-1\n", False),
        ('endpoints:\n  - account: "123456789012"\n', False),
        ('# account: "123456789012"\n', False),
    ],
)
def test_an_environment_is_local_by_its_own_account_alone(tmp_path: Path, text: str, expected: bool) -> None:
    write(tmp_path, "mine", text)
    assert is_local("mine", tmp_path) is expected


def test_a_name_that_is_not_declared_is_no_path(tmp_path: Path) -> None:
    inside = tmp_path / "environments"
    inside.mkdir()
    write(tmp_path, "mine", 'account: "123456789012"\n')
    assert not is_local("../mine", inside)


def test_local_is_local_without_any_file(tmp_path: Path) -> None:
    assert local_environments(tmp_path) == ["local"]


@pytest.mark.parametrize(
    ("environment", "start"),
    [("local", "python -m tidegate local up"), ("loop", "python -m tidegate local up --env loop")],
)
def test_an_environment_of_this_machine_never_reaches_aws(
    environment: str, start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    def reach(*_: Any) -> None:
        raise AssertionError("AWS was reached")

    monkeypatch.setattr(target, "connect", reach)
    assert cli.main(["status", "--env", environment]) == 1
    assert f"start it: {start}" in capsys.readouterr().err.replace("\n", " ")


def test_one_that_is_not_deployed_there_says_how_to_deploy_it() -> None:
    assert nothing_deployed("loop", "/x").hint == "start it with: python -m tidegate local up --env loop"


@pytest.mark.parametrize("order", ["up", "deploy"])
@pytest.mark.parametrize(("environment", "why"), [("prod", "is not one of this machine"), ("lop", "is not declared")])
def test_what_is_for_aws_is_not_deployed_to_the_local_cloud(
    order: str, environment: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["local", order, "--env", environment]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert why in said
    assert "(account 123456789012): local, loop" in said


@pytest.mark.parametrize(("argv", "environment"), [([], "local"), (["--env", "loop"], "loop")])
def test_the_environment_that_is_asked_for_is_deployed(
    argv: list[str], environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Whatever the other commands look at: that may be an environment of AWS.
    monkeypatch.setenv("TIDEGATE_ENV", "prod")
    monkeypatch.setattr(assembly, "run_module", lambda command, _: made.append(command))
    monkeypatch.setattr("tidegate.local.state._is_ours", lambda _: True)
    made: list[Any] = []
    monkeypatch.setattr(DeployDisplay, "show", lambda *_: None)
    server, asked = serve(StateFolder())
    with server:
        note(StateFolder(), os.getpid(), server.url)
        assert cli.main(["local", "deploy", *argv]) == 0
    assert made[0][:2] == ["stacks.synth", environment]
    assert asked[0]["assembly"].endswith(f"build/cdk.out.{environment}")
    assert subprocess.list2cmdline(made[0]).endswith(f"build/cdk.out.{environment}")


def test_an_exported_address_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(target, "connect", lambda *given: given)
    assert target.open_environment("loop") == ()
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert target.open_environment("prod") == ()
    monkeypatch.setattr(StateFolder, "running", lambda _: None)
    with pytest.raises(OperatorError):
        target.open_environment("loop")
