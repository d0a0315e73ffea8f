"""The endpoint of an endpoint's jobs in virtual time: versions are promoted, functions are killed, updates fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.inference.following.follower import Follower
from lambdas.inference.following.ports import Ports, Seen
from lambdas.inference.following.retiring import Retiring
from lambdas.inference.following.standing import Standing
from lambdas.inference.following.wanted import Plan
from lambdas.inference.live import LiveModel
from lambdas.inference.settings import Asynchronous
from lambdas.rollout.errors import ConflictError, EndpointBusyError, MissingError, PermanentError, TidegateError
from tests.unit.killed import CrashError, Mortal, Watched
from tests.unit.trust import FakeTrust, signed

NAME, OWN = "rain-local", "jobs-rain-local"
START = 1_800_000_000.0
CHANGE_SECONDS = 120.0
PERIOD = 60.0
PLAN = Plan(NAME, "bucket", "arn:aws:sns:eu-west-1:123456789012:topic", Asynchronous())


@dataclass
class FakeStandings:
    """The table."""

    written: Standing = field(default_factory=lambda: Standing(NAME))

    def load(self, endpoint: str) -> Standing:
        assert endpoint == NAME
        return self.written

    def save(self, standing: Standing) -> Standing:
        if standing.version_of_item != self.written.version_of_item:
            raise ConflictError("it has changed")
        self.written = replace(standing, version_of_item=standing.version_of_item + 1)
        return self.written


def artefact_of(version: str) -> str:
    """Return where a version's artefact lies."""
    return f"s3://bucket/{version}.tar.gz"


def live(version: str, instance_type: str = "ml.m5.large") -> LiveModel:
    """Return a version as SageMaker describes it."""
    container = {
        "Image": "image",
        "ModelDataUrl": artefact_of(version),
        "ModelDataSource": {"S3DataSource": {}},
        "Environment": {"TIDEGATE_MODEL_VERSION": version, "TIDEGATE_CAPTURE_SAMPLING_PERCENT": "100"},
    }
    model = {
        "ModelName": f"{NAME}-{version}",
        "PrimaryContainer": container,
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/exec",
        "EnableNetworkIsolation": True,
        "CreationTime": "then",
    }
    variant = {
        "VariantName": "green",
        "ModelName": f"{NAME}-{version}",
        "InstanceType": instance_type,
        "InitialInstanceCount": 3,
        "ContainerStartupHealthCheckTimeoutInSeconds": 77,
    }
    return LiveModel("green", version, f"arn:{version}", variant, model, signed(artefact_of(version)))


@dataclass
class FakeLive:
    """What the engine says."""

    found: LiveModel | None = None

    def of(self, endpoint: str) -> LiveModel | None:
        return self.found


