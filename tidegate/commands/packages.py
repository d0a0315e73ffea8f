"""register, approve, reject, list: versions of a model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tidegate import live, registry, views
from tidegate.commands.context import Context, open_context


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    _add_register(commands, common)
    _add_decision(commands, common, "approve", "approve a version: this is what deploys it", _approve)
    _add_decision(commands, common, "reject", "reject a version; one on its way is rolled back", _reject)
    listing = commands.add_parser("list", parents=[common], help="list the registered versions")
    listing.set_defaults(run=lambda arguments: list_packages(open_context(arguments)))


def _add_register(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("register", parents=[common], help="upload a model and register it as a version")
    parser.add_argument("--model", type=Path, required=True, help="path of the model.tar.gz")
    parser.add_argument("--version", required=True, help="the version's name, such as 1.2.0")
    parser.add_argument("--card", type=Path, help="model card (JSON) to keep with it")
    parser.add_argument("--note", default="", help="description for people")
    parser.set_defaults(run=_register)


def _add_decision(commands: Any, common: argparse.ArgumentParser, name: str, help_text: str, run: Any) -> None:
    parser = commands.add_parser(name, parents=[common], help=help_text)
    parser.add_argument("--version", required=True, help="the version's name")
    parser.add_argument("--reason", default="", help="why, for the registry")
    parser.set_defaults(run=run)


def _register(arguments: argparse.Namespace) -> int:
    registry.check_version(arguments.version)
    registry.check_artefact(arguments.model)
    return register(open_context(arguments), arguments.model, arguments.version, arguments.card, arguments.note)


def register(context: Context, model: Path, version: str, card: Path | None = None, note: str = "") -> int:
    """Register a model file and say what to do next."""
    done = registry.register(context.aws, context.endpoint, model=model, version=version, card=card, note=note)
    verb = "registered" if done.created else "is registered already"
    text = f"{version} {verb} as {done.package.arn} ({done.package.approval})"
    follow = f"\nnext: python -m tidegate approve --env {context.endpoint.environment} --version {version}"
    context.show(done, text + (follow if done.package.approval == "PendingManualApproval" else ""))
    return 0


def _approve(arguments: argparse.Namespace) -> int:
    return decide(open_context(arguments), arguments.version, "Approved", arguments.reason)


def _reject(arguments: argparse.Namespace) -> int:
    return decide(open_context(arguments), arguments.version, "Rejected", arguments.reason)


def decide(context: Context, version: str, approval: registry.Approval, reason: str = "") -> int:
    """Approve or reject a version and say what follows."""
    package = registry.find(context.aws, context.endpoint.name, version)
    changed = registry.decide(context.aws, package, approval, reason)
    value = {"arn": package.arn, "version": version, "approval": approval, "changed": changed}
    context.show(value, f"{version} {_said(approval, changed)}")
    return 0


def _said(approval: registry.Approval, changed: bool) -> str:
    if not changed:
        return f"is {approval} already; nothing changed"
    if approval == "Approved":
        return "approved; its rollout starts by itself (python -m tidegate watch)"
    return "rejected"


def list_packages(context: Context) -> int:
    """List the versions, and which of them serve."""
    packages = context.packages()
    now = live.observe(context.aws, context.endpoint.name)
    by_variant = context.versions.of(now.config)
    serving = [by_variant[variant.name] for variant in now.variants if variant.weight > 0]
    rows = [vars(package) | {"serving": package.version in serving} for package in packages]
    context.show(rows, views.packages_table(packages, serving))
    return 0
