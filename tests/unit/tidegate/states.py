"""Endpoints' records at the moments that an operator looks at them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Capture, Fleet
from lambdas.rollout.policy import AbTest, Hook, Policy, Shadow, SmokeTest, Step
from lambdas.rollout.state import Candidate, Freeze, Kind, Live, Phase, Rollout, State

NOW = 1_800_000_000.0
HOOK = "arn:aws:lambda:us-east-1:123456789012:function:ask-the-change-board"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/rain-local/2"
FLEET = Fleet(
    image="123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:one",
    instance_type="ml.g5.xlarge",
    min_instances=1,
    max_instances=4,
    target_invocations_per_instance=600.0,
    inference_ami_version=None,
    capture=Capture(False, 0, ""),
    startup_timeout_seconds=900,
    download_timeout_seconds=600,
    metrics_period_seconds=10,
    network_isolation=True,
)
POLICY = Policy(
    soak_seconds=1800,
    progress_deadline_seconds=86400,
    steps=(
        Step(10, 600),
        Step(25, 600, min_requests=500, before=Hook(HOOK, 60)),
        Step(50, 900, approval=True, error_rate_percent=2.0),
        Step(100),
    ),
    smoke_test=SmokeTest("text/csv", "1,2,3"),
)
SHADOW = replace(
    POLICY, strategy="shadow", then="canary", shadow=Shadow(seconds=600, traffic_percent=20, min_requests=100)
)
AB_TEST = Policy(
    soak_seconds=600,
    progress_deadline_seconds=86400,
    strategy="ab-test",
    ab_test=AbTest(weight=50, seconds=3600, winner="error-rate"),
)
LIVE = Live("blue", "rain-local-r0-final", FLEET, FLEET.image, None, "1.1.0")
IDLE = State(name="rain-local", live=LIVE, desired_fleet=FLEET, audit_count=10, wake=None)
NEXT = Candidate(PACKAGE, "1.3.0", NOW - 30, {"Image": FLEET.image})
FREEZE = Freeze("alice", NOW - 3600, "Black Friday")


def rollout(**changes: Any) -> Rollout:
    """Return a rollout of 1.2.0 on green that bakes at its second step, with four minutes left."""
    baking = Rollout(
        id="260101-100000-003",
        kind=Kind.MODEL,
        version="1.2.0",
        package_arn=PACKAGE,
        container={"Image": FLEET.image},
        slot="green",
        stable_slot="blue",
        stable_config=LIVE.config,
        mixed_config="rain-local-mixed",
        final_config="rain-local-final",
        model="rain-local-model",
        image=FLEET.image,
        policy=POLICY,
        evidence=Evidence(periods=3, period_seconds=10, min_requests=10, error_rate_percent=5.0),
        fleet=FLEET,
        execution_role_arn="arn:aws:iam::123456789012:role/model",
        started_at=NOW - 1800,
        phase=Phase.BAKE,
        step=1,
        phase_since=NOW - 360,
        done=("ReleaseScaling", "CreateModel", "CreateMixedConfig"),
        smoke_passed=3,
        verified_since=NOW - 360,
        progress_at=NOW - 400,
        cleared=("before:1",),
    )
    return replace(baking, **changes)


def rolling(**changes: Any) -> State:
    """Return the record of an endpoint with a rollout, of which something is different."""
    return replace(IDLE, rollout=rollout(**changes), wake=NOW)
