"""The whole loop on this machine: templates, functions, endpoint, registry and traffic, as a test drives them."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from aws_cdk import App
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas import contract
from localcloud.cloud import LocalCloud
from model_containers.training import replay
from stacks.config import Environment
from stacks.stage import TidegateStage
from stacks.synth import app_context
from tidegate import registry, settings
from tidegate import rollouts as records
from tidegate.aws import Aws, connect, session

ENDPOINT = contract.endpoint_name("local", "rain")
POLL_SECONDS = 0.25
SENDERS = 4
Found = TypeVar("Found")


@dataclass(frozen=True)
class Answer:
    """One request's outcome; `variant` is None when none answered."""

    at: float
    variant: str | None
    error: str | None


@dataclass
class Traffic:
    """Requests sent so far and what became of them."""

    answers: list[Answer] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, answer: Answer) -> None:
        """Keep an answer."""
        with self._lock:
            self.answers.append(answer)

    @property
    def failures(self) -> list[Answer]:
        """The requests that were not answered with success."""
        return [answer for answer in self.answers if answer.error is not None]


class Loop:
    """An environment deployed into a local cloud.

    Parameters
    ----------
    cloud
        The local cloud.
    models
        Folder of the trained model versions.
    folder
        Where cloud assemblies go.
    """

    def __init__(self, cloud: LocalCloud, models: Path, folder: Path) -> None:
        self.cloud = cloud
        self._models = models
        self._folder = folder
        self._assemblies = itertools.count(1)

    @cached_property
    def aws(self) -> Aws:
        """The operator's clients."""
        return connect(self.cloud.environment)

    @property
    def endpoint(self) -> settings.EndpointSettings:
        """The settings that the deployment left for the functions."""
        return settings.find_endpoint(self.aws, "local", "rain")

    def synthesise(self, environment: Environment) -> Path:
        """Write the environment's cloud assembly; return its folder."""
        output = self._folder / f"assembly-{next(self._assemblies)}"
        app = App(context=app_context("local"), outdir=str(output))
        TidegateStage(app, "tidegate-local", environment=environment)
        app.synth()
        return output

    def deploy(
        self, environment: Environment, change: Callable[[Path], None] = lambda _: None
    ) -> list[tuple[str, str]]:
        """Deploy the environment; `change` may edit the assembly first. Return what was changed, and how."""
        assembly = self.synthesise(environment)
        change(assembly)
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

    def describe(self) -> dict[str, Any]:
        """Return the endpoint as DescribeEndpoint reports it."""
        return dict(self.aws.sagemaker.describe_endpoint(EndpointName=ENDPOINT))

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

    def wait_for_end(self, count: int, seconds: float = 120) -> records.Rollout:
        """Wait until `count` rollouts have ended and none is active; return the last."""

        def ended() -> records.Rollout | None:
            known = self.rollouts()
            assert len(known) <= count, f"{len(known)} rollouts, expected {count}\n{self.story()}"
            return known[-1] if len(known) == count and all(each.ended for each in known) else None

        return self.wait_for(ended, f"{count} rollouts to end", seconds)

    def wait_for_phase(self, *phases: str, seconds: float = 60) -> None:
        """Wait until the newest rollout is in one of the phases."""

        def reached() -> bool:
            state = records.state(self.aws, self.endpoint)
            active = state.get("rollout") or {}
            return active.get("phase") in phases

        self.wait_for(reached, f"phase {' or '.join(phases)}", seconds)

    def wait_for(self, look: Callable[[], Found | None], what: str, seconds: float = 60) -> Found:
        """Wait until `look` returns something true; return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"waited {seconds:.0f} s in vain for {what}\n{self.story()}")

    @contextmanager
    def killing(self, function: str, times: int = 1) -> Iterator[list[int]]:
        """Kill -9 the function's workers in the middle of what they do, `times` times; the list counts the killed."""
        killed: list[int] = []
        stop = Event()

        def watch() -> None:
            while len(killed) < times and not stop.wait(0.001):
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

    @contextmanager
    def traffic(self, rate: float = 20.0) -> Iterator[Traffic]:
        """Send the recorded days, in order, at a steady rate for as long as the context lasts."""
        traffic, stop = Traffic(), Event()
        rows = replay.rows(replay.REPLAY.start, replay.REPLAY.stop)
        threads = [
            Thread(target=self._send, args=(traffic, stop, rows[first::SENDERS], SENDERS / rate), daemon=True)
            for first in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield traffic
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _send(self, traffic: Traffic, stop: Event, rows: list[str], pause: float) -> None:
        once = Config(retries={"total_max_attempts": 1}, read_timeout=30)
        client = session(self.cloud.environment).client(
            "sagemaker-runtime", endpoint_url=self.cloud.endpoint_url, config=once
        )
        for row in itertools.cycle(rows):
            if stop.wait(pause):
                return
            traffic.add(_ask(client, row))


def _ask(client: Any, row: str) -> Answer:
    at = time.time()
    try:
        answer = client.invoke_endpoint(EndpointName=ENDPOINT, ContentType="text/csv", Body=row.encode())
    except ClientError as error:
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
        return Answer(at, headers.get("x-amzn-invoked-production-variant"), str(error))
    return Answer(at, answer["InvokedProductionVariant"], None)
