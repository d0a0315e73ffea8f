"""A policy that cannot work is refused with the field, the value, the reason and the way out."""

from typing import Any

import pytest

from lambdas.rollout.policy import Policy, PolicyError

CANARY: dict[str, Any] = {
    "strategy": "canary",
    "steps": [{"weight": 10, "bake_seconds": 20}, {"weight": 100}],
    "soak_seconds": 30,
    "progress_deadline_seconds": 3600,
}
BARE: dict[str, Any] = {"soak_seconds": 30, "progress_deadline_seconds": 3600}
HOOK = "arn:aws:lambda:eu-west-1:123456789012:function:gate"
ALL = {"weight": 100}
TEN = {"weight": 10}
OFFICE = {"days": ["mon"], "start": "08:00", "end": "16:00"}
JUDGE = {"horizon_seconds": 600}
FIVE = {"tolerated_percent": 5}
SMOKE = {"content_type": "text/csv", "body": "1,2"}

REFUSED_CANARIES = [
    ({"steps": [TEN]}, "steps[0].weight", "never reaches 100"),
    ({"steps": [{"weight": 50}, {"weight": 50}, ALL]}, "steps[1].weight", "must rise"),
    ({"steps": []}, "steps", "[] is not allowed; the strategy canary needs at least one"),
    ({"steps": [{"weight": weight} for weight in [*range(1, 21), 100]]}, "steps", "1 to 20 steps"),
    ({"steps": "10"}, "steps", "it must be a list"),
    ({"steps": [10, ALL]}, "steps[0]", "it must be a mapping"),
    ({"steps": [{"weight": 0}, ALL]}, "steps[0].weight", "Way out: raise it to 1"),
    ({"steps": [TEN, {"weight": 101}]}, "steps[1].weight", "Way out: lower it to 100"),
    ({"steps": [{"weight": True}, ALL]}, "steps[0].weight", "whole number"),
    ({"steps": [{"weight": "10"}, ALL]}, "steps[0].weight", "write it in digits"),
    ({"steps": [{"weight": 100, "bake": 5}]}, "steps[0].bake", "weight, bake_seconds"),
    ({"steps": [{"bake_seconds": 5}, ALL]}, "steps[0].weight", "it is required. Way out: add weight:"),
    ({"steps": [{**TEN, "bake_seconds": -1}, ALL]}, "steps[0].bake_seconds", "from 0 to"),
    ({"steps": [TEN, {**ALL, "bake_seconds": 5}]}, "steps[1].bake_seconds", "watched for soak_seconds"),
    ({"steps": [{**TEN, "min_requests": -5}, ALL]}, "steps[0].min_requests", "from 0 to"),
    ({"steps": [{**TEN, "approval": "yes"}, ALL]}, "steps[0].approval", "true or false"),
    ({"steps": [{**TEN, "error_rate_percent": 101}, ALL]}, "steps[0].error_rate_percent", "from 0 to 100"),
    ({"steps": [{**TEN, "error_rate_percent": "1 %"}, ALL]}, "steps[0].error_rate_percent", "must be a number"),
    ({"steps": [{**TEN, "p99_latency_milliseconds": 0}, ALL]}, "steps[0].p99_latency_milliseconds", "from 1 to"),
    ({"steps": [{**TEN, "before": {"function": "gate"}}, ALL]}, "steps[0].before.function", "ARN of a Lambda"),
    ({"steps": [{**TEN, "after": {"function": f"{HOOK}:*"}}, ALL]}, "steps[0].after.function", "ARN of a Lambda"),
    ({"steps": [{**TEN, "after": {}}, ALL]}, "steps[0].after.function", "required"),
    (
        {"steps": [{**TEN, "after": {"function": HOOK, "timeout_seconds": 0}}, ALL]},
        "steps[0].after.timeout_seconds",
        "from 1 to",
    ),
    ({"soak_seconds": -1}, "soak_seconds", "whole number"),
    ({"soak_seconds": 15 * 24 * 3600}, "soak_seconds", "lower it to 1209600"),
    ({"progress_deadline_seconds": 30}, "progress_deadline_seconds", "more than the 30 s"),
    ({"progress_deadline_seconds": 0}, "progress_deadline_seconds", "raise it to 1"),
    ({"rollback_window_seconds": -1}, "rollback_window_seconds", "whole number"),
    ({"peak_instances": 0}, "peak_instances", "from 1 to 100"),
    ({"strategy": "big-bang"}, "strategy", "canary, linear, blue-green, all-at-once, ab-test, shadow"),
    ({"then": "linear"}, "then", "remove then:, or write strategy: shadow"),
    ({"capacity": "half"}, "capacity", "full, share"),
    ({"newer_version": "ignore"}, "newer_version", "queue, restart"),
    ({"smoke_test": {"content_type": "text/csv"}}, "smoke_test.body", "required"),
    ({"smoke_test": {**SMOKE, "body": ""}}, "smoke_test.body", "1 to 2000"),
    ({"smoke_test": {**SMOKE, "body": "x" * 2005}}, "smoke_test.body", "shorten it by 5 characters"),
    ({"smoke_test": {**SMOKE, "body": 12}}, "smoke_test.body", "in quotation marks"),
    ({"smoke_test": {**SMOKE, "requests": 99}}, "smoke_test.requests", "1 to 10"),
    ({"windows": [{**OFFICE, "days": []}]}, "windows[0].days", "at least one day"),
    ({"windows": [{**OFFICE, "days": "mon"}]}, "windows[0].days", "begin each entry with a hyphen"),
    ({"windows": [{**OFFICE, "days": ["monday"]}]}, "windows[0].days[0]", "mon, tue"),
    ({"windows": [{**OFFICE, "start": "8:00"}]}, "windows[0].start", 'write it as "08:00"'),
    ({"windows": [{**OFFICE, "start": "24:00"}]}, "windows[0].start", "from 00:00 to 23:59"),
    ({"windows": [{**OFFICE, "end": 960}]}, "windows[0].end", "(or 24:00)"),
    ({"windows": [{**OFFICE, "end": "08:00"}]}, "windows[0].end", "never be open"),
    ({"windows": [OFFICE] * 21}, "windows", "20 at most"),
    ({"timezone": "Mars/Olympus"}, "timezone", "such as Europe/Berlin"),
    ({"timezone": "../etc/passwd"}, "timezone", "such as Europe/Berlin"),
    ({"timezone": 1}, "timezone", "such as Europe/Berlin"),
    ({"linear": {"step_weight": 10, "interval_seconds": 5}}, "linear", "belongs to the strategy linear, not canary"),
    ({"shadow": {"seconds": 10}}, "shadow", "remove shadow:, or write strategy: shadow"),
    ({"colour": "red"}, "colour", "fields of policy"),
    ({"judge": {**JUDGE, "margin": 1}}, "judge.margin", "raise it to 1.05"),
    ({"judge": {**JUDGE, "margin": "2x"}}, "judge.margin", "must be a number"),
    ({"judge": {**JUDGE, "tolerated_error_percent": 0}}, "judge.tolerated_error_percent", "raise it to 0.01"),
    ({"judge": {**JUDGE, "tolerated_slow_percent": 60}}, "judge.tolerated_slow_percent", "lower it to 50"),
    ({"judge": {**JUDGE, "horizon_seconds": 0}}, "judge.horizon_seconds", "raise it to 1"),
    ({"judge": {**JUDGE, "inconclusive": "promote"}}, "judge.inconclusive", "ask, extend, raise"),
    ({"judge": {**JUDGE, "level": 20}}, "judge.level", "margin, tolerated_error_percent"),
    ({"judge": {**JUDGE, "answers": {}}}, "judge.answers.tolerated_percent", "required"),
    ({"judge": {**JUDGE, "answers": {"tolerated_percent": 0}}}, "judge.answers.tolerated_percent", "from 0.01 to 50"),
    ({"judge": {**JUDGE, "answers": {**FIVE, "field": 5}}}, "judge.answers.field", "name of a key or column"),
    ({"judge": {**JUDGE, "answers": {**FIVE, "field": "x" * 101}}}, "judge.answers.field", "at most 100"),
    ({"judge": {**JUDGE, "answers": {**FIVE, "tolerance": -1}}}, "judge.answers.tolerance", "raise it to 0"),
    ({"judge": {**JUDGE, "answers": {**FIVE, "sample": 0}}}, "judge.answers.sample", "raise it to 1"),
    ({"judge": {"horizon_seconds": 3600}}, "progress_deadline_seconds", "more than the 3600 s that one step takes"),
]

