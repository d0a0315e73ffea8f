"""A policy that its endpoint cannot carry out is refused, under the name of the field that asks too much."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from stacks.config import ENVIRONMENTS, ConfigError, Environment, load_environment
from stacks.config.lengths import HOOKS_LIMIT, too_long

HOOK = "arn:aws:lambda:eu-west-1:123456789012:function:gate"
HERE = {"account": "123456789012", "region": "eu-west-1"}
BASE = {"soak_seconds": 120, "progress_deadline_seconds": 7200}
ALL = {"weight": 100}


def load(folder, rollout: dict[str, Any], fleet: dict[str, Any] | None = None, **environment: Any) -> Environment:
    """Read dev's file with another policy; its alarms look at three periods of 10 s."""
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text()) | environment
    (rain,) = body["endpoints"]
    body["endpoints"] = [{name: rain[name] for name in rain if name not in ("monitoring", "retraining")}]
    body["endpoints"][0] |= {"rollout": {**BASE, **rollout}}
    body["endpoints"][0]["fleet"] |= fleet or {}
    (folder / "dev.yaml").write_text(yaml.safe_dump(body))
    return load_environment("dev", folder)


def problem(folder, *arguments: Any, **environment: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, *arguments, **environment)
    (found,) = caught.value.problems
    return str(found)


def canary(**first: Any) -> dict[str, Any]:
    return {"strategy": "canary", "steps": [{"weight": 10, "bake_seconds": 60, **first}, ALL]}


@pytest.mark.parametrize(
    ("rollout", "field", "value"),
    [
        (canary(bake_seconds=29), "steps[0].bake_seconds", 29),
        ({"steps": [{"weight": 5, "bake_seconds": 30}, {"weight": 9}, ALL]}, "steps[1].bake_seconds", 0),
        ({**canary(), "soak_seconds": 29}, "soak_seconds", 29),
        ({"strategy": "linear", "linear": {"step_weight": 20, "interval_seconds": 20}}, "linear.interval_seconds", 20),
        ({"strategy": "blue-green", "soak_seconds": 0}, "soak_seconds", 0),
        ({"strategy": "shadow", "shadow": {"seconds": 10}}, "shadow.seconds", 10),
        ({"strategy": "ab-test", "ab_test": {"seconds": 10}}, "ab_test.seconds", 10),
    ],
)
def test_nothing_is_watched_for_less_time_than_the_alarms_look_at(tmp_path, rollout, field, value):
    found = problem(tmp_path, rollout)
    assert found.startswith(
        f"endpoints[0].rollout.{field}: {value} is not allowed; the alarms look at 3 periods of 10 s"
    )
    assert "at least 30. Way out: watch longer" in found


@pytest.mark.parametrize(
    "rollout",
    [
        canary(bake_seconds=30),
        {"strategy": "all-at-once", "soak_seconds": 0},
        {"strategy": "shadow", "shadow": {"seconds": 30}, "then": "all-at-once", "soak_seconds": 0},
        {"strategy": "ab-test", "ab_test": {"requests": 1000}},
    ],
)
def test_as_long_as_the_alarms_look_is_long_enough(tmp_path, rollout):
    assert load(tmp_path, rollout)


@pytest.mark.parametrize(
    ("rollout", "fleet", "least"),
    [
        (canary(), {}, 1200),
        (canary(), {"download_timeout_seconds": 3600}, 4200),
        (canary(bake_seconds=2000), {}, 2000 + 30 + 120),
        ({**canary(), "soak_seconds": 2000}, {"metrics_period_seconds": 60}, 2000 + 180 + 120),
        ({"strategy": "shadow", "shadow": {"seconds": 2000}}, {}, 2000 + 30 + 120),
    ],
)
def test_a_deadline_leaves_time_for_instances_and_for_the_longest_step(tmp_path, rollout, fleet, least):
    if "metrics_period_seconds" in fleet:
        rollout = {**rollout, "steps": [{"weight": 10, "bake_seconds": 180}, ALL]}
    found = problem(tmp_path, {**rollout, "progress_deadline_seconds": least - 1}, fleet)
    assert found.startswith(f"endpoints[0].rollout.progress_deadline_seconds: {least - 1} is not allowed; ")
    assert f"it must be at least {least}: " in found
    assert f"Way out: raise it to {least}, or lower one of these" in found
    assert load(tmp_path, {**rollout, "progress_deadline_seconds": least}, fleet)


