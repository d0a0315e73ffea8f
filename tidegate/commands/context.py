"""What every command on an environment is given: its account, its endpoint, and where to print."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from functools import cached_property

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console, RenderableType
from rich.text import Text

from tidegate import aws_errors, registry, views
from tidegate.aws import Aws
from tidegate.console import make_console
from tidegate.environments import typo_hint
from tidegate.errors import OperatorError, UsageError
from tidegate.live import VersionsByConfig, by_registry
from tidegate.parser import output_option
from tidegate.places import LOCAL
from tidegate.registry import Package
from tidegate.settings import EndpointSettings, deployed_endpoints, named, the_only_one
from tidegate.target import open_environment


@dataclass
class Context:
    """One command's surroundings."""

    aws: Aws
    endpoint: EndpointSettings
    console: Console
    json: bool = False

    @cached_property
    def versions(self) -> VersionsByConfig:
        """Which version each variant runs."""
        return VersionsByConfig(self.aws, by_registry(self.packages))

    def packages(self) -> list[Package]:
        """Return the registered versions."""
        return registry.packages(self.aws, self.endpoint.name)

    def show(self, value: object, view: RenderableType) -> None:
        """Print `value` as JSON, or `view` for a person."""
        show(self.console, value, view, as_json=self.json)


@dataclass
class Environment:
    """The surroundings of a command on all endpoints of an environment, or on the one that is named."""

    aws: Aws
    endpoints: tuple[EndpointSettings, ...]
    console: Console
    json: bool = False

    def of(self, endpoint: EndpointSettings) -> Context:
        """Return the surroundings of a command on one of them."""
        return Context(self.aws, endpoint, self.console, self.json)

    def show(self, value: object, view: RenderableType) -> None:
        """Print `value` as JSON, or `view` for a person."""
        show(self.console, value, view, as_json=self.json)


def show(console: Console, value: object, view: RenderableType, *, as_json: bool) -> None:
    """Print `value` as JSON, or `view` for a person."""
    if as_json:
        views.print_json(console, value)
    else:
        # A sentence is not broken, so that names in it can be copied.
        console.print(view, soft_wrap=isinstance(view, str | Text), markup=False)


def common_options() -> argparse.ArgumentParser:
    """Return the options that commands on an environment share."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--env",
        default=os.environ.get("TIDEGATE_ENV", LOCAL),
        help="environment, as in environments/<env>.yaml (default: $TIDEGATE_ENV, or local)",
    )
    parser.add_argument("--endpoint", help="endpoint's name; may be left out where there is only one")
    output_option(parser)
    return parser


def open_context(arguments: argparse.Namespace) -> Context:
    """Return the surroundings that a command's options ask for."""
    aws, deployed = _deployed(arguments.env)
    wanted = arguments.endpoint
    endpoint = the_only_one(deployed) if wanted is None else named(deployed, arguments.env, wanted)
    return Context(aws, endpoint, make_console(), json=arguments.output == "json")


def open_environment_context(arguments: argparse.Namespace) -> Environment:
    """Return the surroundings of all endpoints, or of the one that the options name."""
    aws, deployed = _deployed(arguments.env)
    wanted = arguments.endpoint
    chosen = deployed.values() if wanted is None else [named(deployed, arguments.env, wanted)]
    endpoints = tuple(sorted(chosen, key=lambda endpoint: endpoint.name))
    return Environment(aws, endpoints, make_console(), json=arguments.output == "json")


def _deployed(environment: str) -> tuple[Aws, dict[str, EndpointSettings]]:
    try:
        aws = open_environment(environment)
        return aws, deployed_endpoints(aws, environment)
    except (BotoCoreError, ClientError) as error:
        raise _with_typo(aws_errors.explain(error), environment) from error
    except OperatorError as error:
        raise _with_typo(error, environment) from error


def _with_typo(error: OperatorError, environment: str) -> OperatorError:
    """Return the error; where a mistyped environment may be behind it, that comes first."""
    typo = typo_hint(environment)
    if not typo or isinstance(error, UsageError):
        return error
    message = f"environment {environment!r} is not declared here, and could not be looked up: {error.message}"
    return OperatorError(message, f"{typo}; {error.hint}" if error.hint else typo)
