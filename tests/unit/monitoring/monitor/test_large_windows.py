"""Windows that are too large for one machine are shared out once, and come back as one."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.monitoring import executions
from lambdas.monitoring.adapters.executions import StepFunctions
from lambdas.monitoring.errors import MissingError, PermanentError
from lambdas.monitoring.gathering import Found
from lambdas.monitoring.look_folder import Failed
from lambdas.monitoring.merging import merge_parts
from lambdas.monitoring.parts import number_of_parts, parts_of
from lambdas.monitoring.ports import JobView, StoredFile
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.rollout.adapters.clients import Lazy

WINDOW, LOOK, KEY = "2026-11-22T03:00Z", 130, "20261122T030000Z"
JOBS = f"monitoring/rain-test/{KEY}/jobs/first"
MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:tidegate-test-count-windows"


def found(*sizes: int) -> Found:
    files = tuple(StoredFile(f"capture/rain/{number}", size, float(number)) for number, size in enumerate(sizes))
    return Found("capture/rain/", files, {str(number): float(number) for number in range(0, len(sizes), 2)})


@pytest.mark.parametrize(
    ("sizes", "most", "fewest", "number"),
    [((10,) * 10, 50, 4, 4), ((10,) * 10, 20, 4, 5), ((10,) * 3, 50, 4, 3), ((90,), 20, 4, 1), ((), 20, 4, 1)],
)
def test_there_are_as_many_parts_as_machines_and_more_for_more(sizes: Any, most: int, fewest: int, number: int) -> None:
    assert number_of_parts(found(*sizes), most, fewest) == number


def test_every_file_is_in_one_part_and_parts_are_about_equal() -> None:
    whole = found(7, 900, 30, 310, 5, 290, 280, 50)
    parts = parts_of(whole, 3)
    assert sorted(file.key for part in parts for file in part.files) == sorted(file.key for file in whole.files)
    assert sorted(part.size for part in parts) == [402, 570, 900]
    assert {name: at for part in parts for name, at in part.fresh.items()} == whole.fresh
    assert all(part.fresh.keys() <= {part.name(file) for file in part.files} for part in parts)
    assert parts_of(replace(whole, files=whole.files[::-1]), 3) == parts


@pytest.fixture
def large(world: Any, fakes: Any) -> Any:
    """Return a world in which the first window is too large for one machine, and its counting has been started."""
    job = replace(fakes.JOB, state_machine=MACHINE, large_window_bytes=2000, parallel_jobs=3)
    world.settings.held = replace(world.settings.held, job=job, small_window_bytes=1000)
    capture(world, fakes, 6)
    world.run(at=LOOK)
    return world


def capture(world: Any, fakes: Any, files: int) -> None:
    for number in range(files):
        line = fakes.record(f"in-{number}", fakes.START + 5 + number, "1013,north", {"probability": 0.1, "rain": 0.0})
        world.capture(5 + number, [line] * 20)


def parts(world: Any) -> list[dict[str, Any]]:
    [given] = world.executions.given.values()
    listed: list[dict[str, Any]] = json.loads(world.files.held[given["parts_key"]][0])
    return listed


def read(world: Any, request: dict[str, Any], name: str) -> Any:
    [uri] = [each["S3Input"]["S3Uri"] for each in request["ProcessingInputs"] if each["InputName"] == name]
    return json.loads(world.files.held[uri.removeprefix("s3://artefacts/")][0])


def counted(world: Any, rows: int) -> WindowCounts:
    counts = WindowCounts.of(world.baseline, "rain-test", "2026-11-22T03:00:00Z", "2026-11-22T03:01:00Z")
    counts.rows = counts.requests = rows
    return counts


def kinds(event: dict[str, Any]) -> set[str]:
    return {each["kind"] for each in event["findings"]}


def test_a_large_window_is_shared_out_and_its_merged_counts_taken(large: Any) -> None:
    [(name, given)] = large.executions.given.items()
    assert large.jobs.orders == {}
    assert (given["bucket"], given["parallel_jobs"]) == ("artefacts", 3)
    assert given["counts_key"] == f"{JOBS}/output/counts.json"
    requests = parts(large)
    assert len(requests) == given["parts"] == 6
    manifests = [read(large, request, "captures") for request in requests]
    assert sorted(file for manifest in manifests for file in manifest[1:]) == [
        f"rain-test/blue/2026/11/22/03/000{number}.jsonl" for number in range(1, 7)
    ]
    for number, (request, manifest) in enumerate(zip(requests, manifests, strict=True)):
        asked = read(large, request, "request")
        assert asked["own"] == manifest[1:]
        assert asked["tells_of_labels"] == (number == 0)
        output = request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
        assert output == f"s3://artefacts/{given['folder']}{number}/output/"
    names = [f"{request['ProcessingJobName']}-0" for request in requests]
    assert len({*names, name}) == 7
    large.run(at=LOOK + 5)
    assert large.events.sent == []
    large.executions.views[name] = JobView("SUCCEEDED")
    large.files.add(f"{JOBS}/output/counts.json", counted(large, 120).text().encode(), 0)
    large.run(at=LOOK + 30)
    assert large.events.sent[0]["rows"] == 120
    assert len(large.executions.given) == 1


def test_names_of_parts_fit_however_long_the_endpoints_is(large: Any) -> None:
    longest = replace(large.settings.held, endpoint="x" * 63)
    window = executions.Window(1_800_000_000, 1_800_003_600)
    many = found(*[10] * executions.MOST_PARTS)
    folder = executions.LookFolder(large.files, "artefacts", longest.endpoint, window, "labels")
    plan = executions._Plan(longest, folder, window, "labels", parts_of(many, len(many.files)), None, {})
    plan.write(large.baseline)
    names = [each["ProcessingJobName"] for each in json.loads(large.files.held[plan.parts_key][0])]
    assert len(names) == len(set(names)) == executions.MOST_PARTS
    assert max(map(len, names)) + len("-9") <= 63


def test_what_an_execution_reads_is_never_written_over(large: Any, fakes: Any) -> None:
    """A second run that began before the first one's execution was there may find other files."""
    [given] = large.executions.given.values()
    before = {key: held for key, held in large.files.held.items() if key.startswith(given["folder"])}
    hidden, large.executions.views = large.executions.views, {}
    capture(large, fakes, 1)
    large.run(at=LOOK + 1)
    large.executions.views = hidden
    assert {key: large.files.held[key] for key in before} == before
    assert len({key.split("/")[5] for key in large.files.held if "/jobs/first/parts-" in key}) == 2


