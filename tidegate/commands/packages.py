"""register, reject, versions: versions of a model, and what approving one says."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lambdas.contract import PACKAGE_APPROVED, PACKAGE_PENDING
from tidegate import documents, live, registry, views
from tidegate.commands.context import Context, open_context


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    _add_register(commands, common)
    text = "reject a version; one on its way is rolled back"
    parser = commands.add_parser("reject", parents=[common], help=text, description=text)
    parser.add_argument("--version", required=True, help="the version's name")
    parser.add_argument("--reason", default="", help="why, for the registry")
    parser.set_defaults(run=_reject)
    text = "list the registered versions"
    listing = commands.add_parser("versions", parents=[common], help=text, description=text)
    listing.set_defaults(run=lambda arguments: list_versions(open_context(arguments)))


def _add_register(commands: Any, common: argparse.ArgumentParser) -> None:
    text = "upload a model and register it as a version"
    parser = commands.add_parser("register", parents=[common], help=text, description=text)
    parser.add_argument("--model", type=Path, required=True, help="path of the model.tar.gz")
    parser.add_argument("--version", required=True, help="the version's name, such as 1.2.0")
    parser.add_argument("--card", type=Path, help="model card (JSON) to keep with it")
    parser.add_argument("--note", default="", help="description for people")
    parser.set_defaults(run=_register)


def _register(arguments: argparse.Namespace) -> int:
    registry.check_version(arguments.version)
    registry.check_artefact(arguments.model)
    return register(open_context(arguments), arguments.model, arguments.version, arguments.card, arguments.note)


def register(context: Context, model: Path, version: str, card: Path | None = None, note: str = "") -> int:
    """Register a model file and say what to do next."""
    done = registry.register(context.aws, context.endpoint, model=model, version=version, card=card, note=note)
    verb = "registered" if done.created else "is registered already"
    text = f"{version} {verb} as {done.package.arn} ({done.package.approval})"
    follow = f"\nnext: {context.endpoint.command(f'approve --version {version}')}"
    value = {"package": documents.package(done.package), "created": done.created}
    context.show(value, text + (follow if done.package.approval == PACKAGE_PENDING else ""))
    return 0


def _reject(arguments: argparse.Namespace) -> int:
    decide(open_context(arguments), arguments.version, "Rejected", arguments.reason)
    return 0


def decide(context: Context, version: str, approval: registry.Approval, reason: str = "") -> registry.Package:
    """Approve or reject a version and say what follows; return its package."""
    package = _find(context, version, approval)
    changed = registry.decide(context.aws, package, approval, reason)
    context.show(documents.decided(package, approval, changed=changed), f"{version} {_said(approval, changed)}")
    return package


def _find(context: Context, version: str, approval: registry.Approval) -> registry.Package:
    endpoint = context.endpoint
    register = endpoint.command(f"register --model {registry.ARTEFACT_NAME} --version {version}")
    hint = (
        f"register it first: {register}"
        if approval == PACKAGE_APPROVED
        else f"list them: {endpoint.command('versions')}"
    )
    return registry.find(context.aws, endpoint.name, version, hint)


def _said(approval: registry.Approval, changed: bool) -> str:
    if not changed:
        return f"is {approval} already; nothing changed"
    if approval == PACKAGE_APPROVED:
        return "approved; its rollout starts by itself (python -m tidegate watch)"
    return "rejected"


def list_versions(context: Context) -> int:
    """List the versions, and which of them serve."""
    packages = context.packages()
    now = live.observe(context.aws, context.endpoint.name)
    by_variant = context.versions.of(now.config)
    serving = [by_variant[variant.name] for variant in now.variants if variant.weight > 0]
    rows = [documents.package(each) | {"serving": each.version in serving} for each in packages]
    context.show(rows, views.packages_table(packages, serving))
    return 0
