"""Environments for the local cloud that differ from `environments/local.yaml` in what a scenario is about."""

from dataclasses import replace

from lambdas.rollout.policy import Policy, Step
from stacks.config import Endpoint, Environment, load_environment
from stacks.config.retraining import OnDrift

PATIENT_MILLISECONDS = 20_000
"""A latency that only a broken model has, however busy the machine that runs the tests is."""


RETRAINED, STEADY, BROKEN, STURDY = "rain", "steady", "broken", "sturdy"
"""Endpoints of `looped`."""


def quick() -> Environment:
    """`environments/local.yaml` with a rollout that is over as soon as the alarms have seen enough, and no judge."""
    local = load_environment("local")
    (rain,) = local.endpoints
    return replace(local, endpoints=(_quick(rain),))


def looped() -> Environment:
    """`environments/loop.yaml` with quick rollouts, and more endpoints like its own, of which each has its own story.

    A single severe window would start a run of `BROKEN`; of `STURDY` a person approves, and it is trained on spot.
    """
    loop = load_environment("loop")
    (rain,) = loop.endpoints
    rain = _quick(rain)
    retraining = rain.retraining
    assert retraining is not None
    hasty = replace(retraining, on_drift=OnDrift(severe_features=1, windows=1, of=1))
    by_hand = replace(retraining, approval="manual", training=replace(retraining.training, spot=True))
    endpoints = (
        replace(rain, name=RETRAINED),
        replace(rain, name=STEADY),
        replace(rain, name=BROKEN, retraining=hasty),
        replace(rain, name=STURDY, retraining=by_hand),
    )
    return replace(loop, endpoints=endpoints)


def _quick(rain: Endpoint) -> Endpoint:
    steps = (Step(50, bake_seconds=2), Step(100))
    policy = replace(rain.rollout, steps=steps, soak_seconds=2, progress_deadline_seconds=1800, judge=None)
    alarms = replace(rain.alarms, bad_periods=1, of_periods=1, p99_latency_milliseconds=PATIENT_MILLISECONDS)
    return replace(rain, rollout=policy, alarms=alarms)


def in_one_step(environment: Environment) -> Environment:
    """For when it does not matter how a rollout proceeds, only that there is one."""
    return with_policy(environment, replace(environment.endpoints[0].rollout, steps=(Step(100),)))


def with_policy(environment: Environment, policy: Policy) -> Environment:
    """The one endpoint's rollouts proceed by that policy."""
    (only,) = environment.endpoints
    return with_endpoint(environment, replace(only, rollout=policy))


def with_endpoint(environment: Environment, endpoint: Endpoint) -> Environment:
    """That endpoint is the environment's only one."""
    return replace(environment, endpoints=(endpoint,))