REFUSED_OTHERS = [
    ({"strategy": "linear"}, "linear", "needs it. Way out: add linear:"),
    (
        {"strategy": "linear", "linear": {"step_weight": 1, "interval_seconds": 5}},
        "linear.step_weight",
        "raise it to 5",
    ),
    (
        {"strategy": "linear", "linear": {"step_weight": 50, "interval_seconds": -5}},
        "linear.interval_seconds",
        "from 0 to",
    ),
    ({"strategy": "blue-green", "steps": [ALL]}, "steps", "belongs to the strategy canary, not blue-green"),
    ({"strategy": "all-at-once"}, "soak_seconds", "write 0, or the strategy blue-green"),
    ({"strategy": "shadow"}, "shadow", "the strategy shadow needs it"),
    ({"strategy": "shadow", "shadow": {"seconds": 0}}, "shadow.seconds", "from 1 to"),
    ({"strategy": "shadow", "shadow": {"seconds": 9, "traffic_percent": 0}}, "shadow.traffic_percent", "1 to 100"),
    ({"strategy": "shadow", "shadow": {"seconds": 9, "min_requests": -1}}, "shadow.min_requests", "from 0 to"),
    ({"strategy": "shadow", "shadow": {"seconds": 9, "error_rate_points": 101}}, "shadow.error_rate_points", "to 100"),
    (
        {"strategy": "shadow", "shadow": {"seconds": 9, "latency_percent": -1}},
        "shadow.latency_percent",
        "raise it to 0",
    ),
    ({"strategy": "shadow", "shadow": {"seconds": 9}, "then": "shadow"}, "then", "canary, linear"),
    ({"strategy": "shadow", "shadow": {"seconds": 9}, "then": "linear"}, "linear", "the strategy linear needs it"),
    (
        {"strategy": "shadow", "shadow": {"seconds": 9}, "steps": [ALL]},
        "steps",
        "belongs to the strategy canary, not shadow and blue-green",
    ),
    ({"strategy": "shadow", "shadow": {"seconds": 3600}}, "progress_deadline_seconds", "more than the 3600 s"),
    ({"strategy": "ab-test"}, "ab_test", "the strategy ab-test needs it"),
    ({"strategy": "ab-test", "ab_test": {"weight": 100, "seconds": 9}}, "ab_test.weight", "lower it to 99"),
    ({"strategy": "ab-test", "ab_test": {"weight": 50}}, "ab_test.seconds", "add seconds:"),
    ({"strategy": "ab-test", "ab_test": {"seconds": 9, "requests": 9}}, "ab_test.seconds", "not both"),
    ({"strategy": "ab-test", "ab_test": {"seconds": 0}}, "ab_test.seconds", "from 1 to"),
    ({"strategy": "ab-test", "ab_test": {"requests": 0}}, "ab_test.requests", "from 1 to"),
    ({"strategy": "ab-test", "ab_test": {"seconds": 9, "winner": "luck"}}, "ab_test.winner", "error-rate, latency"),
    (
        {"strategy": "ab-test", "ab_test": {"seconds": 9, "tolerance_percent": -1}},
        "ab_test.tolerance_percent",
        "raise it to 0",
    ),
    ({"strategy": "ab-test", "ab_test": {"seconds": 9, "winner": "evidence"}}, "ab_test.winner", "add judge:"),
    ({"strategy": "blue-green", "soak_seconds": None}, "soak_seconds", "whole number"),
]


