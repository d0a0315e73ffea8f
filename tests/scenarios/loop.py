"""The whole loop on this machine: templates, functions, endpoint, registry and traffic, as a test drives them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from functools import cached_property
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

from lambdas import contract
from localcloud.cloud import LocalCloud
from stacks.config import Environment
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.traffic import RATE, Traffic, sending
from tidegate import registry, settings
from tidegate import rollouts as records
from tidegate.aws import Aws, connect

RAIN = "rain"
ENDPOINT = contract.endpoint_name("local", RAIN)
POLL_SECONDS = 0.25
PATIENCE_SECONDS = 600.0
"""Far more than anything takes on a busy machine; more, too, than a lost message takes to come again."""

Found = TypeVar("Found")


class Loop:
    """An environment deployed into a local cloud, and one of its endpoints, which is driven.

    Parameters
    ----------
    cloud
        The local cloud.
    models
        Folder of the trained model versions.
    assemblies
        Synthesises environments.
    name, environment
        The endpoint's name in the environment's file, and the environment's.
    """

    def __init__(
        self, cloud: LocalCloud, models: Path, assemblies: Assemblies, name: str = RAIN, environment: str = "local"
    ) -> None:
        self.cloud = cloud
        self.name = contract.endpoint_name(environment, name)
        self.environment = environment
        self._models = models
        self._assemblies = assemblies

    def at(self, name: str) -> "Loop":
        """Return what drives another endpoint of the same environment, side by side with this one."""
        assert self.aws, "made now, so that both use the same clients"
        other = copy(self)
        other.name = contract.endpoint_name(self.environment, name)
        return other

    @cached_property
    def aws(self) -> Aws:
        """The operator's clients."""
        return connect(self.cloud.environment)

    @property
    def endpoint(self) -> settings.EndpointSettings:
        """The settings that the deployment left for the functions."""
        return settings.find_endpoint(self.aws, self.environment, self.name)

    def deploy(self, environment: Environment, change: Callable[[Path], None] | None = None) -> list[tuple[str, str]]:
        """Deploy the environment; `change` may edit the assembly first. Return what was changed, and how."""
        assemblies = self._assemblies
        return self.deploy_assembly(assemblies.changed(environment, change) if change else assemblies.of(environment))

    def deploy_assembly(self, assembly: Path) -> list[tuple[str, str]]:
        """Deploy what was synthesised; return what was changed, and how."""
        return [change for result in self.cloud.deployer.deploy(assembly) for change in result.changes]

    def destroy(self) -> None:
        """Destroy all that is deployed."""
        self.cloud.deployer.destroy(list(self.cloud.deployer.stacks()))

    def approve(self, model: str, version: str | None = None) -> registry.Package:
        """Register a trained model, under a version of its own if one is given, and approve it."""
        archive = self._models / model / "model.tar.gz"
        package = registry.register(self.aws, self.endpoint, model=archive, version=version or model).package
        registry.decide(self.aws, package, "Approved")
        return package

    def operate(self, *words: str, status: int = 0) -> Any:
        """Type a command of the operator's, which is to end so; return what it answers."""
        command = [sys.executable, "-m", "tidegate", *words]
        where = ["--env", self.environment, "--endpoint", self.name, "--output", "json"]
        done = subprocess.run(
            command + where,
            env={**os.environ, **self.cloud.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def describe(self) -> dict[str, Any]:
        """Return the endpoint as DescribeEndpoint reports it."""
        return dict(self.aws.sagemaker.describe_endpoint(EndpointName=self.name))

    def weights(self) -> dict[str, float]:
        """Return the current weights of the endpoint's variants."""
        return {each["VariantName"]: each["CurrentWeight"] for each in self.describe()["ProductionVariants"]}

    def live_fleet(self) -> dict[str, Any]:
        """Return variant, instance type, image and model data of the one variant that the endpoint has."""
        described = self.aws.sagemaker.describe_endpoint_config(
            EndpointConfigName=self.describe()["EndpointConfigName"]
        )
        (variant,) = described["ProductionVariants"]
        container = self.aws.sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
        return {
            "variant": variant["VariantName"],
            "instance_type": variant["InstanceType"],
            "image": container["Image"],
            "model_data": container["ModelDataUrl"],
        }

    def rollouts(self) -> list[records.Rollout]:
        """Return the summaries of all rollouts, oldest first."""
        return records.summaries(self.aws, self.endpoint)

    def story(self) -> str:
        """Return the audit trail, for the message of a failed test."""
        return "\n".join(f"{entry.at} {entry.phase} {entry.text}" for entry in records.audit(self.aws, self.endpoint))

    def wait_for_end(self, count: int, seconds: float = PATIENCE_SECONDS) -> records.Rollout:
        """Wait until `count` rollouts have ended and none is active; return the last."""
        return self.wait_for(lambda: self.ended(count), f"{count} rollouts to end", seconds)

    def ended(self, count: int) -> records.Rollout | None:
        """Return the last of `count` rollouts if they have ended and none is active."""
        known = self.rollouts()
        assert len(known) <= count, f"{len(known)} rollouts, expected {count}\n{self.story()}"
        return known[-1] if len(known) == count and all(each.ended for each in known) else None

    def wait_for_phase(self, *phases: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the newest rollout is in one of the phases."""

        def reached() -> bool:
            state = records.state(self.aws, self.endpoint)
            active = state.get("rollout") or {}
            return active.get("phase") in phases

        self.wait_for(reached, f"phase {' or '.join(phases)}", seconds)

    def wait_for(
        self,
        look: Callable[[], Found | None],
        what: str,
        seconds: float = PATIENCE_SECONDS,
        poll: float = POLL_SECONDS,
    ) -> Found:
        """Wait until `look` returns something true; return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(poll)
        raise AssertionError(f"waited {seconds:.0f} s in vain for {what}\n{self.story()}")

    @contextmanager
    def killing(self, function: str, times: int = 1) -> Iterator[list[int]]:
        """Kill -9 the function's workers in the middle of what they do, `times` times; the list counts the killed."""
        killed: list[int] = []
        stop = Event()

        def watch() -> None:
            while len(killed) < times and not stop.wait(0.002):
                if self.cloud.functions.busy(function):
                    killed.extend(self.cloud.functions.kill(function))

        killer = Thread(target=watch, daemon=True)
        killer.start()
        try:
            yield killed
        finally:
            stop.set()
            killer.join()

    def function_logs(self) -> str:
        """Return all that the functions have logged."""
        logs = self.cloud.client("logs")
        groups = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
        pages = (logs.filter_log_events(logGroupName=group)["events"] for group in groups)
        return "\n".join(event["message"] for page in pages for event in page)

    def traffic(self, rate: float = RATE) -> AbstractContextManager[Traffic]:
        """Send recorded days, of all kinds at any time, at a steady rate for as long as the context lasts."""
        return sending(self.cloud, self.name, rate)
