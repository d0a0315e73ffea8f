"""A CDK cloud assembly: its stacks, nested stages' among them, in the order they depend on one another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.deploy.errors import AssemblyError
from localcloud.deploy.graph import ordered

_STACK = "aws:cloudformation:stack"
_NESTED = "cdk:cloud-assembly"
_ASSETS = "cdk:asset-manifest"


@dataclass(frozen=True)
class StackArtifact:
    """A stack of the assembly."""

    name: str
    folder: Path
    template: Mapping[str, Any]
    account: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    asset_manifests: tuple[Path, ...] = ()
    bootstrap_parameter: str | None = None
    bootstrap_version: int = 0


def read_assembly(folder: Path) -> list[StackArtifact]:
    """Return the stacks of the assembly in `folder`, each after those it depends on."""
    manifest = _read_json(folder / "manifest.json")
    if manifest.get("missing"):
        keys = ", ".join(entry["key"] for entry in manifest["missing"])
        raise AssemblyError(f"{folder}: the assembly lacks context that only a look-up gives: {keys}")
    artifacts: dict[str, dict[str, Any]] = manifest.get("artifacts", {})
    stacks: list[StackArtifact] = []
    for name in ordered({key: artifact.get("dependencies", []) for key, artifact in artifacts.items()}):
        stacks.extend(_stacks_of(folder, name, artifacts))
    return stacks


def _stacks_of(folder: Path, name: str, artifacts: Mapping[str, dict[str, Any]]) -> list[StackArtifact]:
    artifact = artifacts[name]
    if artifact["type"] == _NESTED:
        return read_assembly(folder / artifact["properties"]["directoryName"])
    return [_stack(folder, name, artifacts)] if artifact["type"] == _STACK else []


def _stack(folder: Path, name: str, artifacts: Mapping[str, dict[str, Any]]) -> StackArtifact:
    artifact = artifacts[name]
    properties = artifact["properties"]
    account, region = artifact["environment"].removeprefix("aws://").split("/", 1)
    return StackArtifact(
        name=properties.get("stackName", name),
        folder=folder,
        template=_read_json(folder / properties["templateFile"]),
        account=account,
        region=region,
        parameters=properties.get("parameters", {}),
        tags=properties.get("tags", {}),
        asset_manifests=tuple(
            folder / artifacts[key]["properties"]["file"]
            for key in artifact.get("dependencies", [])
            if artifacts.get(key, {}).get("type") == _ASSETS
        ),
        bootstrap_parameter=properties.get("bootstrapStackVersionSsmParameter"),
        bootstrap_version=int(properties.get("requiresBootstrapStackVersion", 0)),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssemblyError(f"{path} is missing: is this a cloud assembly (cdk.out)?") from None
    return content