def refusal(data: object) -> PolicyError:
    with pytest.raises(PolicyError) as raised:
        Policy.from_dict(data)
    return raised.value


def held(data: Any, field: str) -> Any:
    """Return what `data` holds at a path such as ``steps[0].weight``; None where it holds nothing."""
    for key in field.replace("[", ".").replace("]", "").split("."):
        data = data[int(key)] if key.isdigit() else data.get(key)
    return data


@pytest.mark.parametrize(
    ("policy", "field", "said"),
    [
        *(({**CANARY, **change}, field, said) for change, field, said in REFUSED_CANARIES),
        *(({**BARE, **change}, field, said) for change, field, said in REFUSED_OTHERS),
    ],
)
def test_refusal_names_field_value_reason_and_way_out(policy: dict[str, Any], field: str, said: str) -> None:
    error = refusal(policy)
    assert error.field == field
    assert said in str(error)
    assert error.value == held(policy, field) or isinstance(held(policy, field), list | dict | None)
    assert str(error).startswith(f"{field}: {error.value!r} is not allowed; ")
    assert f". Way out: {error.way_out}" in str(error)
    assert error.way_out


def test_what_stands_at_its_default_is_not_told_of() -> None:
    error = refusal({**BARE, "strategy": "blue-green", "steps": [TEN, {**ALL, "approval": True}]})
    assert error.value == [{"weight": 10}, {"weight": 100, "approval": True}]


@pytest.mark.parametrize("field", ["soak_seconds", "progress_deadline_seconds"])
def test_missing_field_is_named(field: str) -> None:
    error = refusal({name: value for name, value in CANARY.items() if name != field})
    assert (error.field, error.way_out) == (field, f"add {field}:")


def test_what_is_no_mapping_is_refused() -> None:
    assert refusal("canary").field == "policy"


def test_hooks_count_towards_the_deadline() -> None:
    slow = {"function": HOOK, "timeout_seconds": 1800}
    error = refusal({**CANARY, "steps": [{**TEN, "bake_seconds": 1, "before": slow, "after": slow}, ALL]})
    assert error.allowed == "it must be more than the 3601 s that one step takes"


@pytest.mark.parametrize(("inconclusive", "counts"), [("ask", True), ("raise", True), ("extend", False)])
def test_waiting_for_evidence_counts_towards_the_deadline(inconclusive: str, counts: bool) -> None:
    policy = {**CANARY, "judge": {"horizon_seconds": 5000, "inconclusive": inconclusive}}
    if counts:
        assert "more than the 5000 s" in refusal(policy).allowed
    else:
        assert Policy.from_dict(policy).longest_step_seconds == 30


def test_no_evidence_is_waited_for_with_all_the_traffic() -> None:
    assert Policy.from_dict({**BARE, "strategy": "blue-green", "judge": {}}).longest_step_seconds == 30


def test_unknown_fields_are_left_out_when_that_is_asked_for() -> None:
    data = {**CANARY, "colour": "red", "steps": [{**TEN, "taste": "sweet"}, ALL]}
    policy = Policy.from_dict(data, lenient=True)
    assert policy.plan[0].weight == 10


def test_missing_fields_are_refused_even_then() -> None:
    with pytest.raises(PolicyError, match="progress_deadline_seconds"):
        Policy.from_dict({"soak_seconds": 3, "strategy": "blue-green"}, lenient=True)
