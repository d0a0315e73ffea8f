"""What following needs of the world around it. Adapters implement these; tests use fakes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.inference.following.standing import Standing
from lambdas.inference.following.wanted import Plan
from lambdas.inference.live import LiveModel
from lambdas.rollout.ports import Clock, Log, Trust


@dataclass(frozen=True)
class Seen:
    """An endpoint as SageMaker describes it.

    Parameters
    ----------
    status, config, reason
        How it is, with which endpoint config, and why it failed if it did; ``Missing`` where there is none.
    instances
        How many it has.
    created_at, modified_at
        In epoch seconds.
    """

    status: str
    config: str = ""
    reason: str = ""
    instances: int = 0
    created_at: float = 0.0
    modified_at: float = 0.0


class Standings(Protocol):
    """The inference table."""

    def load(self, endpoint: str) -> Standing:
        """Return what an endpoint's endpoint of jobs stands for; a fresh one where nothing was written."""

    def save(self, standing: Standing) -> Standing:
        """Write it and return it as written; raise `ConflictError` where it has changed since it was read."""


class LiveVersions(Protocol):
    """The rollout table, and what is live on SageMaker."""

    def of(self, endpoint: str) -> LiveModel | None:
        """Return the live version; None before the endpoint's first."""


class Endpoints(Protocol):
    """SageMaker. What exists under the name of what is to be made is taken for it."""

    def describe(self, name: str) -> Seen:
        """Look at an endpoint."""

    def create_model(self, request: Mapping[str, Any]) -> None:
        """Make a model."""

    def create_config(self, request: Mapping[str, Any]) -> None:
        """Make an endpoint config."""

    def create(self, name: str, config: str, tags: Mapping[str, str]) -> None:
        """Make an endpoint."""

    def update(self, name: str, config: str, *, keep_count: bool) -> None:
        """Put another config live, with as many instances as there are or with as many as it says."""

    def instance_type(self, config: str) -> str:
        """Return what the instances of an endpoint config are; empty where there is no such config."""

    def delete(self, made: str) -> None:
        """Delete ``endpoint/<name>``, ``config/<name>`` or ``model/<name>``; what is gone is deleted."""


class Scaling(Protocol):
    """Application Auto Scaling, and the alarm that starts the first instance."""

    def keep(self, plan: Plan) -> None:
        """Have the endpoint scale between none and its most instances."""

    def release(self, plan: Plan) -> None:
        """Take all that away again."""


class Faults(Protocol):
    """What a person must put right."""

    def report(self, endpoint: str, reason: str) -> None:
        """Log a fault and count it."""


@dataclass(frozen=True)
class Ports:
    """Everything outside."""

    standings: Standings
    live: LiveVersions
    endpoints: Endpoints
    scaling: Scaling
    trust: Trust
    faults: Faults
    clock: Clock
    log: Log
