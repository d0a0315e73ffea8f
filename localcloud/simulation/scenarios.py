"""The bases of all schedules: an endpoint, its policy, how slow AWS is, and what people do in any case."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Capture, Fleet
from lambdas.rollout.policy import Policy
from lambdas.rollout.settings import Settings
from localcloud.physics.settings import PhysicsSettings
from localcloud.simulation.cloud import ACCOUNT, BUCKET, REGION, REPOSITORY, ROLE, SEED
from localcloud.simulation.ends import End, described
from localcloud.simulation.hand import CONSOLE
from localcloud.simulation.schedule import Order
from localcloud.simulation.traffic import Answers

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

PROMOTED, ROLLED_BACK = "PROMOTED", "ROLLED_BACK"
FIRST = described(SEED, FLEET)
PROMOTES = End(described(GOOD, FLEET), (PROMOTED,))
GOES_BACK = End(FIRST, (ROLLED_BACK,))


@dataclass(frozen=True)
class Scenario:
    """A base.

    Parameters
    ----------
    name
        What traces call it.
    policy
        How rollouts proceed.
    end
        What it comes to.
    orders
        What people do in any case.
    answers
        How versions answer that do not answer well.
    physics
        How long things take.
    fleet
        What is declared.
    patience
        Seconds after the start by which everything must be over.
    """

    name: str
    policy: Policy
    end: End = PROMOTES
    orders: tuple[Order, ...] = (Order("approve version", 1.0, GOOD),)
    answers: Mapping[str, Answers] = field(default_factory=dict)
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
_SHORT = _policy("canary", steps=[_step(10), _FULL])
_GATES = [_step(10, before=_hook("go"), after=_hook("waits")), _step(50, approval=True), _FULL]
_START = Order("approve version", 1.0, GOOD)
_TWO = (_START, Order("approve version", 65.0, BETTER))
_AFTER_TWO = End(described(BETTER, FLEET), (PROMOTED, PROMOTED))
_LIVE_LATE = (described(GOOD, FLEET),)


def _strategies() -> Iterator[Scenario]:
    yield Scenario("canary", _CANARY)
    yield Scenario("linear", _policy("linear", linear={"step_weight": 40, "interval_seconds": 10}))
    yield Scenario("blue-green", _policy("blue-green"))
    yield Scenario("all-at-once", _policy("all-at-once", soak_seconds=0))
    yield Scenario("shadow", _policy("shadow", shadow=_SHADOW, then="blue-green"))
    yield Scenario("ab-test", _tested("error-rate"))


_SHADOW = {"seconds": 20, "traffic_percent": 50}


def _tested(winner: str) -> Policy:
    return _policy("ab-test", ab_test={"weight": 30, "seconds": 20, "winner": winner})


def _gated() -> Iterator[Scenario]:
    # A hook that said wait, and is not asked again within its time because of a crash, has not said go.
    yield Scenario("gates", _policy("canary", steps=_GATES), replace(PROMOTES, late=(FIRST,)))
    yield Scenario("no-go", _policy("canary", steps=[_step(10, after=_hook("no-go")), _FULL]), GOES_BACK)
    broken = _policy("canary", steps=[_step(10), _step(50, before=_hook("error")), _FULL])
    yield Scenario("broken-hook", broken, GOES_BACK)
    yield Scenario("ab-test-manual", _tested("manual"))
    # Time begins on a Tuesday, at a quarter past ten in the evening.
    evening = [{"days": ["tue"], "start": "22:00", "end": "22:15"}, {"days": ["tue"], "start": "22:20", "end": "23:59"}]
    yield Scenario("window", _policy("canary", steps=[_step(10), _step(50), _FULL], windows=evening))


def _bad_models() -> Iterator[Scenario]:
    """Yield those in which no alarm goes off, and the new version is bad."""
    failing, slow = {GOOD: Answers(error_percent=3.0)}, {GOOD: Answers(latency_ms=40.0)}
    yield Scenario("ab-test-lost", _tested("error-rate"), GOES_BACK, answers=failing)
    yield Scenario("shadow-worse", _policy("shadow", shadow=_SHADOW), GOES_BACK, answers=slow)
    strict = _policy("canary", steps=[_step(10, error_rate_percent=1.0), _FULL])
    yield Scenario("step-limit", strict, GOES_BACK, answers=failing)
    yield Scenario("errors-counted", _SHORT, GOES_BACK, answers={GOOD: Answers(error_percent=20.0)})


def _judged() -> Iterator[Scenario]:
    """Yield those that go on, or back, by a verdict: good versions, bad ones, and some of which too little is known."""
    worse, unreadable = {GOOD: Answers(error_percent=4.0)}, {GOOD: Answers(comparable=False)}
    yield Scenario("judged", _verdict(_EASY))
    half = _verdict({"horizon_seconds": 600}, steps=[_step(50), _FULL])
    yield Scenario("judged-worse", half, GOES_BACK, answers=worse)
    blind = _verdict({**_EASY, "horizon_seconds": 60, "inconclusive": "raise"}, progress_deadline_seconds=120)
    yield Scenario("judged-blind", blind, GOES_BACK, answers=unreadable)
    # No answers are ever compared: it goes on only when a person says so.
    silent = {**_EASY, "answers": {"tolerated_percent": 5.0}, "inconclusive": "raise"}
    yield Scenario("judged-silent", _verdict(silent))
    by_evidence = _policy("ab-test", ab_test={"weight": 50, "seconds": 300, "winner": "evidence"}, judge=_EASY)
    yield Scenario("ab-test-evidence", by_evidence, GOES_BACK, answers=worse)


_EASY = {"tolerated_error_percent": 8.0, "tolerated_slow_percent": 20.0, "horizon_seconds": 150}


def _verdict(judge: dict[str, Any], **fields: Any) -> Policy:
    return _policy("canary", **{"steps": [_step(10), _step(50), _FULL], "judge": judge, **fields})


def _meddled() -> Iterator[Scenario]:
    maintained = (_START, Order(CONSOLE, 28.0, "system update"))
    drift = (*maintained, Order(CONSOLE, 45.0, "weights green=30 blue=70"))
    yield Scenario("hand-on-weights", _SHORT, orders=drift)
    taken_off = End(FIRST, (ROLLED_BACK,), late=_LIVE_LATE)
    yield Scenario("hand-on-config", _SHORT, taken_off, (*maintained, Order(CONSOLE, 45.0, f"config {SEED}")))


def _versions() -> Iterator[Scenario]:
    yield Scenario("queue", _CANARY, _AFTER_TWO, _TWO)
    restarted = replace(_AFTER_TWO, outcomes=(ROLLED_BACK, PROMOTED))
    yield Scenario("restart", replace(_CANARY, newer_version="restart"), restarted, _TWO)
    yield Scenario("broken", _CANARY, GOES_BACK, (Order("approve version", 1.0, BROKEN),))
    yield Scenario("withdrawn", _CANARY, GOES_BACK, (_START, Order("reject version", 60.0, GOOD)))
    back = (_START, Order("rollback", 140.0, SEED))
    returned = End(FIRST, (PROMOTED, PROMOTED))
    yield Scenario("back", replace(_SHORT, rollback_window_seconds=3600), returned, back)


def _fleets() -> Iterator[Scenario]:
    larger = replace(FLEET, instance_type="ml.g6.xlarge")
    changed = End(described(SEED, larger), (PROMOTED,))
    yield Scenario("fleet", _CANARY, changed, (Order("declare fleet", 1.0, larger.instance_type),))
    yield Scenario("peak", _CANARY, fleet=FLEET)
    yield Scenario("share", replace(_CANARY, capacity="share"), fleet=replace(FLEET, min_instances=2))
    slow = _policy("canary", steps=[_step(5, 300), _FULL], soak_seconds=600, progress_deadline_seconds=7200)
    yield Scenario("slow", slow, physics=SLOW, fleet=FLEET, patience=40000.0)


def _commands() -> Iterator[Scenario]:
    yield Scenario("pause", _CANARY, orders=(_START, Order("pause", 30.0), Order("resume", 75.0)))
    yield Scenario("freeze", _CANARY, orders=(_START, Order("freeze", 30.0), Order("unfreeze", 75.0)))
    # What is rolled back before the second order comes is rolled out again by it.
    in_full = replace(PROMOTES, late=(FIRST,))
    yield Scenario("promote", _CANARY, in_full, (_START, Order("promote", 30.0), Order("promote", 60.0, "full")))
    again = End(described(GOOD, FLEET), (ROLLED_BACK, PROMOTED), late=(FIRST,))
    yield Scenario("abort-and-retry", _CANARY, again, (_START, Order("abort", 50.0), Order("retry", 110.0)))


_GROUPS = (_versions, _strategies, _gated, _bad_models, _judged, _meddled, _fleets, _commands)
SCENARIOS = {scenario.name: scenario for group in _GROUPS for scenario in group()}
