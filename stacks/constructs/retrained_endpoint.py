"""What the controller of an endpoint's retraining is told, and the pipeline that it starts."""

from pathlib import Path
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from lambdas import contract
from lambdas.contract import CAPTURE_PREFIX, LABELS_PREFIX, RETRAINING_PREFIX
from stacks.config import Endpoint, Environment
from stacks.config.retraining import Retraining, Training
from stacks.constructs.alert_topic import alert
from stacks.constructs.artefact_permissions import MODELS
from stacks.constructs.job_image import JobImage
from stacks.constructs.job_role import PROCESSING, TRAINING, JobRole
from stacks.constructs.retraining_pipeline import RetrainingPipeline
from stacks.names import Names

_SCHEMA = 1
_JOBS_IN_A_ROW = 4
_SPOT_WAIT = 1
"""Runtimes that a training job on spot instances may wait for them besides its own."""

_START_UP_MINUTES = 60
"""Of all jobs of a run together, with what SageMaker tries again."""


class RetrainedEndpoint(Construct):
    """Parameter, pipeline and roles of an endpoint's retraining, and an alarm on runs that fail.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment, endpoint
        What the environment's file says.
    names
        Names in this stack.
    root
        The repository's folder.
    image
        Image of the jobs.
    register_arn
        Function that concludes a run.
    baseline
        What the bootstrap model was trained on.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        endpoint: Endpoint,
        names: Names,
        root: Path,
        image: JobImage,
        register_arn: str,
        baseline: s3_assets.Asset | None,
    ) -> None:
        super().__init__(scope, construct_id)
        assert endpoint.retraining is not None
        self._names, self._endpoint, self._retraining = names, endpoint, endpoint.retraining
        self.name, self.baseline = endpoint.full_name(names.environment), baseline
        self.pipeline = self._steps(root, image, self._job_role(), register_arn)
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=contract.retraining_parameter(names.environment, self.name),
            description=f"When and how the model of {self.name} is retrained",
            string_value=Stack.of(self).to_json_string(self._settings(environment)),
        )
        alert(self._failed(), names.topic_arn)

    def _job_role(self) -> JobRole:
        return JobRole(
            Construct(self, "Job"),
            "Role",
            names=self._names,
            endpoint_name=self.name,
            kinds=[PROCESSING, TRAINING],
            reads=[CAPTURE_PREFIX, LABELS_PREFIX, RETRAINING_PREFIX, MODELS],
            writes=[RETRAINING_PREFIX],
            baseline=self.baseline,
            reads_bootstrap=True,
        )

    def _steps(self, root: Path, image: JobImage, role: JobRole, register_arn: str) -> RetrainingPipeline:
        monitoring = self._endpoint.monitoring
        return RetrainingPipeline(
            self,
            "Steps",
            retraining=self._retraining,
            slices=monitoring.slices if monitoring is not None else (),
            endpoint_name=self.name,
            names=self._names,
            root=root,
            image_uri=image.image_uri,
            code_version=image.asset_hash,
            job_role=role,
            register_arn=register_arn,
        )

    def _settings(self, environment: Environment) -> dict[str, Any]:
        return {
            "schema": _SCHEMA,
            "environment": environment.environment,
            "endpoint": self.name,
            "bucket": self._names.artefact_bucket,
            "pipeline": self.pipeline.name,
            **_rules(self._retraining),
            "history_days": environment.capture_retention_days,
            "bootstrap": {
                "version": self._endpoint.bootstrap.version,
                "baseline": self.baseline.s3_object_url if self.baseline is not None else None,
            },
            "signing_key": self._names.signing_key_arn,
        }

    def _failed(self) -> cloudwatch.Alarm:
        """SageMaker counts pipelines' executions itself; so this tells of failures that no function learns of."""
        return cloudwatch.Alarm(
            self,
            "Failed",
            alarm_description=f"A run that was to retrain the model of {self.name} has failed",
            metric=cloudwatch.Metric(
                namespace="AWS/Sagemaker/ModelBuildingPipeline",
                metric_name="ExecutionFailed",
                dimensions_map={"PipelineName": self.pipeline.name},
                statistic="Sum",
                period=Duration.minutes(5),
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _rules(retraining: Retraining) -> dict[str, Any]:
    drift = retraining.on_drift
    return {
        "on_drift": None
        if drift is None
        else {"severe_features": drift.severe_features, "windows": drift.windows, "of": drift.of},
        "schedule_days": retraining.schedule_days,
        "on_new_data": retraining.on_new_data,
        "cooldown_minutes": retraining.cooldown_minutes,
        "lookback_minutes": retraining.lookback_minutes,
        "monthly_runs": retraining.monthly_runs,
        "least_gain_percent": retraining.least_gain_percent,
        "approval": retraining.approval,
        "run_limit_minutes": _longest_run(retraining.training),
    }


def _longest_run(training: Training) -> int:
    """Return the minutes after which a run is given up: all its jobs as long as they may take, and their start-up."""
    runtimes = _JOBS_IN_A_ROW + (_SPOT_WAIT if training.spot else 0)
    return training.max_runtime_minutes * runtimes + _START_UP_MINUTES
