"""The local cloud in a process of its own: the client's side."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from bench.errors import BenchError
from bench.rounds import Tell
from lambdas import contract
from stacks.config import ROOT

ENVIRONMENT = "local"
ENDPOINT = contract.endpoint_name(ENVIRONMENT, "rain")
STOP_SECONDS = 20.0
_ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=60)


class CloudStartError(BenchError):
    """The local cloud did not come up."""


@dataclass(frozen=True)
class Function:
    """A deployed function: its name, and the environment that its workers have, with credentials of its role."""

    name: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Cloud:
    """A running local cloud with the `local` environment deployed."""

    environment: Mapping[str, str]
    functions: Mapping[str, Function]
    ask: Callable[[str], dict[str, Any]]
    """Has `bench.tape.Tape` in the cloud's process obey, and returns what it noted."""

    def client(self, service: str, endpoint_url: str | None = None) -> Any:
        """Return an administrator's client, of this cloud unless another URL is given."""
        return make_client(service, self.environment, endpoint_url)

    def container_port(self) -> int:
        """Return the port of the endpoint's one serving container, as it has logged it."""
        logs = self.client("logs")
        events = logs.filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{ENDPOINT}")["events"]
        said = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
        return next(int(each["port"]) for each in said if "port" in each)


def make_client(service: str, environment: Mapping[str, str], endpoint_url: str | None = None) -> Any:
    """Return the client that a process with this environment would make."""
    session: Any = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment.get("AWS_SESSION_TOKEN"),
        region_name=environment["AWS_REGION"],
    )
    return session.client(service, endpoint_url=endpoint_url or environment["AWS_ENDPOINT_URL"], config=_ONCE)


@contextmanager
def running_cloud(folder: Path, tell: Tell) -> Iterator[Cloud]:
    """Synthesise the `local` environment, start a cloud and deploy into it."""
    tell("local cloud: synthesising the templates")
    assembly = _synthesise(folder)
    log = folder / "cloud.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.cloud_process", str(assembly)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl+C is the parent's; the end of its standard input tells it to stop
        )
    try:
        yield _wait_until_deployed(process, log, tell)
    finally:
        tell("local cloud: stopping")
        _stop(process)


def _synthesise(folder: Path) -> Path:
    assembly = folder / "cdk.out"
    command = [sys.executable, "-m", "stacks.synth", ENVIRONMENT, "--output", str(assembly)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CloudStartError(f"the templates cannot be synthesised:\n{done.stdout}{done.stderr}")
    return assembly


def _wait_until_deployed(process: subprocess.Popen[str], log: Path, tell: Tell) -> Cloud:
    tell("local cloud: starting")
    for line in process.stdout or ():
        message = json.loads(line)
        if "progress" in message:
            tell(f"local cloud: deploying, {message['progress']}")
            continue
        functions = {name: Function(**each) for name, each in message["functions"].items()}
        return Cloud(message["environment"], functions, partial(_ask, process))
    process.wait()
    raise CloudStartError(f"the local cloud ended before it was deployed:\n{log.read_text()}")


def _ask(process: subprocess.Popen[str], wanted: str) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{wanted}\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def _stop(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