class FakeEndpoints:
    """SageMaker: changes take time, one at a time, and what is in use must not go."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.models: dict[str, Mapping[str, Any]] = {}
        self.configs: dict[str, Mapping[str, Any]] = {}
        self.endpoint: Seen | None = None
        self.aim: str = ""
        self.ends = 0.0
        self.fails: list[str] = []
        self.updates: list[tuple[str, bool]] = []

    def settle(self) -> None:
        """Let a change end whose time has come."""
        if self.endpoint is None or not self.aim or self._world.time < self.ends:
            return
        if self.endpoint.status == "Deleting":
            self.endpoint = None
        elif self.fails:
            status = "InService" if self.endpoint.status == "Updating" else "Failed"
            self.endpoint = replace(self.endpoint, status=status, reason=self.fails.pop(0))
        else:
            self.endpoint = replace(self.endpoint, status="InService", config=self.aim, instances=1)
        self.aim = ""

    def describe(self, name: str) -> Seen:
        assert name == OWN
        self.settle()
        return self.endpoint or Seen("Missing")

    def create_model(self, request: Mapping[str, Any]) -> None:
        name = request["ModelName"]
        assert self.models.setdefault(name, request) == request, "the same name stands for the same"

    def create_config(self, request: Mapping[str, Any]) -> None:
        name = request["EndpointConfigName"]
        assert request["ProductionVariants"][0]["ModelName"] in self.models
        assert self.configs.setdefault(name, request) == request

    def create(self, name: str, config: str, tags: Mapping[str, str]) -> None:
        self.settle()
        if self.endpoint is None:
            self._begin(Seen("Creating", config, created_at=self._world.time), config)

    def update(self, name: str, config: str, *, keep_count: bool) -> None:
        self.settle()
        if self.endpoint is None:
            raise MissingError("could not find it")
        if self.endpoint.status != "InService":
            raise EndpointBusyError("cannot update in-progress endpoint")
        if self._world.scaling.there and self.instance_type(config) != self.instance_type(self.endpoint.config):
            raise PermanentError("must be deregistered as scalable target before they have their instance type updated")
        self.updates.append((config, keep_count))
        self._begin(replace(self.endpoint, status="Updating"), config)

    def instance_type(self, config: str) -> str:
        found = self.configs.get(config)
        return str(found["ProductionVariants"][0]["InstanceType"]) if found else ""

    def delete(self, made: str) -> None:
        kind, name = made.split("/")
        self.settle()
        if kind == "endpoint":
            if self.endpoint is not None:
                assert self.endpoint.status in ("InService", "Failed")
                self._begin(replace(self.endpoint, status="Deleting"), "nothing")
            return
        used = {self.endpoint.config, self.aim} if self.endpoint is not None else set()
        if kind == "config":
            assert name not in used, "a config that is in use must not go"
            self.configs.pop(name, None)
        else:
            assert name not in {self.model_of(each) for each in used}, "a model that is in use must not go"
            self.models.pop(name, None)

    def model_of(self, config: str) -> str:
        """Return the model in a config."""
        found = self.configs.get(config)
        return str(found["ProductionVariants"][0]["ModelName"]) if found else ""

    def _begin(self, seen: Seen, config: str) -> None:
        assert config in self.configs or config == "nothing", "a config must be there before it is put live"
        self.endpoint = replace(seen, modified_at=self._world.time)
        self.aim, self.ends = config, self._world.time + CHANGE_SECONDS


@dataclass
class FakeScaling:
    """Application Auto Scaling."""

    kept: int = 0
    there: bool = False

    def keep(self, plan: Plan) -> None:
        self.kept += 1
        self.there = True

    def release(self, plan: Plan) -> None:
        self.there = False


@dataclass
class FakeFaults:
    """What people are told."""

    reasons: list[str] = field(default_factory=list)

    def report(self, endpoint: str, reason: str) -> None:
        self.reasons.append(reason)


class World(Mortal):
    """An endpoint with an endpoint of jobs."""

    def __init__(self, version: str | None = "v1") -> None:
        self.time = START
        self.standings, self.live = FakeStandings(), FakeLive(live(version) if version else None)
        self.endpoints, self.scaling, self.faults = FakeEndpoints(self), FakeScaling(), FakeFaults()
        self.trust = FakeTrust()
        self.log: list[str] = []

    def now(self) -> float:
        return self.time

    def info(self, message: str) -> None:
        self.log.append(message)

    def ports(self) -> Ports:
        """Return the world as a function sees it."""
        return Ports(
            standings=Watched(self, self.standings),  # type: ignore[arg-type]
            live=Watched(self, self.live),  # type: ignore[arg-type]
            endpoints=Watched(self, self.endpoints),  # type: ignore[arg-type]
            scaling=Watched(self, self.scaling),  # type: ignore[arg-type]
            trust=Watched(self, self.trust),  # type: ignore[arg-type]
            faults=self.faults,
            clock=self,  # type: ignore[arg-type]
            log=self,  # type: ignore[arg-type]
        )

    def look(self) -> None:
        """Let the function look, as it does each minute."""
        try:
            Follower(self.ports(), PLAN).look()
        except CrashError:
            self.crash_at = None
        except TidegateError as error:
            self.log.append(str(error))

    def minutes(self, count: int) -> None:
        """Let minutes go by."""
        for _ in range(count):
            self.look()
            self.time += PERIOD

    def promote(self, version: str, instance_type: str = "ml.m5.large") -> None:
        """Let another version become live."""
        self.live.found = live(version, instance_type)

    def retire(self) -> bool:
        """Let the stack go."""

        def wait(gone: Any) -> bool:
            for _ in range(60):
                if gone():
                    return True
                self.time += 5
            return False

        return Retiring(self.ports(), PLAN).end(wait)

    @property
    def answers(self) -> str:
        """The version that answers jobs; empty where none does."""
        seen = self.endpoints.endpoint
        if seen is None or seen.status not in ("InService", "Updating"):
            return ""
        model = self.endpoints.models[self.endpoints.model_of(seen.config)]
        return str(model["PrimaryContainer"]["Environment"]["TIDEGATE_MODEL_VERSION"])
