"""What every command on an environment is given: its account, its endpoint, and where to print."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from functools import cached_property

from rich.console import Console, RenderableType
from rich.text import Text

from tidegate import registry, views
from tidegate.aws import Aws
from tidegate.console import make_console
from tidegate.live import VersionsByConfig, by_registry
from tidegate.registry import Package
from tidegate.settings import EndpointSettings, find_endpoint
from tidegate.target import LOCAL, open_environment


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
        if self.json:
            views.print_json(self.console, value)
        else:
            # A sentence is not broken, so that names in it can be copied.
            self.console.print(view, soft_wrap=isinstance(view, str | Text), markup=False)


def common_options() -> argparse.ArgumentParser:
    """Return the options that commands on an environment share."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--env",
        default=os.environ.get("TIDEGATE_ENV", LOCAL),
        help="environment, as in environments/<env>.yaml (default: $TIDEGATE_ENV, or local)",
    )
    parser.add_argument("--endpoint", help="endpoint's name; may be left out where there is only one")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table", help="form of the answer")
    return parser


def open_context(arguments: argparse.Namespace) -> Context:
    """Return the surroundings that a command's options ask for."""
    aws = open_environment(arguments.env)
    endpoint = find_endpoint(aws, arguments.env, arguments.endpoint)
    return Context(aws, endpoint, make_console(), json=arguments.output == "json")
