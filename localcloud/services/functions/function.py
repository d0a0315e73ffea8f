"""A function's configuration, from the API's parameters and back."""

import base64
import hashlib
import re
import uuid
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.services.functions.qualified import LATEST

# What a function may ask for without any effect here; each is named in the limits that the cloud shows.
INERT_SETTINGS = (
    "MemorySize",
    "TracingConfig",
    "Architectures",
    "EphemeralStorage",
    "KMSKeyArn",
    "RuntimeManagementConfig",
)
_UNSUPPORTED = (
    "Layers",
    "FileSystemConfigs",
    "ImageConfig",
    "DurableConfig",
    "CapacityProviderConfig",
    "TenancyConfig",
)
_EFFECTIVE = (
    "Handler",
    "Runtime",
    "Role",
    "Description",
    "Timeout",
    "Environment",
    "LoggingConfig",
    "DeadLetterConfig",
)
_RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


@dataclass(frozen=True)
class Code:
    """An unpacked deployment package."""

    sha256: str
    size: int
    folder: Path

    @classmethod
    def digest(cls, package: bytes) -> str:
        """Return the package's hash as Lambda shows it."""
        return base64.b64encode(hashlib.sha256(package).digest()).decode()


@dataclass
class Function:
    """A function or one of its versions: code, and configuration under the API's names."""

    name: str
    arn: str
    settings: dict[str, Any]
    code: Code
    tags: dict[str, str] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    version: str = LATEST
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def timeout(self) -> float:
        """Return the seconds an invocation may take."""
        return float(self.settings.get("Timeout", 3))

    @property
    def memory(self) -> int:
        """Return the configured MB."""
        return int(self.settings.get("MemorySize", 128))

    @property
    def role(self) -> str:
        """Return the execution role's ARN."""
        return str(self.settings["Role"])

    @property
    def environment(self) -> dict[str, str]:
        """Return the configured environment variables."""
        return dict(self.settings.get("Environment", {}).get("Variables", {}))

    @property
    def log_group(self) -> str:
        """Return the name of the log group."""
        return str(self.settings.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.name}")

    @property
    def json_logs(self) -> bool:
        """Whether the platform's own log lines are JSON."""
        return bool(self.settings.get("LoggingConfig", {}).get("LogFormat") == "JSON")

    @property
    def dead_letter_target(self) -> str | None:
        """Return the ARN that failed asynchronous events go to."""
        return self.settings.get("DeadLetterConfig", {}).get("TargetArn") or None

    def update(self, settings: Mapping[str, Any]) -> None:
        """Apply changed settings."""
        check_settings(settings)
        self.settings.update({k: v for k, v in settings.items() if k in (*_EFFECTIVE, *INERT_SETTINGS)})
        self.touch()

    def touch(self) -> None:
        """Mark a change."""
        self.revision = str(uuid.uuid4())
        self.modified = datetime.now(UTC)

    def snapshot(self, version: str, description: str | None = None) -> "Function":
        """Return the function as it is, as a version that later changes leave alone."""
        settings = deepcopy(self.settings)
        if description is not None:
            settings["Description"] = description
        now = datetime.now(UTC)
        return replace(self, settings=settings, version=version, revision=str(uuid.uuid4()), modified=now)

    def same_as(self, other: "Function") -> bool:
        """Whether code and configuration are the same; a description is no part of either."""
        return self.code == other.code and _without_description(self) == _without_description(other)

    def describe(self, qualifier: str | None = None) -> dict[str, Any]:
        """Return the configuration as GetFunctionConfiguration does, under the qualifier that it is asked for by."""
        defaults = {"Description": "", "Timeout": 3, "MemorySize": 128, "Architectures": ["x86_64"]}
        logging = {"LogFormat": "Text", "LogGroup": self.log_group, **self.settings.get("LoggingConfig", {})}
        return {
            **defaults,
            **self.settings,
            "LoggingConfig": logging,
            "FunctionName": self.name,
            "FunctionArn": f"{self.arn}:{qualifier}" if qualifier else self.arn,
            "CodeSha256": self.code.sha256,
            "CodeSize": self.code.size,
            "LastModified": self.modified.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
            "Version": self.version,
            "RevisionId": self.revision,
            "PackageType": "Zip",
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }


def new_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a new function, checked."""
    check_settings(params)
    if params.get("PackageType", "Zip") != "Zip":
        raise NotSimulatedError("a Lambda function from a container image")
    for required in ("Runtime", "Handler"):
        if required not in params:
            raise AwsError(
                "InvalidParameterValueException", f"{required} is mandatory for functions created with a zip"
            )
    return {k: v for k, v in params.items() if k in (*_EFFECTIVE, *INERT_SETTINGS)}


def check_settings(params: Mapping[str, Any]) -> None:
    """Raise an error naming the first setting that has an effect on AWS and none here."""
    for name in _UNSUPPORTED:
        if params.get(name):
            raise NotSimulatedError(f"Lambda function setting {name}")
    if params.get("VpcConfig", {}).get("SubnetIds"):
        raise NotSimulatedError("Lambda function setting VpcConfig")
    if params.get("SnapStart", {}).get("ApplyOn", "None") != "None":
        raise NotSimulatedError("Lambda function setting SnapStart")
    _check_variables(params)
    runtime = params.get("Runtime")
    if runtime is not None and not re.fullmatch(r"python3\.\d+", runtime):
        raise NotSimulatedError(f"Lambda runtime {runtime}")


def _check_variables(params: Mapping[str, Any]) -> None:
    reserved = _RESERVED_VARIABLES & set(params.get("Environment", {}).get("Variables", {}))
    if reserved:
        raise AwsError(
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(sorted(reserved))}",
        )


def _without_description(function: Function) -> dict[str, Any]:
    return {key: value for key, value in function.settings.items() if key != "Description"}
