"""The local cloud's process as seen by the command line, without a local cloud."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from tidegate import cli
from tidegate.errors import OperatorError
from tidegate.local import launch
from tidegate.local.control import Control
from tidegate.local.control_server import ControlServer
from tidegate.local.daemon import Daemon
from tidegate.local.progress import DeployDisplay
from tidegate.local.state import Running, StateFolder

ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4000",
    "AWS_ACCESS_KEY_ID": "localadmin",
    "AWS_SECRET_ACCESS_KEY": "local admin",
}


def note(folder: StateFolder, pid: int, control: str = "http://127.0.0.1:9", token: str = "t") -> Running:
    running = Running(pid, time.time(), ENVIRONMENT, control, token)
    folder.make()
    folder.write(running)
    return running


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like a local cloud's."""
    script = "import time; print('ready', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", script, "tidegate.local.daemon"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield running
        running.kill()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    monkeypatch.chdir(tmp_path)
    return StateFolder()


def test_a_running_local_cloud_is_found(folder: StateFolder, process: subprocess.Popen[bytes]) -> None:
    assert folder.running() is None
    noted = note(folder, process.pid)
    assert folder.running() == noted


def test_what_a_dead_process_left_counts_for_nothing(folder: StateFolder, process: subprocess.Popen[bytes]) -> None:
    note(folder, process.pid)
    process.kill()
    process.wait()
    assert folder.running() is None


def test_an_id_that_another_process_has_now_counts_for_nothing(folder: StateFolder) -> None:
    note(folder, os.getpid())
    assert folder.running() is None


def test_a_broken_state_file_counts_for_nothing(folder: StateFolder) -> None:
    note(folder, 1)
    (folder.path / "local.json").write_text("{")
    assert folder.running() is None


def test_nobody_else_can_read_the_token(folder: StateFolder) -> None:
    note(folder, 1)
    assert (folder.path / "local.json").stat().st_mode & 0o077 == 0


def test_a_process_that_does_not_listen_is_stopped_all_the_same(
    folder: StateFolder, process: subprocess.Popen[bytes]
) -> None:
    note(folder, process.pid)
    assert launch.stop(folder)
    assert folder.running() is None
    assert not launch.stop(folder)


def test_env_prints_what_a_shell_can_evaluate(
    folder: StateFolder, process: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    note(folder, process.pid)
    assert cli.main(["local", "env"]) == 0
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4000\n" in (printed := capsys.readouterr().out)
    assert "export AWS_SECRET_ACCESS_KEY='local admin'\n" in printed
    assert cli.main(["local", "env", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["AWS_SECRET_ACCESS_KEY"] == "local admin"


def test_status_and_down_without_a_local_cloud(folder: StateFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["local", "status", "-o", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"running": False}
    assert cli.main(["local", "down"]) == 0
    assert "not running" in capsys.readouterr().out


def serve(folder: StateFolder, token: str = "t") -> tuple[ControlServer, list[Mapping[str, Any]]]:
    """Return a server of orders that remembers what it was asked."""
    asked: list[Mapping[str, Any]] = []

    def deploy(body: Mapping[str, Any], report: Any) -> dict[str, Any]:
        asked.append(body)
        report({"kind": "progress", "status": "CREATE_IN_PROGRESS"})
        report({"kind": "progress", "status": "CREATE_COMPLETE"})
        return {"stacks": ["one"]}

    def fail(*_: Any) -> dict[str, Any]:
        raise ValueError("Type AWS::X::Y is not simulated")

    return ControlServer({"deploy": deploy, "destroy": fail}, token), asked


def test_orders_are_carried_out_with_progress(folder: StateFolder) -> None:
    server, asked = serve(folder)
    seen: list[str] = []
    with server:
        control = Control(note(folder, os.getpid(), server.url))
        result = control.deploy("build/out", lambda message: seen.append(message["status"]))
    assert result == {"stacks": ["one"]}
    assert asked == [{"assembly": "build/out"}]
    assert seen == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_answers_are_failed_by_an_order_to_the_cloud(folder: StateFolder) -> None:
    ordered: list[tuple[Any, ...]] = []

    def fail_answers(variant: str, times: int, *, endpoint: str, reason: str) -> None:
        ordered.append((endpoint, variant, times, reason))

    cloud: Any = SimpleNamespace(faults=SimpleNamespace(fail_answers=fail_answers))
    with ControlServer(Daemon(cloud).orders, "t") as server:
        Control(note(folder, os.getpid(), server.url)).fail_answers("rain-local", "green", 1, "on purpose")
    assert ordered == [("rain-local", "green", 1, "on purpose")]


def test_a_failed_order_tells_why(folder: StateFolder) -> None:
    server, _ = serve(folder)
    with server, pytest.raises(OperatorError, match="AWS::X::Y is not simulated"):
        Control(note(folder, os.getpid(), server.url)).destroy(lambda _: None)


def test_a_failed_order_is_logged_whole(folder: StateFolder, caplog: pytest.LogCaptureFixture) -> None:
    server, _ = serve(folder)
    with server, pytest.raises(OperatorError):
        Control(note(folder, os.getpid(), server.url)).destroy(lambda _: None)
    (record,) = [record for record in caplog.records if record.name == "tidegate.local.control_server"]
    assert "destroy" in record.getMessage()
    assert record.exc_info


def test_down_offers_force_when_something_cannot_be_deleted(
    folder: StateFolder, process: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    server, _ = serve(folder)
    with server:
        note(folder, process.pid, server.url)
        assert cli.main(["local", "down"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "is not simulated" in said
    assert "down --force" in said
    assert process.poll() is None


def test_an_order_without_the_token_is_refused(folder: StateFolder) -> None:
    server, asked = serve(folder)
    with server, pytest.raises(OperatorError, match="403"):
        Control(note(folder, os.getpid(), server.url, token="guess")).deploy("x", lambda _: None)
    assert asked == []


def test_a_process_that_does_not_answer_is_told_with_the_way_out(folder: StateFolder) -> None:
    with pytest.raises(OperatorError, match="does not answer") as raised:
        Control(note(folder, 1)).describe()
    assert "down --force" in raised.value.hint


def test_a_deployment_without_terminal_says_something_now_and_then_and_each_failure() -> None:
    out = io.StringIO()
    moments = iter([0.0, 1.0, 7.0, 7.0, 8.0, 9.0])
    message = {
        "stack": "Serving",
        "logical_id": "Endpoint",
        "type": "AWS::SageMaker::Endpoint",
        "reason": "no capacity",
    }
    with DeployDisplay(Console(file=out, width=200), "deploying", lambda: next(moments)) as display:
        display.show(message | {"status": "CREATE_IN_PROGRESS"})
        display.show(message | {"status": "CREATE_COMPLETE"})
        display.show(message | {"status": "CREATE_FAILED"})
    lines = out.getvalue().splitlines()
    assert lines[0] == "deploying Serving: Endpoint create complete"
    assert lines[1] == "Serving: Endpoint create failed: no capacity"
    assert lines[2] == "deploying: 1 resources in 9.0 s (Serving)"
