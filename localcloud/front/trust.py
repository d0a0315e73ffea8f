"""What AWS asks, beside the caller's permissions, of the roles and keys that requests name."""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.errors import AwsError
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need, Scope

_SAGEMAKER = "sagemaker.amazonaws.com"
_LOG_KEY_ACTIONS = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")


class TrustChecks:
    """Refuses requests whose role or key does not admit the service that is to use it.

    Parameters
    ----------
    authorizer
        Reads trust and key policies.
    scope
        Account and region.
    """

    def __init__(self, authorizer: Authorizer, scope: Scope) -> None:
        self._authorizer = authorizer
        self._scope = scope

    def checks(self) -> dict[str, Callable[[Mapping[str, Any]], None]]:
        """Return what checks the requests of each operation."""
        with_role = ("CreateProcessingJob", "CreateTrainingJob", "CreatePipeline", "UpdatePipeline")
        return {
            "sagemaker:CreateModel": self.model_role,
            **{f"sagemaker:{name}": self.job_role for name in with_role},
            "logs:CreateLogGroup": self.log_key,
            "logs:AssociateKmsKey": self.log_key,
        }

    def model_role(self, params: Mapping[str, Any]) -> None:
        """Raise `AwsError` unless SageMaker may assume the execution role of a model."""
        role = params.get("ExecutionRoleArn")
        if role and not self._authorizer.may_assume(role, _SAGEMAKER):
            raise AwsError(
                "ValidationException",
                f"Could not assume role {role}. Please ensure that the role exists and allows principal "
                f"'{_SAGEMAKER}' to assume the role.",
            )

    def job_role(self, params: Mapping[str, Any]) -> None:
        """Raise `AwsError` unless SageMaker may assume the role of a job or pipeline."""
        self.model_role({"ExecutionRoleArn": params.get("RoleArn")})

    def log_key(self, params: Mapping[str, Any]) -> None:
        """Raise `AwsError` unless CloudWatch Logs may use the key of a log group."""
        key = params.get("kmsKeyId")
        if not key:
            return
        group = self._scope.arn("logs", f"log-group:{params.get('logGroupName', '')}")
        context: dict[str, str | list[str]] = {"kms:encryptioncontext:aws:logs:arn": group}
        needs = [Need(action, key, context) for action in _LOG_KEY_ACTIONS]
        service = f"logs.{self._scope.region}.amazonaws.com"
        refusals = (self._authorizer.service_refusal(service, need, group) for need in needs)
        reason = next((refusal for refusal in refusals if refusal), None)
        if reason is not None:
            message = f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'"
            raise AwsError("InvalidParameterException", f"{message} ({reason})")
