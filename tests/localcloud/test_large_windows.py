"""A window in parts: the template's state machine, the job's own program and the merge give what one count gives."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.counting import Counter
from lambdas.monitoring.look_folder import Failed
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.times import stamp
from lambdas.monitoring.windows import Window
from tests.localcloud.large_windows import BUCKET, ENDPOINT, WINDOW, LargeWindows
from tests.unit.monitoring import fakes

SLOTS = {"blue": "1.0.0"}


@pytest.fixture(scope="module")
def large(cloud, jobs):
    return LargeWindows(cloud, jobs)


@pytest.fixture
def window(request):
    """Return a window of this test's own, so that nothing is named twice."""
    number = sum(map(ord, request.node.name)) % 1000
    return Window(WINDOW.start - 60 * number, WINDOW.end)


def start(large, window, captures, labels=None, look="first"):
    return large.counting.start(window, look, large.baseline, captures, labels, SLOTS)


def ended(large, wait_until, window, look="first"):
    return wait_until(lambda: large.counting.result(window, look))


def at_once(large, window, captures, labels=None) -> WindowCounts:
    """Count all files in one go, as the function counts small windows."""
    counter = Counter(large.files, fakes.FakeClock(), BUCKET)
    read = None if labels is None else counter.read_labels(labels)
    counts = WindowCounts.of(large.baseline, ENDPOINT, stamp(window.start), stamp(window.end))
    reading = Reading(
        baseline=large.baseline,
        start=window.start,
        end=window.end,
        labels=None if read is None else read.values,
        slices=large.settings.slices,
        versions=SLOTS,
        roles=large.baseline.output_roles,
    )
    counter.count(captures, counts, reading)
    if read is not None:
        counts.malformed.merge(read.refused)
    return counts


def exact(counts: WindowCounts) -> dict[str, Any]:
    """Return what does not hang upon the order of addition, which samples, examples and sums of fractions do."""
    told: dict[str, Any] = counts.to_json()
    told["malformed"] = dict(counts.malformed)
    told.pop("sample")
    return rounded(told)


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def test_parts_give_what_one_count_of_all_gives(large, window, wait_until):
    captures = large.captured("parts", files=7, rows=40)
    name = start(large, window, captures)
    counted = ended(large, wait_until, window)
    assert exact(counted) == exact(at_once(large, window, captures))
    assert counted.rows == sum(40 + number for number in range(7))
    assert dict(counted.malformed) == {"truncated": 7}
    described = large.execution(name)
    assert described["output"] == f'{{"requests": {counted.requests}, "rows": {counted.rows}}}'
    assert len(large.jobs_of(f"/{window.key}/")) == 3


def test_labels_are_known_to_every_part_and_told_of_once(large, window, wait_until):
    captures, labels = large.captured("labelled", files=3, rows=20), large.labelled("labelled", rows=15)
    start(large, window, captures, labels, "labels")
    counted = ended(large, wait_until, window, "labels")
    assert exact(counted) == exact(at_once(large, window, captures, labels))
    assert counted.performance.labelled == 15
    assert dict(counted.malformed) == {"truncated": 3, "label_truncated": 1, "label_conflicting": 1}


def test_a_doubled_start_is_one_execution_even_over_other_files(large, window, wait_until):
    some = large.captured("doubled", files=2, rows=5)
    names = [start(large, window, some) for _ in range(2)]
    more = large.captured("doubled", files=3, rows=5)
    with ThreadPoolExecutor(2) as threads:
        names += list(threads.map(lambda found: start(large, window, found), [some, more]))
    assert len(set(names)) == 1
    counted = ended(large, wait_until, window)
    assert counted.rows == 5 + 6
    assert start(large, window, some) == names[0]  # it has ended, and is not begun anew
    assert len(large.jobs_of(f"/{window.key}/")) == 2


def test_a_part_whose_machine_is_lost_is_counted_by_another(large, window, wait_until, cloud):
    captures = large.captured("lost", files=2, rows=5)
    cloud.faults.jobs.fail_job(window.key.lower(), "InternalServerError: the machine was lost")
    start(large, window, captures)
    assert ended(large, wait_until, window).rows == 5 + 6
    statuses = sorted(job["ProcessingJobStatus"] for job in large.jobs_of(f"/{window.key}/"))
    assert statuses == ["Completed"] * 2 + ["Failed"]


def test_a_part_that_fails_again_fails_the_window_with_its_reason(large, window, wait_until, cloud):
    captures = large.captured("failing", files=3, rows=5)
    for _ in range(6):
        cloud.faults.jobs.fail_job(window.key.lower(), "AlgorithmError: out of memory")
    name = start(large, window, captures)
    failed = ended(large, wait_until, window)
    assert isinstance(failed, Failed)
    assert failed.reason == f"execution {name} failed: States.TaskFailed: AlgorithmError: out of memory"
    assert large.files.read(f"s3://{BUCKET}/monitoring/{ENDPOINT}/{window.key}/jobs/first/output/counts.json") is None


def test_a_stopped_execution_stops_its_jobs_and_is_a_failure(large, window, wait_until, cloud):
    captures = large.captured("stopped", files=3, rows=5)
    arn = large.execution(start(large, window, captures))["executionArn"]
    wait_until(lambda: large.jobs_of(f"/{window.key}/"))
    cloud.client("stepfunctions").stop_execution(executionArn=arn, error="Operator", cause="a rehearsal")
    failed = ended(large, wait_until, window)
    assert isinstance(failed, Failed)
    assert "aborted: Operator: a rehearsal" in failed.reason
    wait_until(lambda: not [name for name in cloud.jobs.running() if window.key.lower() in name])
