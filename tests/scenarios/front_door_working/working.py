"""A front door, as applications, operators and bad luck meet it."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import urllib3

from lambdas import contract
from lambdas.inference import headers
from localcloud.physics.process import ProcessContainer
from model_containers.training import replay
from tests.scenarios.front_door_working.doors import SHOP
from tests.scenarios.loop import Loop
from tidegate.front_door import FrontDoor, api_key, front_door

_OPEN = contract.TABLE_PARTITION_KEY


def days(count: int, first: int = 0) -> list[list[float]]:
    """Return recorded days as rows; no two are the same."""
    begin = replay.REPLAY.start + first
    return [[float(value) for value in row.split(",")] for row in replay.rows(begin, begin + count)]


@dataclass(frozen=True)
class Reply:
    """What an HTTP request was answered."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def source(self) -> str | None:
        """Where the prediction comes from."""
        return self.headers.get(headers.ANSWER)

    @property
    def version(self) -> str | None:
        """Which version has predicted."""
        return self.headers.get(headers.MODEL_VERSION)

    @property
    def predictions(self) -> list[Any]:
        """The predictions of an answer; fails where there are none."""
        assert self.status == 200, (self.status, self.body)
        found: list[Any] = self.body["predictions"]
        return found


class Door:
    """The front door of an endpoint.

    Parameters
    ----------
    loop
        The endpoint.
    """

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.name = loop.name
        self._pool = urllib3.PoolManager(retries=False, maxsize=16)
        self._keys: dict[str, str] = {}

    @cached_property
    def described(self) -> Mapping[str, Any]:
        """What the deployment says of it."""
        return self._found.described

    @cached_property
    def _found(self) -> FrontDoor:
        found = front_door(self.loop.aws, self.loop.endpoint)
        assert found is not None
        return found

    def function(self, handler: str) -> str:
        """Return the name of one of its functions."""
        short = self.name.removesuffix(f"-{self.loop.environment}")
        return contract.front_door_function(self.loop.environment, short, handler)

    def predict(self, rows: Sequence[Any], client: str = SHOP, **told: str) -> Reply:
        """Ask for predictions; `told` are Tidegate's own headers, such as ``caller``."""
        return self.send("POST", "predictions", {"instances": rows}, client, named(told))

    def send(
        self, method: str, path: str, content: Any = None, client: str = SHOP, more: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a request."""
        answer = self._pool.request(
            method,
            f"{self._found.url}{path}",
            body=None if content is None else json.dumps(content).encode(),
            headers={"X-Api-Key": self._key(client), "Content-Type": "application/json", **(more or {})},
            timeout=60.0,
        )
        return Reply(answer.status, answer.headers, json.loads(answer.data))

    def _key(self, client: str) -> str:
        if client not in self._keys:
            self._keys[client] = api_key(self.loop.aws, self.loop.endpoint, client)
        return self._keys[client]

    def directly(self, row: Sequence[float]) -> list[Any]:
        """Return what the endpoint answers to whom asks SageMaker itself."""
        body = json.dumps({"instances": [row]}).encode()
        answer = self.loop.cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.name, Body=body, ContentType="application/json", Accept="application/json"
        )
        found: list[Any] = json.loads(answer["Body"].read())["predictions"]
        return found

    def operate(self, *words: str, status: int = 0) -> Any:
        """Type a command of the operator's, which is to end so; return what it answers."""
        return self.loop.operate(*words, status=status)

    def items(self, prefix: str) -> list[dict[str, Any]]:
        """Return its items of the front doors' table, of one kind."""
        table = contract.inference_table(self.loop.environment)
        found = self.loop.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        begins = f"{prefix}#{self.name}#"
        return [item for page in found for item in page["Items"] if item[_OPEN]["S"].startswith(begins)]

    def change(self, item: Mapping[str, Any], attribute: str, value: float) -> None:
        """Set a number of an item, as if time had done so."""
        keys = (contract.TABLE_PARTITION_KEY, contract.TABLE_SORT_KEY)
        self.loop.cloud.client("dynamodb").update_item(
            TableName=contract.inference_table(self.loop.environment),
            Key={name: item[name] for name in keys},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": attribute},
            ExpressionAttributeValues={":value": {"N": str(value)}},
        )

    def containers(self) -> list[ProcessContainer]:
        """Return the endpoint's model servers."""
        return [each for each in self.loop.cloud.containers.running() if each.name.startswith(f"{self.name}/")]

    def kill_containers(self) -> int:
        """Kill -9 the endpoint's model servers; return how many."""
        return sum(map(signalled, self.containers(), [signal.SIGKILL] * len(self.containers())))

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The endpoint's model servers take requests and answer none."""
        stopped = self.containers()
        for each in stopped:
            signalled(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in stopped:
                signalled(each, signal.SIGCONT)

    def in_service(self) -> bool:
        """Return whether all of the endpoint's model servers are healthy."""
        found = self.containers()
        return bool(found) and all(each.ping() for each in found)


def named(told: Mapping[str, str]) -> dict[str, str]:
    """Return Tidegate's own headers: `caller` is Tidegate-Caller."""
    return {f"Tidegate-{name.replace('_', '-').title()}": value for name, value in told.items()}


def signalled(container: ProcessContainer, which: signal.Signals) -> bool:
    """Send a signal to all of a model server; return whether there was one."""
    if container.pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(container.pid, which)
        return True
    return False