def test_a_failed_execution_is_a_named_finding_with_its_cause(large: Any) -> None:
    [name] = large.executions.views
    large.executions.views[name] = JobView("FAILED", "States.TaskFailed: AlgorithmError: out of memory")
    large.run(at=LOOK + 30)
    [event] = large.events.sent
    assert kinds(event) == {"counting_failed"}
    assert f"execution {name} failed: States.TaskFailed: AlgorithmError: out of memory" in event["findings"][0]["text"]


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [("MOST_PARTS", 3, "would be 6 parts, and at most 3"), ("MOST_LABEL_BYTES", 10, "bytes of labels in memory")],
)
def test_what_cannot_be_shared_out_is_a_named_finding(
    world: Any, fakes: Any, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, said: str
) -> None:
    job = replace(fakes.JOB, state_machine=MACHINE, large_window_bytes=2000, parallel_jobs=3)
    counting = executions.CountingExecutions(world.executions, world.files, replace(world.settings.held, job=job))
    captures, labels = found(*[2000] * 6), found(11)
    assert counting.refusal(captures, labels) is None
    monkeypatch.setattr(executions, limit, value)
    refusal = counting.refusal(captures, labels)
    assert isinstance(refusal, Failed)
    assert said in refusal.reason
    world.settings.held = replace(world.settings.held, job=job, small_window_bytes=1000)
    capture(world, fakes, 6)
    if limit == "MOST_PARTS":
        world.run(at=LOOK)
        assert kinds(world.events.sent[0]) == {"counting_failed"}


