"""The app is run as the CDK's command line runs it."""

import json
import os
import subprocess
import sys

from stacks.config import ROOT
from stacks.synth import app_context


def test_context_is_that_of_cdk_json_and_the_chosen_environment():
    context = app_context("dev")
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert flags.items() <= context.items()
    assert context["env"] == "dev"
    assert flags["@aws-cdk/aws-iam:minimizePolicies"] is True


def test_wrong_environment_is_told_without_a_traceback():
    done = subprocess.run(
        [sys.executable, "-m", "stacks.synth", "prd"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "the environments are dev, local, loop, prod, staging" in done.stderr


def test_synthesis_says_where_the_templates_are(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "stacks.synth", "dev", "--output", str(tmp_path / "out")],
        cwd=ROOT,
        env={**os.environ, "CDK_VALIDATION": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"templates: {tmp_path / 'out'}\n", done.stderr
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_configuration_is_read_without_the_cdk():
    script = "import sys, stacks.config, stacks.synth; sys.exit('aws_cdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_app_is_small():
    assert len((ROOT / "app.py").read_text().splitlines()) <= 40


def test_command_line_is_pinned_and_its_lock_names_no_registry():
    pin = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]
    lock = (ROOT / "package-lock.json").read_text()
    assert json.loads(lock)["packages"]["node_modules/aws-cdk"]["version"] == pin
    assert "resolved" not in lock
    assert "://" not in lock


def test_stacks_come_in_order(each):
    manifest = json.loads(
        (each.folder / f"assembly-tidegate-{each.environment.environment}" / "manifest.json").read_text()
    )
    stacks = {
        artefact["displayName"].split("/")[-1]: [
            other for other in artefact.get("dependencies", []) if not other.endswith(".assets")
        ]
        for artefact in manifest["artifacts"].values()
        if artefact["type"] == "aws:cloudformation:stack"
    }
    assert any("Registry" in other for other in stacks["Rollout"])
    assert any("Rollout" in other for other in stacks["Serving-rain"])
    assert stacks["Registry"] == []


def test_no_stack_imports_from_another(each):
    for template in each.templates.values():
        text = json.dumps(template.body)
        assert "Fn::ImportValue" not in text
        assert "Fn::GetStackOutput" not in text


def test_everything_else_is_tagged_with_its_environment(each):
    for name, resource in each.rollout.of_type("AWS::Lambda::Function").items():
        assert {"Key": "tidegate:environment", "Value": each.environment.environment} in resource["Properties"][
            "Tags"
        ], name
