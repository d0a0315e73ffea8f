"""The front door's function as Lambda has it: versions, the alias, what is provisioned, and workers as processes."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.front_door.place import Place
from bench.front_door.templates import LOCAL
from lambdas import contract

PATIENCE_SECONDS = 90.0
HANDLER = "predict"
SPILLED = "ProvisionedConcurrencySpilloverInvocations"
THROTTLED = "Throttles"
_LOOK_SECONDS = 0.05
_MARK = "TIDEGATE_BENCH"


class LiveFunction:
    """The function behind ``POST /predictions``.

    Parameters
    ----------
    place
        Where it is deployed.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._client: Any = place.client("lambda")
        self.name = contract.front_door_function(LOCAL, place.endpoint.name.removesuffix(f"-{LOCAL}"), HANDLER)
        self._alias = {"FunctionName": self.name, "Name": contract.LIVE_ALIAS}
        self._qualified = {"FunctionName": self.name, "Qualifier": contract.LIVE_ALIAS}
        self._variables: Mapping[str, str] = self._client.get_function_configuration(FunctionName=self.name)[
            "Environment"
        ]["Variables"]
        self._published = 0

    @property
    def role(self) -> str:
        """Return the ARN of its role."""
        return str(self._client.get_function_configuration(FunctionName=self.name)["Role"])

    def publish(self, **settings: Any) -> str:
        """Return a new version, whose front door's settings differ in some fields from those that were deployed."""
        self._published += 1
        told = {**json.loads(self._variables[contract.ENV_FRONT_DOOR]), **settings}
        variables = {**self._variables, contract.ENV_FRONT_DOOR: json.dumps(told), _MARK: str(self._published)}
        self._client.update_function_configuration(FunctionName=self.name, Environment={"Variables": variables})
        until(lambda: self._state() == "Successful", "the function's configuration")
        return str(self._client.publish_version(FunctionName=self.name)["Version"])

    def _state(self) -> str:
        return str(self._client.get_function_configuration(FunctionName=self.name).get("LastUpdateStatus", ""))

    def move(self, version: str) -> None:
        """Let the alias move to a version; what is provisioned goes before it."""
        self._client.update_alias(**self._alias, FunctionVersion=version)

    def moved(self) -> bool:
        """Return whether the alias has arrived, and all that is provisioned of it is ready."""
        if self._client.get_alias(**self._alias).get("RoutingConfig", {}).get("AdditionalVersionWeights"):
            return False
        return str(self._client.get_provisioned_concurrency_config(**self._qualified)["Status"]) == "READY"

    def provide(self, count: int) -> None:
        """Keep so many workers ready, and wait for them."""
        self._client.put_provisioned_concurrency_config(**self._qualified, ProvisionedConcurrentExecutions=count)
        until(self.moved, "provisioned workers")

    def provided(self) -> int:
        """Return how many workers are kept ready."""
        found = self._client.get_provisioned_concurrency_config(**self._qualified)
        return int(found["RequestedProvisionedConcurrentExecutions"])

    def withdraw(self) -> None:
        """Keep none ready, and let nobody ask for any."""
        scaling: Any = self._place.client("application-autoscaling")
        for target in scaling.describe_scalable_targets(ServiceNamespace="lambda")["ScalableTargets"]:
            names = ("ServiceNamespace", "ResourceId", "ScalableDimension")
            scaling.deregister_scalable_target(**{name: target[name] for name in names})
        self._client.delete_provisioned_concurrency_config(**self._qualified)

    def counted(self, metric: str, since: float) -> float:
        """Return the sum of one of the alias's metrics since a moment."""
        answer = self._place.aws.cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[
                {"Name": "FunctionName", "Value": self.name},
                {"Name": "Resource", "Value": f"{self.name}:{contract.LIVE_ALIAS}"},
            ],
            StartTime=datetime.fromtimestamp(since - since % 60, UTC),
            EndTime=datetime.fromtimestamp(time.time() + 60, UTC),
            Period=60,
            Statistics=["Sum"],
        )
        return sum(float(point["Sum"]) for point in answer["Datapoints"])

    def workers(self) -> list[int]:
        """Return the workers' process ids; they are children of the local cloud's process."""
        return children(self._place.running.pid, f"inference.handlers.{HANDLER}")


def until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something holds; raise `BenchError` when it takes too long."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            raise BenchError(f"{what}: not there within {seconds:g} s; the local cloud's log may say why")
        time.sleep(_LOOK_SECONDS)


def children(parent: int, having: str) -> list[int]:
    """Return the ids of a process's children whose command line has some words."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            status, command = (path / "status").read_text(), (path / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended meanwhile
        if f"\nPPid:\t{parent}\n" in status and having in command.replace(b"\0", b" ").decode(errors="replace"):
            found.append(int(path.name))
    return sorted(found)
