"""Many endpoints in virtual time: none starves, alarms are read together, and the whole fits into what AWS allows."""

from bench.crowd.budget import Budget
from bench.crowd.world import EventSource, Plan
from bench.many_endpoints import Findings, measure

FEW = Plan(endpoints=40, failing=8)
TIMERS_LOST = Plan(endpoints=250, minutes=8, start_seconds=60.0, failing=0, lose_timers=True)


def value(findings: Findings, what: str) -> float:
    found = {**{name: bound for name, bound, _ in findings.bounds}, **findings.times}
    return found[what]


def told(_: str) -> None:
    return


def test_every_canary_in_alarm_is_taken_off_within_the_budget() -> None:
    findings = measure(told, FEW)
    assert findings.over == []
    assert value(findings, "canaries taken off") == value(findings, "alarms at once") == 8
    assert value(findings, "alarm to weight call, worst, seconds") < 5


def test_no_endpoint_starves_when_every_timer_is_lost() -> None:
    findings = measure(told, TIMERS_LOST)
    assert 50 < value(findings, "worst gap between two looks, seconds") < 120


def test_batches_of_timers_save_calls_to_the_alarms() -> None:
    plan = Plan(endpoints=60, minutes=8, start_seconds=10.0, failing=0)
    single, together = (
        next(line.minute for line in measure(told, plan, source).lines if line.what == "cloudwatch:DescribeAlarms")
        for source in (EventSource(size=1, window=0.0), EventSource())
    )
    assert together < 0.8 * single


def test_every_limit_of_the_budget_says_where_it_comes_from() -> None:
    limits = Budget.load().limits.values()
    assert all(limit.source.startswith(("https://", "assumption: ", "ours: ")) for limit in limits)
    assert all((limit.per_second is None) != (limit.at_once is None) for limit in limits)