AB_TEST: dict[str, Any] = {"strategy": "ab-test", "ab_test": {"seconds": 600, "tolerance_percent": 5}}
BY_EVIDENCE = {"strategy": "ab-test", "judge": {"horizon_seconds": 600}}
BY_EVIDENCE |= {"ab_test": {**AB_TEST["ab_test"], "winner": "evidence"}}


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        (AB_TEST, "ab_test.tolerance_percent: 5 is not allowed; with winner: manual a person decides"),
        (
            BY_EVIDENCE,
            "ab_test.tolerance_percent: 5 is not allowed; with winner: evidence only a version that is better",
        ),
        ({**canary(), "timezone": "Europe/Berlin"}, "timezone: 'Europe/Berlin' is not allowed; it is the time zone of"),
    ],
)
def test_options_without_effect_are_refused(tmp_path, rollout, said):
    found = problem(tmp_path, rollout)
    assert found.startswith(f"endpoints[0].rollout.{said}")
    assert ". Way out: remove " in found


JUDGE = {"judge": {"horizon_seconds": 600}}
ANSWERS = {"judge": {"horizon_seconds": 600, "answers": {"tolerated_percent": 5}}}


@pytest.mark.parametrize(
    "rollout",
    [
        {"strategy": "blue-green"},
        {"strategy": "all-at-once", "soak_seconds": 0},
        {"strategy": "shadow", "shadow": {"seconds": 60}},
        {"strategy": "canary", "steps": [ALL]},
    ],
)
def test_a_judge_needs_a_live_version_to_compare_with(tmp_path, rollout):
    found = problem(tmp_path, {**rollout, **JUDGE})
    assert found.startswith("endpoints[0].rollout.judge: {'horizon_seconds': 600} is not allowed; all the traffic")
    assert "Way out: write a canary with steps below 100, or remove judge:" in found
    assert load(tmp_path, {**canary(), **JUDGE})


def test_answers_that_are_not_captured_cannot_be_compared(tmp_path):
    found = problem(tmp_path, {**canary(), **ANSWERS}, {"capture": "off"})
    assert found.startswith("endpoints[0].rollout.judge.answers: {'tolerated_percent': 5} is not allowed; ")
    assert "Way out: write fleet.capture: sagemaker, or remove answers:" in found
    assert load(tmp_path, {**canary(), **ANSWERS})
    assert load(tmp_path, {**canary(), **JUDGE}, {"capture": "off"})


def test_a_step_that_waits_for_evidence_is_over_before_the_deadline(tmp_path):
    found = problem(tmp_path, {**canary(), "judge": {"horizon_seconds": 7100}})
    assert "it must be at least 7250" in found


def test_a_tolerance_has_an_effect_where_numbers_decide(tmp_path):
    assert load(tmp_path, {**AB_TEST, "ab_test": {**AB_TEST["ab_test"], "winner": "latency"}})


@pytest.mark.parametrize(
    ("name", "looser", "alarm"), [("error_rate_percent", 6, 5), ("p99_latency_milliseconds", 101, 100)]
)
def test_a_step_is_stricter_than_the_alarms_never_looser(tmp_path, name, looser, alarm):
    found = problem(tmp_path, canary(**{name: looser}))
    assert found.startswith(f"endpoints[0].rollout.steps[0].{name}: {looser} is not allowed; ")
    assert f"roll back above {alarm} already" in found
    assert f"Way out: lower it, leave it out, or raise alarms.{name}" in found
    assert load(tmp_path, canary(**{name: alarm}))


@pytest.mark.parametrize(("peak", "fits"), [(1, False), (2, True), (4, True), (5, False)])
def test_the_peak_is_a_size_that_the_fleet_may_have(tmp_path, peak, fits):
    fleet, rollout = {"min_instances": 2, "max_instances": 4}, canary() | {"peak_instances": peak}
    if fits:
        assert load(tmp_path, rollout, fleet)
    else:
        assert "rollout.peak_instances: " in (found := problem(tmp_path, rollout, fleet))
        assert "the fleet has 2 to 4 instances" in found


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        ({**canary(), "peak_instances": 1}, "the smallest share of it is all of it. Way out: write full"),
        ({"strategy": "blue-green"}, "blue-green shifts all the traffic in one step"),
        ({"strategy": "all-at-once", "soak_seconds": 0}, "all-at-once shifts all the traffic in one step"),
        ({"strategy": "shadow", "shadow": {"seconds": 60}}, "blue-green shifts all the traffic in one step"),
    ],
)
def test_what_cannot_be_divided_is_not_shared_out(tmp_path, rollout, said):
    found = problem(tmp_path, {**rollout, "capacity": "share"})
    assert found.startswith("endpoints[0].rollout.capacity: 'share' is not allowed; ")
    assert said in found


