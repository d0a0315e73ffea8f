"""The SageMaker pipeline that retrains an endpoint's model."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from lambdas.contract import RETRAINING_PREFIX
from stacks.bundling import BundlingError
from stacks.config.retraining import Retraining
from stacks.config.retraining_rules import slices_argument
from stacks.constructs.artefact_permissions import ArtefactPermissions
from stacks.constructs.job_role import pass_to_sagemaker
from stacks.constructs.permissions import allow
from stacks.constructs.principals import sagemaker as by_sagemaker
from stacks.names import Names

COMMIT = "commit"
"""Context value with the revision that is deployed: ``cdk deploy -c commit=$(git rev-parse HEAD)``."""

_FOLDER = Path("model_containers") / "training"
_FILES = {False: "pipeline.json", True: "pipeline-spot.json"}
PIPELINE_JOBS = "pipelines-*"
"""Names that SageMaker gives to the jobs of pipelines' steps."""


class RetrainingPipeline(Construct):
    """The definition that model_containers/training has written, with what is the same for every run filled in.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    retraining
        What the endpoint's file says.
    slices
        Columns whose slices the challenger is judged in: those that the endpoint's monitor tells apart.
    endpoint_name
        SageMaker name of the endpoint.
    names
        Names in this stack.
    root
        The repository's folder.
    image_uri
        Image of its jobs.
    code_version
        What tells that image from others, for want of a commit.
    job_role
        Role of its jobs.
    register_arn
        Function that its last step calls.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        retraining: Retraining,
        slices: Sequence[str],
        endpoint_name: str,
        names: Names,
        root: Path,
        image_uri: str,
        code_version: str,
        job_role: iam.IRole,
        register_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = names.pipeline(endpoint_name)
        self._names = names
        known = {
            "Endpoint": endpoint_name,
            "LeastGain": f"{retraining.least_gain_percent / 100:.10g}",
            "Slices": slices_argument(slices),
            "ImageUri": image_uri,
            "JobRoleArn": job_role.role_arn,
            "TrainInstanceType": retraining.training.instance_type,
            "ProcessInstanceType": retraining.training.instance_type,
            "MaxRuntimeSeconds": retraining.training.max_runtime_minutes * 60,
            "MaxWaitSeconds": retraining.training.max_runtime_minutes * 60 * 2,
            "RegisterFunctionArn": register_arn,
            "KmsKeyArn": names.arn("kms", "alias", names.registry_key),
            "Commit": self.node.try_get_context(COMMIT) or code_version,
        }
        definition = _filled(_definition(root, retraining.training.spot), known)
        role = self._role(endpoint_name, job_role, register_arn)
        self.pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.name,
            pipeline_description=f"Trains the model of {endpoint_name} anew, and registers it if it is better",
            role_arn=role.role_arn,
            pipeline_definition={"PipelineDefinitionBody": Stack.of(self).to_json_string(definition)},
        )
        # What it may do must be there before it can be started.
        self.pipeline.node.add_dependency(role)

    def _role(self, endpoint_name: str, job_role: iam.IRole, register_arn: str) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=by_sagemaker(self),
            description=f"Steps of the pipeline that retrains {endpoint_name}",
        )
        artefacts = ArtefactPermissions(self._names, [endpoint_name])
        statements = [
            self._run("Processing", "processing-job"),
            self._run("Training", "training-job"),
            pass_to_sagemaker([job_role]),
            allow("Register", ["lambda:InvokeFunction"], [register_arn]),
            # It reads the numbers that its condition is about.
            artefacts.find(RETRAINING_PREFIX),
            artefacts.read(RETRAINING_PREFIX),
            artefacts.use_key(),
        ]
        for statement in statements:
            role.add_to_policy(statement)
        return role

    def _run(self, noun: str, kind: str) -> iam.PolicyStatement:
        verbs = [f"sagemaker:{verb}{noun}Job" for verb in ("Create", "Describe", "Stop")]
        return allow(f"Run{noun}", ["sagemaker:AddTags", *verbs], [self._names.sagemaker_arn(kind, PIPELINE_JOBS)])


def _definition(root: Path, spot: bool) -> dict[str, Any]:
    path = root / _FOLDER / _FILES[spot]
    if not path.is_file():
        raise BundlingError(f"there is no {path}; write it with: python -m model_containers.training.pipeline")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _filled(definition: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the definition with defaults for the parameters that are known."""
    parameters = [
        {**parameter, "DefaultValue": known[parameter["Name"]]} if parameter["Name"] in known else parameter
        for parameter in definition["Parameters"]
    ]
    return {**definition, "Parameters": parameters}