def test_it_is_started_once_wherever_it_is_killed(fakes: Any, baseline: Any) -> None:
    def large() -> Any:
        world = fakes.World(baseline)
        capture(world, fakes, 3)
        job = replace(fakes.JOB, state_machine=MACHINE, large_window_bytes=2000, parallel_jobs=2)
        world.settings.held = replace(world.settings.held, job=job, small_window_bytes=1000)
        return world

    calm = large()
    calm.run(at=LOOK)
    for step in range(1, calm.fuse.passed + 1):
        killed = large()
        killed.fuse.blows_at = step
        for _ in range(2):
            try:
                killed.run(at=LOOK)
            except fakes.Crash:
                killed.run(at=LOOK)
        assert killed.executions.given == calm.executions.given, f"killed at step {step}"
        assert killed.jobs.orders == {}


@pytest.fixture(scope="module")
def baseline(fakes: Any) -> Any:
    return fakes.make_baseline(rows=200)


def merged(world: Any, *rows: int) -> WindowCounts:
    for number, each in enumerate(rows):
        world.files.add(f"p/{number}/output/counts.json", counted(world, each).text().encode(), 0)
    return merge_parts(world.files, "artefacts", "p/", len(rows), "out/counts.json")


def test_parts_are_merged_and_written(world: Any) -> None:
    counts = merged(world, 3, 4, 5)
    assert counts.rows == 12
    assert WindowCounts.of_text(world.files.held["out/counts.json"][0]) == counts
    assert merged(world, 5, 3, 4) == counts


def test_a_part_that_is_missing_or_of_another_baseline_is_refused(world: Any, fakes: Any) -> None:
    merged(world, 1, 2)
    with pytest.raises(MissingError, match="part 3 of 3 left no counts: there is no s3://artefacts/p/2/output"):
        merge_parts(world.files, "artefacts", "p/", 3, "out/counts.json")
    other = WindowCounts.of(
        fakes.make_baseline("2.0.0", rows=50), "rain-test", "2026-11-22T03:00:00Z", "2026-11-22T03:01:00Z"
    )
    world.files.add("p/1/output/counts.json", other.text().encode(), 0)
    with pytest.raises(ProfileError, match="baseline_id"):
        merge_parts(world.files, "artefacts", "p/", 2, "out/counts.json")


class FakeStates:
    """Step Functions' client, as far as it is used."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked.append((name, request))
            answer = self._answers[name]
            answer = answer.pop(0) if isinstance(answer, list) else answer
            if isinstance(answer, str):
                raise ClientError({"Error": {"Code": answer, "Message": "x"}}, name)
            return answer

        return call

    @property
    def adapter(self) -> StepFunctions:
        return StepFunctions(Lazy("stepfunctions", lambda _: self))


def test_a_used_name_is_success_and_a_missing_execution_is_none() -> None:
    FakeStates(start_execution="ExecutionAlreadyExists").adapter.start(MACHINE, "a", {})
    with pytest.raises(PermanentError):
        FakeStates(start_execution="StateMachineDoesNotExist").adapter.start(MACHINE, "a", {})
    assert FakeStates(describe_execution="ExecutionDoesNotExist").adapter.look(MACHINE, "a") is None
    running = FakeStates(describe_execution={"status": "RUNNING"})
    assert running.adapter.look(MACHINE, "a") == JobView("RUNNING")
    arn = "arn:aws:states:us-east-1:111122223333:execution:tidegate-test-count-windows:a"
    assert running.asked == [("describe_execution", {"executionArn": arn})]


def test_the_reason_is_that_of_the_part_which_failed() -> None:
    whole = {
        "executionArn": "x",
        "status": "FAILED",
        "error": "States.ExceedToleratedFailureThreshold",
        "cause": "too many",
    }
    cause = json.dumps({"FailureReason": "AlgorithmError", "ExitMessage": "no baseline", "ProcessingJobName": "p"})
    part = {"status": "FAILED", "error": "States.TaskFailed", "cause": cause}
    told = FakeStates(
        describe_execution=[whole, part],
        list_map_runs={"mapRuns": [{"mapRunArn": "m"}]},
        list_executions={"executions": [{"executionArn": "p"}]},
    )
    assert told.adapter.look(MACHINE, "a") == JobView("FAILED", "States.TaskFailed: AlgorithmError; no baseline")
    merge = {"status": "FAILED", "error": "ProfileError", "cause": json.dumps({"errorMessage": "counts.baseline_id"})}
    found = FakeStates(describe_execution=merge).adapter.look(MACHINE, "a")
    assert found == JobView("FAILED", "ProfileError: counts.baseline_id")
