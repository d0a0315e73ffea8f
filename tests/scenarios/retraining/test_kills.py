"""Whatever is killed or lost, what is under way goes on or ends with a reason. The tests share one endpoint, in order.

No two executions ever run at once, and no run makes two versions.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenarios.environments import STURDY
from tests.scenarios.retraining.watched import Watched
from tests.scenarios.retraining.weather import DRIFT, labels

YEAR = 365
PIPELINE_EVENT = "SageMaker Model Building Pipeline Execution Status Change"


@pytest.fixture(scope="module")
def shared(circle: Watched) -> Watched:
    """The endpoint, after a calm window and two of drift, of which nobody has told yet."""
    loop = circle.at(STURDY)
    calm, *drifting = loop.begin(3)
    loop.capture(calm, range(DRIFT - 2 * YEAR, DRIFT))
    for number, start in enumerate(drifting):
        loop.capture(start, range(DRIFT + 2 * YEAR * number, DRIFT + 2 * YEAR * (number + 1)))
    loop.label(drifting[-1] + 70, labels(range(DRIFT - 2 * YEAR, DRIFT + 4 * YEAR)))
    return loop


@pytest.fixture
def loop(shared: Watched) -> Iterator[Watched]:
    """The endpoint; after each test it is in order."""
    yield shared
    assert not shared.overlapping()
    assert not shared.rollouts()
    runs = [each["CustomerMetadataProperties"]["tidegate:retraining-run"] for each in shared.packages()]
    assert len(set(runs)) == len(runs)


def is_of_pipelines(event: dict[str, Any]) -> bool:
    return bool(event["detail-type"] == PIPELINE_EVENT)


def test_a_monitor_that_is_killed_is_made_up_for_and_a_job_that_is_killed_ends_the_run_with_its_reason(
    loop: Watched,
) -> None:
    with loop.killed("monitor") as killed:
        assert loop.call("monitor", {"endpoint": loop.name})
    assert killed
    loop.look()
    assert [window.severity for window in loop.windows().values()][1:3] == ["severe", "severe"]
    loop.kill_job("prepare")
    run = loop.wait_for_runs(1)
    assert run.outcome == "failed", loop.story()
    assert "Prepare" in run.text
    assert not loop.packages()


def test_an_order_whose_handler_is_killed_starts_one_run_and_spot_training_goes_on_where_it_was(loop: Watched) -> None:
    with loop.killed("retrain") as killed:
        loop.order(identity="an order")
        loop.wait_for(lambda: killed, "retrain to be killed")
    loop.order(identity="an order")
    job = loop.interrupt_training()
    loop.kill_job("evaluate")
    run = loop.wait_for_runs(2)
    assert run.outcome == "failed", loop.story()
    assert "Evaluate" in run.text
    trained = loop.cloud.client("sagemaker").describe_training_job(TrainingJobName=job)
    assert "Interrupted" in [each["Status"] for each in trained["SecondaryStatusTransitions"]]
    loop.wait_for(lambda: "resumed: " in loop.training_logs(job), "the training job to say that it resumed")
    assert len(loop.executions()) == 2


def test_a_run_whose_last_step_is_killed_is_reported_though_every_event_of_its_pipeline_is_lost(loop: Watched) -> None:
    loop.cloud.faults.drop_events(is_of_pipelines)
    with loop.killed("conclude") as killed:
        loop.order()
        loop.wait_for(lambda: killed, "conclude to be killed")
    loop.wait_for(lambda: loop.executions()[-1]["PipelineExecutionStatus"] == "Failed", "the execution to fail")
    loop.sweep()
    (*_, run) = loop.runs()
    assert run.outcome == "failed", loop.story()
    assert "Register" in run.text
    assert len(loop.packages()) <= 1
    assert all(each["ModelApprovalStatus"] == "PendingManualApproval" for each in loop.packages())
