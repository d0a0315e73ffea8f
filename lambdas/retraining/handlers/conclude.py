"""The pipeline's last step: registers the challenger, or writes down that the champion stays.

Calls: ssm GetParameter; dynamodb GetItem of the rollout table; sagemaker DescribeEndpointConfig, DescribeModel,
DescribeModelPackage, ListModelPackages, CreateModelPackage; s3 GetObject and PutObject of the artefact bucket; kms Sign
with the signing key.
"""

from typing import Any

from lambdas.retraining.adapters.artefacts import S3Artefacts
from lambdas.retraining.adapters.clients import lazy
from lambdas.retraining.adapters.models import SageMakerModels
from lambdas.retraining.adapters.packages import KmsSigner, SageMakerPackages
from lambdas.retraining.adapters.parameters import SsmSettings
from lambdas.retraining.adapters.rollouts import RolloutTable
from lambdas.retraining.concluding import Request, World, conclude
from lambdas.rollout.adapters.clients import time_limit
from lambdas.rollout.errors import PermanentError
from lambdas.rollout.handlers.wiring import begin_long, logger

LAST_CALL_SECONDS = 240.0
"""The function's time-out is 300 s."""


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Conclude a run; what it returns are the step's output parameters."""
    begin_long(context)
    time_limit.start(LAST_CALL_SECONDS)
    asked = Request.of(event)
    logger.append_keys(endpoint=asked.endpoint, run=asked.run_id)
    found = conclude(real_world(asked), asked)
    logger.info(f"the run {asked.run_id} ends with {found.outcome}: {found.reason}")
    return {"outcome": found.outcome, "version": found.version, "package_arn": found.package_arn or ""}


def real_world(asked: Request) -> World:
    """Return what the step needs of AWS."""
    settings = SsmSettings().load(asked.endpoint)
    if settings is None:
        raise PermanentError(f"{asked.endpoint} has no retraining settings; deploy the environment again")
    live = RolloutTable().live(asked.endpoint, settings)
    model = SageMakerModels(lazy("sagemaker")).of(live.champion, settings)
    return World(S3Artefacts(), SageMakerPackages(), KmsSigner(), model, live.champion, settings)
