"""When a run starts, what stands against it, and what becomes of it."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.retraining.approving import consider
from lambdas.retraining.decide import decide
from lambdas.retraining.decision import Turn
from lambdas.retraining.outcome import read_champion
from lambdas.retraining.said import DataCame, Followed, Given, Live, Look, Ordered
from lambdas.retraining.state import REMEMBERED_EVENTS, Champion, Run, State, Status
from lambdas.rollout.errors import ForeignError, PermanentError, RetryableError, TimedOutError

w: Any = sys.modules["retraining_world"]
MINUTE, HOUR, DAY = w.MINUTE, w.HOUR, w.DAY
NEW = Champion("1.1.0", "arn:package/2", "config-2", "green")


def change(world: Any, **fields: Any) -> None:
    world.settings = replace(world.settings, **fields)


def begun(world: Any) -> int:
    return len(world.pipelines.executions)


def test_severe_drift_in_two_of_three_windows_starts_a_run(world: Any) -> None:
    world.tell(world.window(1))
    world.tell(world.window(2, severe=0, severity="none"))
    assert begun(world) == 0
    world.tell(world.window(3))
    assert begun(world) == 1
    (execution,) = world.pipelines.executions
    assert execution.token == world.state.run.id
    assert world.state.run.status is Status.RUNNING
    (text,) = world.store.texts("start")
    assert "2 of the last 3 windows had 2 or more severely drifted features" in text
    assert "it is run 1 of 8 of 2027-01" in text


@pytest.mark.parametrize("severity", ["suspect", "undecided"])
def test_windows_of_broken_data_never_count(world: Any, severity: str) -> None:
    for number in range(6):
        world.tell(world.window(number, severity=severity))
    assert begun(world) == 0
    assert world.store.texts("start") == []


def test_windows_with_too_few_features_never_count(world: Any) -> None:
    for number in range(6):
        world.tell(world.window(number, severe=1))
    assert begun(world) == 0


def test_windows_that_are_too_far_apart_do_not_add_up(world: Any) -> None:
    for number, severe in enumerate([3, 0, 0, 3, 0, 0, 3]):
        world.tell(world.window(number, severe, "severe" if severe else "none"))
    assert begun(world) == 0


def test_event_that_comes_twice_is_one_window(world: Any) -> None:
    for _ in range(4):
        world.tell(world.window(1))
    assert begun(world) == 0
    assert len(world.state.windows) == 1


def test_order_of_windows_does_not_matter(world: Any) -> None:
    world.tell(world.window(3))
    world.tell(world.window(2, severe=0, severity="none"))
    assert begun(world) == 0
    world.tell(world.window(1))
    assert begun(world) == 1


def test_pipeline_is_given_what_it_needs(world: Any) -> None:
    world.drift()
    (execution,) = world.pipelines.executions
    run = world.state.run
    given = execution.parameters
    prefix = f"s3://artefacts/retraining/rain-local/{run.id}"
    assert given["ImageUri"] == "repository/training:1"
    assert given["CapturesManifest"] == f"{prefix}/captures.manifest"
    assert given["LabelsManifest"] == f"{prefix}/labels.manifest"
    assert (given["ChampionVersion"], given["ChampionUri"]) == ("1.0.0", "s3://artefacts/1.0.0/model.tar.gz")
    assert given["LeastGain"] == "0.01"
    assert given["OutputUri"] == prefix
    manifest = json.loads(world.files.content[f"retraining/rain-local/{run.id}/captures.manifest"])
    assert manifest == [
        {"prefix": "s3://artefacts/"},
        "capture/rain-local/blue/2027/01/15/07/a.jsonl",
        "capture/rain-local/blue/2027/01/15/08/a.jsonl",
    ]
    began = datetime.fromtimestamp(w.START + MINUTE, UTC)
    assert run.since == w.START + MINUTE - 60 * MINUTE
    assert given["Since"] == f"{began:%Y-%m-%dT%H:%M:%SZ}"


def test_drift_reaches_back_to_where_it_began(world: Any) -> None:
    change(world, on_drift=replace(world.settings.on_drift, windows=3))
    world.tell(world.window(1, severe=0, severity="none"))
    for number in (2, 3, 4):
        world.tell(world.window(number))
    assert world.state.run.since == w.START + 2 * MINUTE - 60 * MINUTE


def test_better_challenger_is_approved_by_rule(world: Any) -> None:
    world.drift()
    world.until_over()
    assert world.outcomes == ["registered"]
    ((arn, reason),) = world.models.approvals
    assert arn == "arn:package/2"
    assert world.models.asked == list(world.store.runs)
    assert "better than 1.0.0 by 5.0 points of accuracy (at least 1.0 points, p = 0.0010)" in reason
    assert [subject for subject, _ in world.notices] == ["rain-local: approved 1.1.0"]
    world.check_over()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"signature_change": True}, "its inputs or outputs are others"),
        ({"checks_passed": False}, "its checks did not pass"),
        ({"better": False}, "is not shown to be 1.0 points or more"),
        ({"gain": 0.009}, "its gain of 0.9 points is not shown to be 1.0 points or more"),
        ({"p_value": None}, "nothing says how likely its gain is by chance"),
        ({"p_value": float("nan")}, "nothing says how likely its gain is by chance"),
        ({"p_value": False}, "nothing says how likely its gain is by chance"),
        ({"p_value": 0.06}, "its gain may be chance (p = 0.060)"),
        ({"doubts": ("labels are reversed",)}, "what it has learnt may not be true: labels are reversed"),
    ],
)
def test_what_the_rule_does_not_allow_waits_for_a_person(world: Any, changes: dict[str, Any], why: str) -> None:
    world.pipelines.concludes = replace(w.BETTER, **changes)
    world.drift()
    world.until_over()
    assert world.models.approvals == []
    ((subject, text),) = world.notices
    assert subject == "rain-local: 1.1.0 waits for approval"
    assert why in text
    assert text.endswith("python -m tidegate approve --env local --endpoint rain-local --version 1.1.0")


def test_gain_whose_chance_is_no_number_waits_for_a_person(world: Any) -> None:
    run = Run("run-1", "drift", "because", w.BOOTSTRAP, 1.0, 2.0, 3.0)
    for p_value in (float("nan"), None):
        given = Given(Look(), Live(w.BOOTSTRAP))
        turn = Turn(State(w.NAME), given, world.time, world.settings)
        decision = consider(turn, run, replace(w.BETTER, p_value=p_value), "It is registered.")
        assert decision.action is None
        assert "it has no p-value" in decision.notices[0].text


def test_package_that_is_not_the_run_s_waits_for_a_person_with_the_reason(world: Any) -> None:
    world.models.error = ForeignError("arn:package/2 was not registered by it")
    world.drift()
    world.until_over()
    assert world.models.approvals == []
    assert "1.1.0 could not be approved: arn:package/2 was not registered by it" in world.notices[0][1]


def test_champion_is_written_down_for_the_last_step(world: Any) -> None:
    world.champion = NEW
    world.drift()
    content = world.files.content[f"retraining/rain-local/{world.state.run.id}/champion.json"]
    assert read_champion(content) == NEW.key


def test_challenger_of_what_is_no_longer_live_is_told_as_such(world: Any) -> None:
    reason = "1.1.0 has gone live since the run began"
    world.pipelines.concludes = replace(w.UNFIT, reason=reason, checks_passed=True)
    world.drift()
    world.champion = NEW
    world.until_over()
    ((subject, text),) = world.notices
    assert subject == "rain-local: 1.1.0 stays"
    assert reason in text
    assert "checks failed" not in text


@pytest.mark.parametrize("letter", ["x", "é", "雨", "🌧"])
def test_event_stays_small_and_json_whatever_is_in_it(world: Any, letter: str) -> None:
    numbers = {"much": [letter * 1000] * 9}
    world.pipelines.concludes = replace(w.SAME, reason=letter * 9000, version=letter * 9000, numbers=numbers)
    world.tell(world.order(reason=letter * 9000))
    world.until_over()
    assert [each["happened"] for each in world.events] == ["started", "ended"]
    assert all(len(json.dumps(each)) < 4000 for each in world.events)
    assert world.events[-1]["text"].startswith("The run run-00001")
    assert letter in world.events[0]["reason"]
    assert world.events[-1]["numbers"] is None


def test_event_with_what_is_no_number_is_json(world: Any) -> None:
    world.pipelines.concludes = replace(w.SAME, numbers={"gain": float("nan"), "rows": 9})
    world.drift()
    world.until_over()
    assert world.events[-1]["numbers"] == {"gain": None, "rows": 9}


def test_news_of_data_do_not_make_a_command_forgotten(world: Any) -> None:
    command = world.order("dance")
    world.tell(command)
    state = world.state
    for number in range(REMEMBERED_EVENTS + 1):
        given = Given(DataCame(f"d{number}", world.time), Live(w.BOOTSTRAP))
        state = decide(state, given, world.time, world.settings).state
    assert state.seen == (command.id,)
    assert state.data_at == world.time
    assert decide(state, Given(command, Live(w.BOOTSTRAP)), world.time, world.settings).entries == ()


def test_manual_approval_is_a_person_s(world: Any) -> None:
    change(world, approval="manual")
    world.drift()
    world.until_over()
    assert world.models.approvals == []
    assert "approval is manual here" in world.notices[0][1]


def test_whoever_approves_is_told_of_doubts(world: Any) -> None:
    change(world, approval="manual")
    world.pipelines.concludes = replace(w.BETTER, doubts=("labels are reversed",))
    world.drift()
    world.until_over()
    assert "what it has learnt may not be true: labels are reversed" in world.notices[0][1]


def test_version_that_was_not_compared_with_what_is_live_is_left_to_people(world: Any) -> None:
    world.drift()
    world.champion = NEW
    world.until_over()
    assert world.models.approvals == []
    assert "1.1.0 has gone live since, with which it was not compared" in world.notices[0][1]


def test_no_version_is_approved_into_another_rollout(world: Any) -> None:
    world.drift()
    world.rolling_out = "9.9.9"
    world.until_over()
    assert world.models.approvals == []
    assert "9.9.9 is being rolled out just now" in world.notices[0][1]


def test_rejected_meanwhile_is_left_rejected(world: Any) -> None:
    world.models.status["arn:package/2"] = "Rejected"
    world.drift()
    world.until_over()
    assert world.models.approvals == []
    assert "1.1.0 is left as somebody decided meanwhile: Rejected." in world.store.texts("approval")


def test_approval_that_aws_refuses_is_a_fault_and_waits_for_a_person(world: Any) -> None:
    world.models.error = PermanentError("AccessDenied: sagemaker:UpdateModelPackage")
    world.drift()
    world.until_over()
    assert any("could not be approved" in fault for fault in world.faults)
    assert "tidegate approve" in world.notices[0][1]


@pytest.mark.parametrize(
    ("concludes", "outcome", "why"),
    [
        (w.SAME, "champion_stays", "the challenger is not better"),
        (w.UNFIT, "refused", "checks failed"),
        (w.SWAPPED, "refused", "the challenger cannot be registered: archive_not_evaluated"),
    ],
)
def test_champion_stays_is_a_normal_outcome(world: Any, concludes: Any, outcome: str, why: str) -> None:
    world.pipelines.concludes = concludes
    world.drift()
    world.until_over()
    assert world.outcomes == [outcome]
    ((subject, text),) = world.notices
    assert subject == "rain-local: 1.0.0 stays"
    assert why in text
    assert concludes.reason in text
    assert world.faults == []
    world.check_over()


def test_failure_is_told_with_the_step_s_reason(world: Any) -> None:
    world.pipelines.ending, world.pipelines.concludes = "Failed", None
    world.drift()
    world.until_over()
    assert world.outcomes == ["failed"]
    assert any("too_few_rows: 12 labelled rows" in fault for fault in world.faults)
    assert world.notices[0][0] == "rain-local: retraining failed"
    assert world.events[-1]["outcome"] == "failed"


def test_outcome_counts_though_the_execution_failed_after_it(world: Any) -> None:
    world.pipelines.ending = "Failed"
    world.drift()
    world.until_over()
    assert world.outcomes == ["registered"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"schema": 1, "run": "another", "outcome": "registered"}',
        pytest.param(b" " * (w.MOST_BYTES + 1), id="too large"),
    ],
)
def test_outcome_that_cannot_be_read_is_a_failure(world: Any, content: bytes) -> None:
    world.pipelines.concludes = None
    world.drift()
    world.files.content[f"retraining/rain-local/{world.state.run.id}/outcome.json"] = content
    world.until_over()
    assert world.outcomes == ["failed"]
    assert any("outcome.json" in fault for fault in world.faults)


def test_drift_during_a_run_is_noted_and_starts_nothing_after_it(world: Any) -> None:
    world.pipelines.concludes = w.SAME
    world.drift()
    for number in (4, 5, 6):
        world.tell(world.window(number))
    assert begun(world) == 1
    assert len(world.store.texts("refused")) == 3
    assert all("is under way since" in text for text in world.store.texts("refused"))
    world.until_over()
    world.pass_time(2 * HOUR)
    assert begun(world) == 1


def test_refusal_that_lasts_is_said_once(world: Any) -> None:
    world.drift()
    for _ in range(5):
        world.tell(world.window(5))
    assert len(world.store.texts("refused")) == 1


def test_cool_down_is_said_with_its_numbers_and_then_the_cause_still_stands(world: Any) -> None:
    world.pipelines.concludes = w.SAME
    world.drift()
    world.until_over()
    ended = world.state.last_ended_at
    world.drift()
    (text,) = world.store.texts("refused")
    assert "30 minutes must pass (cooldown_minutes), which is until" in text
    assert begun(world) == 1
    world.pass_time(40 * MINUTE)
    assert begun(world) == 2
    assert world.pipelines.executions[1].began >= ended + 30 * MINUTE


def test_budget_of_the_month_is_kept_and_renewed(world: Any) -> None:
    change(world, monthly_runs=2, cooldown_minutes=1)
    world.pipelines.concludes = w.SAME
    for _ in range(3):
        world.drift()
        world.until_over()
        world.pass_time(5 * MINUTE)
    assert begun(world) == 2
    assert (
        "2 of 2 runs of 2027-01 (monthly_runs) are used; the next may start on 2027-02-01"
        in world.store.texts("refused")[-1]
    )
    world.tell(world.order())
    assert begun(world) == 2
    world.time += 20 * DAY
    world.files.content["capture/rain-local/blue/2027/02/04/08/a.jsonl"] = b"captured"
    world.files.content["labels/rain-local/2027/02/04/08/a.jsonl"] = b"labelled"
    world.sweep()
    assert begun(world) == 3


def test_version_that_has_gone_live_makes_drift_begin_anew(world: Any) -> None:
    world.tell(world.window(1))
    world.time += 2 * MINUTE
    world.champion = NEW
    world.tell(world.window(2))
    world.tell(world.window(1))
    assert begun(world) == 0
    assert any("1.1.0 has gone live: windows of traffic before that no longer count" in t for t in world.store.texts())
    world.drift()
    assert begun(world) == 1
    assert world.state.run.champion == NEW


def test_no_run_starts_of_itself_during_a_rollout_but_an_operator_s_does(world: Any) -> None:
    world.rolling_out = "9.9.9"
    world.drift()
    assert begun(world) == 0
    assert "9.9.9 is being rolled out" in world.store.texts("refused")[0]
    world.tell(world.order())
    assert begun(world) == 1


def test_schedule_starts_a_run_without_any_event(world: Any) -> None:
    change(world, on_drift=None, schedule_days=2)
    world.pipelines.concludes = w.SAME
    world.files.content["capture/rain-local/blue/2027/01/17/08/a.jsonl"] = b"captured"
    world.sweep()
    world.time += 2 * DAY - 5 * MINUTE
    world.sweep()
    assert begun(world) == 0
    world.pass_time(10 * MINUTE)
    assert begun(world) == 1
    world.until_over()
    world.pass_time(HOUR)
    assert begun(world) == 1
    assert "2 days have passed since" in world.store.texts("start")[0]


def test_new_data_start_a_run_once(world: Any) -> None:
    change(world, on_drift=None, on_new_data=True)
    world.pipelines.concludes = w.SAME
    news = world.data()
    world.tell(news)
    assert begun(world) == 1
    world.until_over()
    world.tell(news)
    world.pass_time(2 * HOUR)
    assert begun(world) == 1
    world.files.content[f"capture/rain-local/blue/2027/01/15/{10:02d}/a.jsonl"] = b"captured"
    world.tell(world.data())
    assert begun(world) == 2


def test_new_data_start_nothing_where_that_is_not_wanted(world: Any) -> None:
    world.tell(world.data())
    assert begun(world) == 0


def test_operator_starts_a_run_in_the_cool_down_but_not_beside_another(world: Any) -> None:
    world.pipelines.concludes = w.SAME
    world.drift()
    first = world.order(reason="quarter's end")
    world.tell(first)
    (text,) = world.store.texts("command")
    assert "anna ordered a run, but the run run-00001" in text
    world.until_over()
    second = world.order()
    world.tell(second)
    world.tell(second)
    world.tell(first)
    assert begun(world) == 2
    answered = [entry["numbers"] for entry in world.store.audit if entry["kind"] == "command"]
    assert [(each["command"], each["accepted"]) for each in answered] == [(first.id, False), (second.id, True)]


def test_command_that_is_none_is_refused(world: Any) -> None:
    world.tell(Ordered("c9", "dance", "anna", world.time))
    assert "'dance', which is neither start nor stop" in world.store.texts("command")[0]


def test_operator_stops_a_run(world: Any) -> None:
    world.drift()
    world.tell(world.order("stop", reason="wrong labels"))
    world.until_over()
    assert world.outcomes == ["failed"]
    assert "it was stopped because anna ordered it: wrong labels" in world.faults[0]
    assert world.pipelines.executions[0].status == "Stopped"
    world.tell(world.order("stop"))
    assert "no run is under way" in world.store.texts("command")[-1]


def test_run_beyond_its_limit_is_stopped_and_failed(world: Any) -> None:
    world.pipelines.seconds = 10 * DAY
    world.drift()
    world.until_over()
    assert world.outcomes == ["failed"]
    assert "it has taken 2.0 hours, and 2.0 are allowed (run_limit_minutes)" in world.faults[0]
    assert world.pipelines.executions[0].status == "Stopped"


def test_execution_that_is_gone_is_a_failure(world: Any) -> None:
    world.drift()
    world.pipelines.executions.clear()
    world.until_over()
    assert world.outcomes == ["failed"]


def test_run_that_cannot_be_started_fails_at_once(world: Any) -> None:
    world.pipelines.refusals = [w.REFUSED_FOR_GOOD]
    world.drift()
    assert world.outcomes == ["failed"]
    assert "could not be started: ValidationException: ImageUri" in world.faults[0]
    assert world.state.run is None


@pytest.mark.parametrize(("gone", "why"), [("capture", "nothing was captured"), ("labels", "no labels came")])
def test_run_without_data_fails_with_the_reason(world: Any, gone: str, why: str) -> None:
    world.files.content = {key: value for key, value in world.files.content.items() if not key.startswith(gone)}
    world.drift()
    assert world.outcomes == ["failed"]
    assert why in world.faults[0]
    assert begun(world) == 0


@pytest.mark.parametrize("error", [RetryableError("ThrottlingException"), TimedOutError("no answer")])
def test_start_that_fails_for_now_is_tried_again(world: Any, error: Exception) -> None:
    world.pipelines.refusals = [error, error]
    world.drift()
    assert world.state.run.status is Status.INTENDED
    world.until_over()
    assert world.outcomes == ["registered"]
    assert begun(world) == 1
    assert len(world.store.texts("hold")) == 1


def test_start_that_keeps_failing_is_given_up(world: Any) -> None:
    world.pipelines.refusals = [RetryableError("ThrottlingException")] * 100
    world.drift()
    world.until_over()
    assert world.outcomes == ["failed"]
    assert begun(world) == 0


def test_two_tries_to_start_are_never_under_way_at_once(world: Any) -> None:
    world.pipelines.refusals = [RetryableError("ThrottlingException")]
    world.drift()
    for _ in range(5):
        world.tell(world.look())
    assert begun(world) == 0
    assert world.state.run.attempts == 1


def test_conflict_is_decided_anew(world: Any) -> None:
    world.tell(world.window(1))
    world.store.conflicts = 2
    world.tell(world.window(2))
    assert begun(world) == 1


def test_endpoint_that_is_not_retrained_is_left_alone(world: Any) -> None:
    from lambdas.retraining.controller import Controller

    Controller(world.ports).tell("snow-local", world.look())
    assert world.store.written == {}


def test_run_is_called_the_same_however_often_it_is_decided_on() -> None:
    ids = set()
    for _ in range(2):
        world = w.World()
        world.drift()
        ids.add(world.state.run.id)
    (identity,) = ids
    assert len(identity) == 34


def test_start_of_which_nobody_knows_is_never_given_up(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.pipelines.refusals = [TimedOutError("no answer")]
    find, world.pipelines.seconds = world.pipelines.find, 5 * HOUR
    world.drift()
    assert begun(world) == 1

    def unknown(*_: Any) -> str:
        raise RetryableError("ThrottlingException")

    monkeypatch.setattr(world.pipelines, "find", unknown)
    world.pass_time(1.5 * HOUR)
    assert world.state.run.status is Status.INTENDED
    monkeypatch.setattr(world.pipelines, "find", find)
    world.pass_time(5 * MINUTE)
    assert world.state.run.execution == world.pipelines.executions[0].arn


def test_start_that_cannot_be_looked_for_is_given_up_after_its_limit(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pipelines.refusals = [RetryableError("ThrottlingException")]
    world.drift()

    def denied(*_: Any) -> str:
        raise PermanentError("AccessDeniedException: sagemaker:ListPipelineExecutions")

    monkeypatch.setattr(world.pipelines, "find", denied)
    world.pass_time(0.9 * HOUR)
    assert world.state.run.status is Status.INTENDED
    world.pass_time(0.3 * HOUR)
    assert world.outcomes == ["failed"]
    assert "whether it has begun cannot be found out: AccessDeniedException" in world.faults[0]
    world.check_over()


@pytest.mark.parametrize("killed", [False, True])
def test_run_that_is_to_be_stopped_is_never_started(world: Any, killed: bool) -> None:
    world.pipelines.refusals = [] if killed else [RetryableError("ThrottlingException")]
    start, stop = world.order(), world.order("stop", reason="wrong labels")
    if killed:  # the run is durable, and nothing more was done
        decision = decide(world.state, Given(start, Live(w.BOOTSTRAP)), world.time, world.settings)
        world.store.save(decision.state, decision.entries, decision.summary, now=world.time)
    else:
        world.tell(start)
    assert world.state.run.status is Status.INTENDED
    world.tell(stop)
    world.until_over()
    assert begun(world) == 0
    assert world.outcomes == ["failed"]
    assert "it was stopped because anna ordered it: wrong labels, before its execution began" in world.faults[0]
    world.check_over()


def test_run_that_is_to_be_stopped_is_found_and_stopped(world: Any) -> None:
    world.pipelines.refusals = [TimedOutError("no answer")]
    world.drift()
    world.tell(world.order("stop"))
    world.until_over()
    assert [each.status for each in world.pipelines.executions] == ["Stopped"]
    assert world.outcomes == ["failed"]


def test_late_word_about_a_run_that_is_over_says_nothing_of_the_next(world: Any) -> None:
    world.drift()
    state = world.state
    late = Given(Followed("run-00000-of-before", "Failed", "old"), Live(w.BOOTSTRAP))
    decision = decide(state, late, world.time, world.settings)
    assert (decision.state, decision.action, decision.entries) == (state, None, ())
