"""The page on retraining says what retraining does."""

import ast
import inspect
import json
import re
import shlex
from dataclasses import fields

import pytest

from lambdas import contract, signing
from lambdas.retraining import approving, controller, manifests, starting
from lambdas.retraining.state import Outcome
from lambdas.retraining.verdicts import METRICS, read_checks, read_evaluation
from model_containers.training import __main__ as program
from model_containers.training.steps import archives, bias, calibration, candidates, comparison, doubts, prepare
from model_containers.training.steps.validation import Limits
from stacks.config import ROOT
from stacks.config.retraining import Retraining
from stacks.constructs import retrained_endpoint
from tests.docs.pages import Page
from tests.docs.settings import told
from tidegate import cli

PAGE = Page("retraining.md")
LIMITS = Limits()
TRAINING = ROOT / "model_containers" / "training"
PIPELINE = json.loads((TRAINING / "pipeline.json").read_text())
STEPS = ["prepare", "challenger", "evaluate", "checks"]


def test_every_setting_is_in_the_table_with_default_and_bounds() -> None:
    assert {row[0]: row[1:4] for row in PAGE.rows("field")} == told(Retraining)


def test_every_outcome_is_in_the_table() -> None:
    assert sorted(PAGE.names("outcome")) == sorted(Outcome)


def test_every_step_of_the_pipeline_is_in_the_table_in_order() -> None:
    (condition,) = (step for step in PIPELINE["Steps"] if step["Type"] == "Condition")
    inner = [step["Name"] for branch in ("IfSteps", "ElseSteps") for step in condition["Arguments"][branch]]
    shown = [row[0] for row in PAGE.rows("step | takes")]
    assert shown == [*(step["Name"] for step in PIPELINE["Steps"]), " or ".join(inner)]


def test_what_the_table_says_is_left_lies_there() -> None:
    written = {
        "/".join(output["S3Output"]["S3Uri"]["Std:Join"]["Values"][1:])
        for step in PIPELINE["Steps"]
        if step["Type"] == "Processing"
        for output in step["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    }
    assert written == {"prepared/train", "prepared/heldout", "prepared/report", "evaluation", "checks"}
    for said in ("prepared/{train,heldout,report}/", "evaluation/evaluation.json", "checks/checks.json"):
        assert f"`{said}`" in PAGE.text


def test_every_step_that_can_be_replaced_is_a_command() -> None:
    assert PAGE.names("step | must leave") == STEPS
    for step in STEPS:
        parsed = program._parser().parse_args([step])
        assert parsed.command == step


def test_what_a_step_must_leave_is_what_is_read() -> None:
    leaves = {row[0]: row[1] for row in PAGE.rows("step | must leave")}
    read = {
        "evaluate": _asked_for(read_evaluation) - {"p_value", "rows", "first", "last"},
        "checks": _asked_for(read_checks) | {"doubts", "reasons"},
    }
    for step, names in read.items():
        assert names <= set(re.findall(r"\w+", leaves[step])), step
    assert {"accuracy", "auc", "brier"} <= set(METRICS)
    for name in (archives.MODEL, archives.SIGNATURE, "baseline.json", "model_card.json"):
        assert name in leaves["challenger"]


def _asked_for(reader: object) -> set[str]:
    """Return the names of the fields that a function asks a file's object for."""
    tree = ast.parse(inspect.getsource(reader))  # type: ignore[arg-type]  # it is a function
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if re.fullmatch(r"[a-z_]+", text)}


def test_every_key_of_a_packages_metadata_that_retraining_writes_is_told() -> None:
    written = {
        contract.PACKAGE_PARENT_KEY,
        contract.PACKAGE_RUN_KEY,
        contract.PACKAGE_DATA_KEY,
        contract.PACKAGE_COMMIT_KEY,
        contract.PACKAGE_DIGEST_KEY,
        contract.PACKAGE_SIGNATURE_KEY,
        contract.PACKAGE_SIGNING_KEY_KEY,
    }
    assert set(re.findall(r"`(tidegate:[\w-]+)`", PAGE.text)) == written


def test_what_is_signed_is_told() -> None:
    assert [field.name for field in fields(signing.Statement)] == ["artefact", "sha256", "version", "endpoint"]
    assert "over the artefact's address, its SHA-256, the version and the endpoint" in PAGE.flat
    assert f"({signing.ALGORITHM}, a KMS key" in PAGE.flat
    for mode in signing.MODES:
        assert f"`{mode}`" in PAGE.text or f"`signatures: {mode}`" in PAGE.text


@pytest.mark.parametrize(
    "said",
    [
        f"fewer than {LIMITS.rows} rows can be used",
        f"fewer than {LIMITS.of_each_label} of either label",
        f"more than {LIMITS.malformed * 100:g} % of the lines of captures or labels cannot be read",
        f"{LIMITS.not_finite * 100:g} % of a column is NaN or infinite",
        f"missing {LIMITS.missing * 100:.0f} points more often than in training",
        f"quarter of the rows, at least {prepare.LEAST_HELD_OUT}, is held out**",
        f"mid-p below {comparison.SIGNIFICANCE:g}",
        f"({comparison.CONFIDENCE * 100:.0f} % interval of a paired bootstrap, {comparison.RESAMPLES:,} resamples)",
        f"is at most {calibration.LIMIT:g} above what chance gives",
        f"surely more than {bias.LIMITS['accuracy'] * 100:.0f} points less accurate",
        f"misses {bias.LIMITS['false_negative_rate'] * 100:.0f} points more positives",
        f"surely below {doubts.REVERSED:g}",
        f"whose odds are more than {doubts.BALANCE:g} times, or less than a third of, the usual",
        f"with evidence (p ≤ {approving.EVIDENCE:g})",
        f"{starting.TRY_SECONDS:.0f} s later the sweep",
        f"at most {manifests.MOST_OBJECTS:,} files",
        f"source `{contract.RETRAINING_EVENT_SOURCE}`",
        f"event `{contract.RETRAINING_DETAIL_TYPE}`",
        f"`{contract.RETRAINING_PREFIX}/<endpoint>/<run>/`",
        " and ".join(candidates.ALGORITHMS),
        f"`approval: {Retraining().approval}` (the default)",
    ],
)
def test_numbers_and_names_are_those_of_the_code(said: str) -> None:
    assert said in PAGE.flat


def test_what_is_said_in_words_is_so() -> None:
    assert (prepare.HELD_OUT_SHARE, starting.START_LIMIT, calibration.BINS) == (0.25, 3600.0, 10)
    assert (retrained_endpoint._JOBS_IN_A_ROW, retrained_endpoint._START_UP_MINUTES) == (4, 60)
    assert controller.MOST_ACTIONS > 1


def test_retries_are_those_of_the_pipeline() -> None:
    attempts = {policy["MaxAttempts"] for step in PIPELINE["Steps"] for policy in step.get("RetryPolicies", ())}
    assert f"{min(attempts)} to {max(attempts)} times" in PAGE.flat


def test_what_may_be_changed_is_there() -> None:
    folder = TRAINING / "steps"
    for name in re.findall(r"`(\w+\.py)`", PAGE.text):
        assert (folder / name).is_file(), name
    for name in ("ALGORITHMS", "Candidate"):
        assert hasattr(candidates, name)
    assert callable(candidates.exported)
    assert callable(candidates.Candidate.fitted)
    assert callable(comparison.verdict)


@pytest.mark.parametrize("line", PAGE.commands())
def test_commands_can_be_parsed(line: str) -> None:
    assert cli.build_parser().parse_args(shlex.split(line)).run is not None
