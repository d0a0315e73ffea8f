"""Captured exchanges, and fakes of what comparing answers talks to."""

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lambdas.rollout.answers.captures import CaptureObject, Exchange, Reply
from lambdas.rollout.answers.comparing import Comparison, Failed, Refused, Unfit
from lambdas.rollout.errors import MissingError
from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Capture, Fleet
from lambdas.rollout.policy import Answers, Judging, Policy, Step
from lambdas.rollout.state import Kind, Phase, Rollout, State

KEY = "capture/rain-local/rain-local/blue/2026/11/22/12/05-01-123-4f.jsonl"
STARTED = 1_800_000_000.0


def part(data: str, kind: str = "application/json", encoding: str = "JSON", mode: str = "INPUT") -> dict[str, Any]:
    return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}


def line(asked: str, answered: str, **metadata: Any) -> str:
    captured = {"endpointInput": part(asked), "endpointOutput": part(answered, mode="OUTPUT")}
    return json.dumps({"captureData": captured, "eventMetadata": {"eventId": "1", **metadata}, "eventVersion": "0"})


def binary_line(asked: bytes, answered: bytes) -> str:
    def binary(data: bytes) -> dict[str, Any]:
        return part(base64.b64encode(data).decode(), "application/x-npy", "BASE64")

    return json.dumps({"captureData": {"endpointInput": binary(asked), "endpointOutput": binary(answered)}})


FLEET = Fleet(
    image="repository/serving:1",
    instance_type="ml.m5.large",
    min_instances=1,
    max_instances=1,
    target_invocations_per_instance=None,
    inference_ami_version=None,
    capture=Capture(enabled=True, sampling_percent=100, destination="s3://artefacts/capture/rain-local"),
    startup_timeout_seconds=600,
    download_timeout_seconds=600,
    metrics_period_seconds=10,
    network_isolation=True,
)
POLICY = Policy(
    steps=(Step(10, 60), Step(100)),
    soak_seconds=60,
    progress_deadline_seconds=7200,
    judge=Judging(answers=Answers(5.0, sample=5)),
)
ROLLOUT = Rollout(
    id="270115-080000-001",
    kind=Kind.MODEL,
    version="1.1.0",
    package_arn=None,
    container=None,
    slot="green",
    stable_slot="blue",
    stable_config="stable",
    mixed_config="mixed",
    final_config="final",
    model="model",
    image="repository/serving:1",
    policy=POLICY,
    evidence=Evidence(periods=2, period_seconds=10, min_requests=10, error_rate_percent=5.0),
    fleet=FLEET,
    execution_role_arn="role",
    started_at=STARTED,
    phase=Phase.BAKE,
    verified_since=STARTED + 60,
    effect_step=0,
    effect_since=STARTED + 60,
)


@dataclass
class Desk:
    """Comparison over fakes; `replies` answers requests, and the clock goes on by `takes` at each."""

    rollout: Rollout | None = ROLLOUT
    retired: bool = False
    lines: list[str] = field(default_factory=list)
    whole: bool = True
    reply: Callable[[Exchange], Reply | Refused | Failed | Unfit] = lambda exchange: exchange.live
    takes: float = 0.01
    time: float = STARTED + 120
    asked: list[tuple[str, str, Exchange]] = field(default_factory=list)
    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    loads: int = 0
    reads: int = 0

    def comparison(self) -> Comparison:
        return Comparison(self, self, self, self, self, self)

    def take(self, key: str = KEY, at: float | None = None) -> Any:
        from lambdas.rollout.answers.captures import capture_object

        file = capture_object("artefacts", key, self.time if at is None else at)
        assert isinstance(file, CaptureObject)
        return self.comparison().take(file)

    def change(self, **changes: Any) -> None:
        assert self.rollout is not None
        self.rollout = replace(self.rollout, **changes)

    def load(self, name: str) -> State | None:
        self.loads += 1
        if name != "rain-local":
            return None
        return replace(State.first(name, "stable", FLEET), rollout=self.rollout, retired=self.retired)

    def has(self, key: dict[str, str]) -> bool:
        return (key["pk"], key["sk"]) in self.items

    def put_new(self, item: dict[str, Any]) -> bool:
        return self.items.setdefault((item["pk"], item["sk"]), item) is item

    def read(self, bucket: str, key: str) -> tuple[bytes, bool]:
        self.reads += 1
        if not self.lines:
            raise MissingError(f"s3://{bucket}/{key} is gone")
        return ("\n".join(self.lines) + "\n").encode(), self.whole

    def ask(self, name: str, slot: str, exchange: Exchange) -> Reply | Refused | Failed | Unfit:
        self.asked.append((name, slot, exchange))
        self.time += self.takes
        return self.reply(exchange)

    def now(self) -> float:
        return self.time

    def elapsed(self) -> float:
        return self.time - STARTED

    def bind(self, **fields: object) -> None:
        pass

    def info(self, message: str) -> None:
        self.said.append(message)

    def warning(self, message: str) -> None:
        self.said.append(f"warning: {message}")

    def exception(self, message: str) -> None:
        raise AssertionError(message)


@pytest.fixture
def desk() -> Desk:
    """Return a comparison of ten captured requests that both versions answer alike."""
    return Desk(lines=[line(f'{{"n": {number}}}', f'{{"rain": 0.{number}}}') for number in range(10)])


@pytest.fixture
def capture_line() -> Callable[..., str]:
    """Return a maker of captured lines: what was asked and answered, and the event's metadata."""
    return line


@pytest.fixture
def binary_capture_line() -> Callable[[bytes, bytes], str]:
    """Return a maker of captured lines of a type that is kept in base64."""
    return binary_line


@pytest.fixture
def here() -> Any:
    """Return this module, for its names."""
    return sys.modules[__name__]
