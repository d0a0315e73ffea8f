"""The checks of the templates: ``python -m stacks.gate [ENVIRONMENT ...]``, every environment by default.

Each is synthesised with cdk-nag's AwsSolutions and Serverless packs and the CDK's own validation, and its templates go
through cfn-lint; as many at once as there are processors. What is so on purpose is listed, with reasons, in
`stacks.acknowledgements`.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from stacks.synth import app_context, use_bundled_node

use_bundled_node()  # before aws_cdk starts jsii
os.environ.pop("CDK_VALIDATION", None)  # a way of switching off what this is for

from aws_cdk import App, Validations  # noqa: E402
from cdk_nag import AwsSolutionsChecks, ServerlessChecks  # noqa: E402
from cfnlint.api import ManualArgs, lint_file  # noqa: E402

from stacks.acknowledgements import CFN_LINT_IGNORED, acknowledge  # noqa: E402
from stacks.bundling import bundle_functions  # noqa: E402
from stacks.config import ROOT, Environment, environment_names, load_environment  # noqa: E402
from stacks.stage import TidegateStage  # noqa: E402

_REPORT = "validation-report.json"


def check(environment: Environment, output: Path) -> list[str]:
    """Return what the checks find in an environment; its cloud assembly goes to `output`."""
    name = environment.environment
    app = App(context=app_context(name), outdir=str(output))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    acknowledge(TidegateStage(app, f"tidegate-{name}", environment=environment), environment)
    try:
        app.synth()
    except RuntimeError:  # jsii's name for a failed validation; the report says what failed
        if not (output / _REPORT).is_file():
            raise
    return [*_violations(output / _REPORT), *_lint(output, environment.region or "us-east-1")]


def _violations(report: Path) -> list[str]:
    plugins = json.loads(report.read_text(encoding="utf-8"))["pluginReports"]
    return [
        f"{violation['ruleName']} at {construct['constructPath']}: {violation['description']}"
        for plugin in plugins
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


def _lint(output: Path, region: str) -> list[str]:
    settings = ManualArgs(regions=[region], ignore_checks=list(CFN_LINT_IGNORED))
    return [
        f"{match.rule.id} at {path.name}:{match.linenumber}: {match.message}"
        for path in sorted(output.glob("assembly-*/*.template.json"))
        for match in lint_file(path, settings)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check environments; the exit status says whether all of them passed."""
    parser = argparse.ArgumentParser(prog="python -m stacks.gate", description=__doc__)
    parser.add_argument("environments", nargs="*", default=environment_names())
    names = parser.parse_args(arguments).environments
    bundle_functions(ROOT)  # once, instead of in every process
    # A fork would share the pipe to jsii's process.
    with ProcessPoolExecutor(min(len(names), os.cpu_count() or 1), get_context("spawn")) as processes:
        found = list(processes.map(_findings, names))
    for name, findings in zip(names, found, strict=True):
        sys.stdout.write("".join(f"{name}: {line}\n" for line in findings or ["passed"]))
    return int(any(found))


def _findings(name: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return check(load_environment(name), Path(folder))


if __name__ == "__main__":
    sys.exit(main())
