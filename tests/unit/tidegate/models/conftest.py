"""Versions in the registry, as registering by hand and retraining leave them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas import contract, signing
from tests.unit.tidegate.conftest import BUCKET, IMAGE, Account
from tests.unit.tidegate.states import IDLE, NOW
from tidegate import cli
from tidegate.commands import context as surroundings

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
GROUP = "arn:aws:sagemaker:us-east-1:123456789012:model-package/rain-local"
HELD_OUT = {"rows": 2000, "first": "2026-11-01T00:00:00Z", "last": "2026-11-02T00:00:00Z"}

Run = Callable[..., int]


def arn(number: int) -> str:
    return f"{GROUP}/{number}"


class Shelf:
    """Registers versions in an account, and puts files beside them."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def add(self, version: str, *, days: float = 0.0, approval: str = "PendingManualApproval", **more: Any) -> str:
        """Register a version that many days ago; return its ARN."""
        sagemaker = self.account.sagemaker
        metadata = {contract.PACKAGE_VERSION_KEY: version, **more.pop("metadata", {})}
        made: str = sagemaker.create_model_package(
            ModelPackageGroupName="rain-local",
            ModelPackageDescription=f"rain-local {version}",
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{"Image": more.pop("image", IMAGE), "ModelDataUrl": self.uri(version, "model.tar.gz")}]
            },
            CustomerMetadataProperties=metadata,
            **more,
        )["ModelPackageArn"]
        package = sagemaker.describe_model_package(ModelPackageName=made)
        package["CreationTime"] = datetime.fromtimestamp(NOW, UTC) - timedelta(days=days)
        return made

    def uri(self, version: str, name: str) -> str:
        return f"s3://{BUCKET}/rain-local/{version}/{name}"

    def put(self, version: str, name: str, content: Any) -> str:
        """Put a file beside a version."""
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        uri = self.uri(version, name)
        self.account.s3.objects[uri] = text.encode() if isinstance(text, str) else text
        return uri

    def archive(self, version: str, columns: list[Mapping[str, Any]], **more: Any) -> bytes:
        """Put a version's archive there, with a signature of these columns."""
        signature = json.dumps({"schema": 1, "columns": columns, **more}).encode()
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w:gz") as made:
            for name, content in (("model.onnx", b"weights of " + version.encode()), ("signature.json", signature)):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                made.addfile(info, io.BytesIO(content))
        self.put(version, "model.tar.gz", file.getvalue())
        return file.getvalue()

    def retrained(self, version: str, champion: str, **more: Any) -> str:
        """Register a version as a retraining run does."""
        metrics = {"accuracy": 0.84, "brier": 0.12}
        evaluation = {
            "challenger": metrics,
            "champion": {"accuracy": 0.78, "brier": 0.16},
            "gain": 0.06,
            "least_gain": 0.01,
            "mcnemar": {"p_value": 0.0004},
            "heldout": HELD_OUT,
        }
        metadata = {
            contract.PACKAGE_PARENT_KEY: champion,
            contract.PACKAGE_RUN_KEY: "run-00001-abc",
            contract.PACKAGE_DATA_KEY: f"s3://{BUCKET}/retraining/captures.manifest",
            contract.PACKAGE_COMMIT_KEY: "c0ffee",
        }
        self.put(version, "checks.json", {"passed": True, "reasons": ["calibrated"]})
        self.put(version, "changelog.md", f"# rain-local {version}\n\nBetter.\n")
        uri = self.put(version, "evaluation.json", evaluation)
        measured = [{"name": name, "type": "number", "value": value} for name, value in metrics.items()]
        card = {"evaluation_details": [{"metric_groups": [{"name": "challenger", "metric_data": measured}]}]}
        return self.add(
            version,
            metadata=metadata,
            ModelMetrics={"ModelQuality": {"Statistics": {"S3Uri": uri}}},
            ModelCard={"ModelCardContent": json.dumps(card)},
            MetadataProperties={"GeneratedBy": "arn:execution"},
            **more,
        )

    def sign(self, version: str, content: bytes, key: str = KEY) -> None:
        """Sign a registered version."""
        import hashlib

        statement = signing.Statement(
            self.uri(version, "model.tar.gz"), hashlib.sha256(content).hexdigest(), version, "rain-local"
        )
        made = self.account.kms._signature(key, statement.message)
        package = next(
            each
            for each in self.account.sagemaker.packages
            if each["CustomerMetadataProperties"][contract.PACKAGE_VERSION_KEY] == version
        )
        package["CustomerMetadataProperties"] |= signing.metadata(statement, made, key)


@pytest.fixture
def shelf(account: Account) -> Shelf:
    """A registry without versions; on the endpoint is what the template brought."""
    account.serve("rain-local-r0-final", {"blue": 100.0}, {"blue": f"s3://{BUCKET}/bootstrap.tar.gz"})
    account.record(replace(IDLE, live=replace(IDLE.live, version="bootstrap")))
    return Shelf(account)


@pytest.fixture
def run(account: Account, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command line against the account."""
    monkeypatch.setattr(surroundings, "open_environment", lambda _: account.aws)
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *argv: cli.main([*argv])
