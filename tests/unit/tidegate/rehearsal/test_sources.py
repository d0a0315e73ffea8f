"""The policy of a deployed endpoint is rehearsed as it is deployed."""

from __future__ import annotations

from typing import Any

from lambdas.rollout.policy.judging import Judging
from tests.unit.tidegate.states import POLICY
from tidegate.rehearsal.plans import Alarm, plan_of
from tidegate.rehearsal.rules import Ours
from tidegate.rehearsal.sources import deployed
from tidegate.settings import find_endpoint


def test_a_deployed_policy(account: Any) -> None:
    policy = POLICY.to_dict() | {"judge": {"margin": 2.0}}
    evidence = {"periods": 4, "period_seconds": 10, "min_requests": 20, "error_rate_percent": 3}
    account.deploy(policy=policy, evidence=evidence)
    source = deployed(find_endpoint(account.aws, "local", None))
    assert (source.name, source.period_seconds) == ("rain-local", 10)
    contender = source.contender(has_slow=True)
    assert contender.rule == Ours(Alarm(3, 20, 4, 4), Judging(margin=2.0).limits, has_slow=True)
    assert contender.plan == plan_of(source.policy)
    assert contender.notes[1:] == ("judged", "not rehearsed: approvals (given at once), hooks (they say go)")


def test_settings_of_an_older_deployment_say_nothing_of_alarms(account: Any) -> None:
    account.deploy(policy=POLICY.to_dict(), evidence={})
    source = deployed(find_endpoint(account.aws, "local", None))
    assert source.alarm == Alarm()
    assert "no judge:" in source.contender(has_slow=True).notes[1]
