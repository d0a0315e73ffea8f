"""A local cloud with the environment deployed, and the ways to its endpoint."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.front_door.templates import LOCAL
from bench.rounds import Tell
from tidegate.aws import Aws, connect, session
from tidegate.demo import models
from tidegate.demo.asking import AskFrontDoor, AskSageMaker, runtime_client
from tidegate.demo.models import Models
from tidegate.demo.run import CLIENT
from tidegate.front_door import FrontDoor, api_key, front_door
from tidegate.local import launch
from tidegate.local.assembly import run_module
from tidegate.local.control import Control
from tidegate.local.state import Running, StateFolder
from tidegate.settings import EndpointSettings, find_endpoint


@dataclass(frozen=True)
class Place:
    """Where the front door is measured.

    Parameters
    ----------
    running
        The local cloud, a process of its own.
    aws
        The account.
    endpoint, door
        The endpoint, and its front door.
    key
        The API key of a client.
    models
        Versions that can be rolled out.
    """

    running: Running
    aws: Aws
    endpoint: EndpointSettings
    door: FrontDoor
    key: str
    models: Models

    def client(self, service: str) -> Any:
        """Return an administrator's client of a service that operators have no need of."""
        # The names are a closed set, but boto3's type stubs want literals.
        made: Any = session(self.running.environment)
        return made.client(service, endpoint_url=self.running.environment["AWS_ENDPOINT_URL"])

    def through_the_door(self) -> AskFrontDoor:
        """Return the way that applications take."""
        return AskFrontDoor(self.door.url, self.key)

    def direct(self) -> AskSageMaker:
        """Return the way past the front door."""
        return AskSageMaker(runtime_client(self.running.environment), self.endpoint.name)


@contextmanager
def place(folder: Path, quick: bool, tell: Tell) -> Iterator[Place]:
    """Train the models, deploy, and take everything down at the end."""
    assembly, state = folder / "cdk.out", StateFolder(folder / "cloud")
    tell("training the models")
    trained = models.train()
    tell("synthesising the templates")
    shutil.rmtree(assembly, ignore_errors=True)
    options = ["--quick"] if quick else []
    run_module(["bench.front_door.templates", str(assembly), *options], "the templates cannot be synthesised")
    tell("starting the local cloud")
    launch.stop(state)
    try:
        running = launch.start(state, with_parent=True)
        Control(running).deploy(str(assembly), lambda message: tell(f"deploying, {message.get('logical_id', '')}"))
        yield _found(running, trained)
    finally:
        tell("stopping the local cloud")
        launch.stop(state)


def _found(running: Running, trained: Models) -> Place:
    aws = connect(running.environment)
    endpoint = find_endpoint(aws, LOCAL, None)
    door = front_door(aws, endpoint)
    if door is None:
        raise BenchError(f"{endpoint.name} has no front door; give it one in environments/{LOCAL}.yaml")
    return Place(running, aws, endpoint, door, api_key(aws, endpoint, CLIENT), trained)
