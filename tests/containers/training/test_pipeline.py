"""The committed pipeline definitions are those that the SDK generates, and say what the jobs' programs expect."""

import json
import subprocess
from pathlib import Path

import pytest

from model_containers.training.pipeline import FILES
from tests.containers.training.jobs import ROOT
from tests.sdk import sdk_python

DEFINITIONS = {path.name: json.loads(path.read_text()) for path in FILES.values()}
STEPS = {step["Name"]: step for step in DEFINITIONS["pipeline.json"]["Steps"]}
WORTHWHILE = STEPS["Worthwhile"]["Arguments"]
PARAMETERS = {
    *("Endpoint", "RunId", "Reason", "CapturesManifest", "LabelsManifest", "BaselineUri", "ChampionUri"),
    *("ChampionVersion", "Since", "Until", "OutputUri", "LeastGain", "Slices", "ImageUri", "JobRoleArn"),
    *("TrainInstanceType", "ProcessInstanceType", "MaxRuntimeSeconds", "RegisterFunctionArn", "KmsKeyArn", "Commit"),
}

each = pytest.mark.parametrize("name", DEFINITIONS)


def gets(value: object) -> set[str]:
    """Return all that a definition refers to."""
    if isinstance(value, dict):
        own = {value["Get"]} if set(value) == {"Get"} else set()
        return own.union(*map(gets, value.values()))
    return set().union(*map(gets, value)) if isinstance(value, list) else set()


def test_committed_definitions_are_what_the_sdk_generates(tmp_path: Path) -> None:
    command = [sdk_python(), "-m", "model_containers.training.pipeline", "--output", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    for path in FILES.values():
        way_out = "regenerate: .venv-sagemaker/bin/python -m model_containers.training.pipeline"
        assert (tmp_path / path.name).read_text() == path.read_text(), way_out


@each
def test_parameters_are_all_declared_and_all_used(name: str) -> None:
    definition = DEFINITIONS[name]
    declared = [parameter["Name"] for parameter in definition["Parameters"]]
    used = {get.removeprefix("Parameters.") for get in gets(definition["Steps"]) if get.startswith("Parameters.")}

    assert set(declared) - {"MaxWaitSeconds"} == PARAMETERS
    assert used == set(declared)


def test_the_definition_for_spot_differs_in_what_spot_needs_only() -> None:
    plain, spot = DEFINITIONS["pipeline.json"], DEFINITIONS["pipeline-spot.json"]
    train = next(step for step in spot["Steps"] if step["Name"] == "Train")["Arguments"]

    assert train.pop("EnableManagedSpotTraining") is True
    assert train["StoppingCondition"].pop("MaxWaitTimeInSeconds") == {"Get": "Parameters.MaxWaitSeconds"}
    spot["Parameters"] = [each for each in spot["Parameters"] if each["Name"] != "MaxWaitSeconds"]
    assert spot == plain


def test_steps_run_in_order_and_end_in_a_decision() -> None:
    assert list(STEPS) == ["Prepare", "Train", "Evaluate", "Checks", "Worthwhile"]
    assert STEPS["Checks"]["DependsOn"] == ["Evaluate"]
    conditions = [(each["LeftValue"]["Std:JsonGet"]["Path"], each["RightValue"]) for each in WORTHWHILE["Conditions"]]
    assert conditions == [("better", True), ("passed", True)]
    ends = {step["Name"]: step["Arguments"]["decision"] for step in WORTHWHILE["IfSteps"] + WORTHWHILE["ElseSteps"]}
    assert ends == {"Register": "register", "Keep": "keep"}
    assert [step["Name"] for step in WORTHWHILE["IfSteps"]] == ["Register"]


@pytest.mark.parametrize("name", ["Prepare", "Train", "Evaluate", "Checks"])
def test_jobs_are_isolated_retried_and_never_cached(name: str) -> None:
    arguments = STEPS[name]["Arguments"]
    isolated = arguments.get("NetworkConfig", arguments)["EnableNetworkIsolation"]
    retried = {kind for policy in STEPS[name]["RetryPolicies"] for kind in policy["ExceptionType"]}

    assert isolated is True
    assert {"Step.THROTTLING", "Step.SERVICE_FAULT", "SageMaker.JOB_INTERNAL_ERROR"} <= retried
    assert all(1 <= policy["MaxAttempts"] <= 20 for policy in STEPS[name]["RetryPolicies"])
    assert "CacheConfig" not in STEPS[name]
    assert arguments["RoleArn"] == {"Get": "Parameters.JobRoleArn"}


def test_captures_and_labels_are_lists_of_files_so_that_later_ones_cannot_slip_in() -> None:
    inputs = {each["InputName"]: each["S3Input"] for each in STEPS["Prepare"]["Arguments"]["ProcessingInputs"]}

    assert {name: source["S3DataType"] for name, source in inputs.items()} == {
        "captures": "ManifestFile",
        "labels": "ManifestFile",
        "baseline": "S3Prefix",
    }