def test_what_can_be_divided_may_be_shared_out(tmp_path):
    assert load(tmp_path, {**canary(weight=1), "capacity": "share"}).endpoints[0].rollout.capacity == "share"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (HOOK.replace("eu-west-1", "us-east-1"), "Lambda calls no function of another region than its own"),
        (HOOK.replace("123456789012", "210987654321"), "account 210987654321 decides whom its function answers"),
        (HOOK.replace("arn:aws:", "arn:aws-cn:"), "eu-west-1 lies in the partition aws. Way out: write arn:aws:..."),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_hooks_live_where_they_can_be_asked(tmp_path, when, function, said):
    found = problem(tmp_path, canary(**{when: {"function": function}}), **HERE)
    assert found.startswith(f"endpoints[0].rollout.steps[0].{when}.function: '{function}' is not allowed; ")
    assert said in found
    assert ". Way out: " in found


def test_hooks_tie_a_file_to_their_account_and_region(tmp_path):
    found = problem(tmp_path, canary(before={"function": HOOK}))
    assert found.startswith("account: nothing stands there; endpoints[0].rollout.steps[0].before.function names")
    assert found.endswith('Way out: add account: "123456789012" and region: eu-west-1')


def test_hooks_of_all_steps_are_what_may_be_asked(tmp_path):
    rollout = canary(before={"function": HOOK}, after={"function": f"{HOOK}:live"})
    rollout["steps"][1] = {**ALL, "after": {"function": HOOK}}
    assert load(tmp_path, rollout, **HERE).hook_functions == [HOOK, f"{HOOK}:live"]


def many_hooks(count: int, name: str = "gate") -> dict[str, Any]:
    """Twenty steps, the first of which ask functions of their own before and after."""
    functions = [f"{HOOK}-{name}-{number:02}" for number in range(count)]
    asked = iter([*functions, *[None] * 40])
    steps = [{"weight": weight, "bake_seconds": 60} for weight in [*range(5, 100, 5), 100]]
    steps[-1].pop("bake_seconds")
    for step in steps:
        step |= {when: {"function": function} for when in ("before", "after") if (function := next(asked))}
    return {"steps": steps}


def test_more_hooks_than_a_policy_can_name_are_refused(tmp_path):
    one, other = (load(tmp_path, many_hooks(34, name), **HERE).endpoints[0] for name in ("one", "other"))
    environment = replace(load(tmp_path, canary(), **HERE), endpoints=(one, replace(other, name="sun")))
    (found,) = too_long(environment)
    assert f"has {HOOKS_LIMIT} characters for their ARNs" in str(found)
    assert "Way out: let one function answer for several steps" in str(found)


def test_more_settings_than_a_parameter_holds_are_refused(tmp_path):
    wordy = {"smoke_test": {"content_type": "text/csv", "body": "\t" * 2000}}
    found = problem(tmp_path, {**many_hooks(30), **wordy}, **HERE)
    assert found.startswith("endpoints[0].rollout: '")
    assert "must fit into the 8192 bytes of a parameter. Way out: save " in found
    assert load(tmp_path, many_hooks(30), **HERE)


def test_times_of_day_need_no_quotation_marks(tmp_path):
    """YAML 1.1 reads 10:00 as a number of base 60."""
    load(tmp_path, canary())
    text = (tmp_path / "dev.yaml").read_text()
    window = "    windows:\n    - days: [fri]\n      start: 08:00\n      end: 10:00\n"
    (tmp_path / "dev.yaml").write_text(text.replace("  rollout:\n", f"  rollout:\n{window}"))
    (found,) = load_environment("dev", tmp_path).endpoints[0].rollout.windows
    assert (found.days, found.start, found.end) == (("fri",), "08:00", "10:00")


def test_a_number_is_one_only_as_people_write_it(tmp_path):
    load(tmp_path, canary())
    text = (tmp_path / "dev.yaml").read_text().replace("soak_seconds: 120", "soak_seconds: 0120")
    (tmp_path / "dev.yaml").write_text(text)
    with pytest.raises(ConfigError, match="it must be a whole number"):
        load_environment("dev", tmp_path)
