"""Every environment, synthesised once a run from the files that `cdk deploy` reads."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stacks.config import Environment, environment_names, load_environment
from stacks.synth import app_context, use_bundled_node

ACCOUNT, REGION = "123456789012", "eu-west-1"


@dataclass(frozen=True)
class Template:
    """A synthesised template, and its values as they would be once deployed."""

    body: Mapping[str, Any]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resources of a type by logical id."""
        return {name: resource for name, resource in self.body["Resources"].items() if resource["Type"] == kind}

    def one(self, kind: str) -> dict[str, Any]:
        """Return the properties of the only resource of a type."""
        (resource,) = self.of_type(kind).values()
        return resource["Properties"]

    def text(self, value: Any) -> Any:
        """Evaluate what CloudFormation would; an attribute reads as ``<LogicalId.Attribute>``."""
        if isinstance(value, list):
            return [self.text(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        ((function, argument),) = value.items() if len(value) == 1 else [("", None)]
        if function == "Ref":
            return _PSEUDO.get(argument, f"<{argument}>")
        if function == "Fn::GetAtt":
            return f"<{'.'.join(argument)}>"
        if function == "Fn::Join":
            return argument[0].join(self.text(argument[1]))
        if function == "Fn::Sub":
            return re.sub(r"\$\{([^}]+)\}", lambda match: _PSEUDO[match[1]], argument)
        return {key: self.text(entry) for key, entry in value.items()}

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Return the statements of the policies of the roles whose logical id begins with `role`."""
        return [
            self.text(statement)
            for policy in self.of_type("AWS::IAM::Policy").values()
            if any(self.text(name).startswith(f"<{role}") for name in policy["Properties"]["Roles"])
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]


@dataclass(frozen=True)
class Synthesised:
    """An environment and its templates: ``registry``, ``rollout``, one ``serving`` per endpoint, and of the loop."""

    environment: Environment
    folder: Path
    templates: Mapping[str, Template]

    @property
    def registry(self) -> Template:
        return self.templates["Registry"]

    @property
    def rollout(self) -> Template:
        return self.templates["Rollout"]

    @property
    def serving(self) -> Template:
        return self.templates[f"Serving-{self.environment.endpoints[0].name}"]

    @property
    def monitoring(self) -> Template:
        return self.templates["Monitoring"]

    @property
    def retraining(self) -> Template:
        return self.templates["Retraining"]

    @property
    def inference(self) -> Template:
        return self.templates["Inference"]

    @property
    def every_resource(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the logical id and the body of every resource of every stack."""
        for template in self.templates.values():
            yield from template.body["Resources"].items()


_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Synthesised]:
    """Every environment by name."""
    use_bundled_node()
    os.environ["CDK_VALIDATION"] = "false"  # takes seconds, and `python -m stacks.gate` does it
    folder = tmp_path_factory.mktemp("assemblies")
    return {name: _synthesise(name, folder / name) for name in environment_names()}


@pytest.fixture(params=environment_names())
def each(request: pytest.FixtureRequest, synthesised: Mapping[str, Synthesised]) -> Synthesised:
    """Each environment in turn."""
    return synthesised[request.param]


@pytest.fixture
def local(synthesised: Mapping[str, Synthesised]) -> Synthesised:
    """The environment of this machine."""
    return synthesised["local"]


@pytest.fixture
def loop(synthesised: Mapping[str, Synthesised]) -> Synthesised:
    """The environment of this machine that retrains."""
    return synthesised["loop"]


@pytest.fixture
def prod(synthesised: Mapping[str, Synthesised]) -> Synthesised:
    """Production."""
    return synthesised["prod"]


@pytest.fixture(scope="session")
def synthesise_changed(
    synthesised: Mapping[str, Synthesised], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, Callable[[Environment], Environment]], Synthesised]:
    """Synthesise an environment as if its file said something else."""

    def run(name: str, change: Callable[[Environment], Environment]) -> Synthesised:
        return _synthesise(name, tmp_path_factory.mktemp("changed"), change(synthesised[name].environment))

    return run


@pytest.fixture(scope="session")
def opened(synthesise_changed: Callable[[str, Callable[[Environment], Environment]], Synthesised]) -> Synthesised:
    """This machine's environment with two front doors: one has what no file asks for, the other is for IAM's callers.

    Its endpoints are ``rain`` and ``snow``.
    """
    from tests.infra.front_doors import two_doors

    return synthesise_changed("local", two_doors)


@pytest.fixture(scope="session")
def doors(synthesised: Mapping[str, Synthesised], opened: Synthesised) -> Mapping[str, Synthesised]:
    """Environments with front doors, by name; ``opened`` is in no file."""
    return {"local": synthesised["local"], "prod": synthesised["prod"], "opened": opened}


def _synthesise(name: str, output: Path, environment: Environment | None = None) -> Synthesised:
    from aws_cdk import App  # takes seconds, so only where templates are needed

    from stacks.stage import TidegateStage

    environment = environment or load_environment(name)
    app = App(context=app_context(name), outdir=str(output))
    stage = f"tidegate-{environment.environment}"
    TidegateStage(app, stage, environment=environment)
    assembly = app.synth().get_nested_assembly(f"assembly-{stage}")
    templates = {
        stack.hierarchical_id.split("/")[-1]: Template(json.loads(Path(stack.template_full_path).read_text()))
        for stack in assembly.stacks
    }
    return Synthesised(environment, output, templates)
