"""The bases of all schedules: an endpoint, its policy, how slow AWS is, and what people do in any case."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Capture, Fleet
from lambdas.rollout.policy import Policy
from lambdas.rollout.settings import Settings
from localcloud.physics.settings import PhysicsSettings
from localcloud.simulation.cloud import ACCOUNT, BUCKET, REGION, REPOSITORY, ROLE
from localcloud.simulation.schedule import Order

NAME = "rain-local"
GOOD, BETTER, BROKEN = "1.1.0", "1.2.0", "6.6.6"

FLEET = Fleet(
    image=f"{REPOSITORY}:1",
    instance_type="ml.g5.xlarge",
    min_instances=1,
    max_instances=2,
    target_invocations_per_instance=600,
    inference_ami_version=None,
    capture=Capture(True, 100, f"s3://{BUCKET}/capture"),
    startup_timeout_seconds=600,
    download_timeout_seconds=600,
    metrics_period_seconds=10,
    network_isolation=True,
)
ALONE = replace(FLEET, max_instances=1)
"""One instance, so that neither autoscaling nor the peak has anything to do."""

QUICK = PhysicsSettings(create_seconds=4.0, update_seconds=15.0, weights_seconds=3.0, capacity_seconds=15.0)
SLOW = PhysicsSettings.as_slow_as_aws()


@dataclass(frozen=True)
class Scenario:
    """A base.

    Parameters
    ----------
    name
        What traces call it.
    policy
        How rollouts proceed.
    orders
        What people do in any case.
    physics
        How long things take.
    fleet
        What is declared.
    patience
        Seconds after the start by which everything must be over.
    """

    name: str
    policy: Policy
    orders: tuple[Order, ...] = (Order("approve version", 1.0, GOOD),)
    physics: PhysicsSettings = QUICK
    fleet: Fleet = ALONE
    patience: float = 7200.0

    @property
    def settings(self) -> Settings:
        """The endpoint's parameter."""
        return Settings(
            environment="local",
            endpoint=NAME,
            execution_role_arn=ROLE,
            image_repositories=(REPOSITORY,),
            artefact_bucket=BUCKET,
            policy=self.policy,
            evidence=Evidence(periods=2, period_seconds=10, min_requests=10, error_rate_percent=5.0),
            fleet=self.fleet,
        )


def _policy(strategy: str, **fields: Any) -> Policy:
    smoke = {"content_type": "text/csv", "body": "1,2", "requests": 2}
    common = {"soak_seconds": 20, "progress_deadline_seconds": 1800, "smoke_test": smoke}
    return Policy.from_dict({**common, "strategy": strategy, **fields})


def _step(weight: int, bake_seconds: int = 20, **fields: Any) -> dict[str, Any]:
    return {"weight": weight, "bake_seconds": bake_seconds, **fields}


def _hook(says: str) -> dict[str, Any]:
    return {"function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{says}", "timeout_seconds": 30}


_FULL = {"weight": 100}
_CANARY = _policy("canary", steps=[_step(10), _step(50), _FULL])
_GATES = [_step(10, before=_hook("go"), after=_hook("waits")), _step(50, approval=True), _FULL]
_TWO = (Order("approve version", 1.0, GOOD), Order("approve version", 65.0, BETTER))


def _strategies() -> Iterator[Scenario]:
    yield Scenario("canary", _CANARY)
    yield Scenario("linear", _policy("linear", linear={"step_weight": 40, "interval_seconds": 10}))
    yield Scenario("blue-green", _policy("blue-green"))
    yield Scenario("all-at-once", _policy("all-at-once", soak_seconds=0))
    yield Scenario("shadow", _policy("shadow", shadow={"seconds": 20, "traffic_percent": 50}, then="blue-green"))
    yield Scenario("ab-test", _policy("ab-test", ab_test={"weight": 30, "seconds": 20, "winner": "error-rate"}))


def _gated() -> Iterator[Scenario]:
    yield Scenario("gates", _policy("canary", steps=_GATES))
    yield Scenario("no-go", _policy("canary", steps=[_step(10, after=_hook("no-go")), _FULL]))
    yield Scenario("broken-hook", _policy("canary", steps=[_step(10), _step(50, before=_hook("error")), _FULL]))


def _versions() -> Iterator[Scenario]:
    yield Scenario("broken", _CANARY, (Order("approve version", 1.0, BROKEN),))
    yield Scenario("queue", _CANARY, _TWO)
    yield Scenario("restart", replace(_CANARY, newer_version="restart"), _TWO)
    yield Scenario("withdrawn", _CANARY, (Order("approve version", 1.0, GOOD), Order("reject version", 60.0, GOOD)))
    back = (Order("approve version", 1.0, GOOD), Order("rollback", 140.0, "bootstrap"))
    yield Scenario("back", _policy("canary", steps=[_step(10), _FULL], rollback_window_seconds=3600), back)


def _fleets() -> Iterator[Scenario]:
    yield Scenario("fleet", _CANARY, (Order("declare fleet", 1.0, "ml.g6.xlarge"),))
    yield Scenario("peak", _CANARY, fleet=FLEET)
    yield Scenario("share", replace(_CANARY, capacity="share"), fleet=replace(FLEET, min_instances=2))
    slow = _policy("canary", steps=[_step(5, 300), _FULL], soak_seconds=600, progress_deadline_seconds=7200)
    yield Scenario("slow", slow, physics=SLOW, fleet=FLEET, patience=40000.0)


def _commands() -> Iterator[Scenario]:
    start = Order("approve version", 1.0, GOOD)
    yield Scenario("pause", _CANARY, (start, Order("pause", 30.0), Order("resume", 75.0)))
    yield Scenario("freeze", _CANARY, (start, Order("freeze", 30.0), Order("unfreeze", 75.0)))
    yield Scenario("promote", _CANARY, (start, Order("promote", 30.0), Order("promote", 60.0, "full")))
    yield Scenario("abort-and-retry", _CANARY, (start, Order("abort", 50.0), Order("retry", 110.0)))


SCENARIOS = {
    scenario.name: scenario for group in (_strategies, _gated, _versions, _fleets, _commands) for scenario in group()
}
