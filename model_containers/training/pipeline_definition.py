"""The retraining pipeline's definition, written with the SageMaker SDK; see `pipeline` for how to run this."""

import json
from copy import deepcopy
from typing import Any

from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.conditions import ConditionEquals
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.lambda_step import LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import (
    RetryPolicy,
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import CheckpointConfig, Compute, InputData, Networking, OutputDataConfig

from .pipeline_parameters import Parameters

PROGRAM = ["python", "-m", "model_containers.training"]
ROOT = "/opt/ml"
VOLUME_GB = 30
PLACEHOLDER_ROLE = "arn:aws:iam::123456789012:role/replaced-by-the-parameter"
NO_DEFAULTS = {"SchemaVersion": "1.0"}
"""Given, so that the SDK does not look for somebody's settings, which would get into the definition."""
NO_REGION = "nowhere"
"""The SDK reports each use to its makers over the network, but only from a region of AWS. (Its setting against that is
validated anew on each of hundreds of look-ups, which takes ten seconds.)"""


def definitions() -> dict[bool, dict[str, Any]]:
    """Return the definitions, as ``CreatePipeline`` takes them in ``PipelineDefinition``, by whether they use spot."""
    parameters = Parameters()
    built = _built(parameters)
    return {spot: _completed(deepcopy(built), parameters, spot) for spot in (False, True)}


def _built(parameters: Parameters) -> dict[str, Any]:
    session = PipelineSession(_NoAws(), _NoAws(), default_bucket="unused", sagemaker_config=NO_DEFAULTS)
    session.sagemaker_config = {}
    prepare = _prepare(parameters, session)
    train = _train(parameters, session, _written_by(prepare, "train"))
    heldout, challenger = _written_by(prepare, "heldout"), train.properties.ModelArtifacts.S3ModelArtifacts
    evaluate = _judge(parameters, session, "Evaluate", "evaluation", heldout, challenger)
    checks = _judge(parameters, session, "Checks", "checks", heldout, challenger)
    checks.add_depends_on([evaluate])
    worthwhile = ConditionStep(
        name="Worthwhile",
        conditions=[_is_true(evaluate, "evaluation", "better"), _is_true(checks, "checks", "passed")],
        if_steps=[_conclude(parameters, session, "Register", "register", challenger)],
        else_steps=[_conclude(parameters, session, "Keep", "keep", challenger)],
    )
    pipeline = Pipeline(
        name="tidegate-retraining",
        parameters=parameters.all,
        pipeline_experiment_config=None,
        steps=[prepare, train, evaluate, checks, worthwhile],
        sagemaker_session=session,
    )
    built: dict[str, Any] = json.loads(pipeline.definition())
    return built


def _prepare(parameters: Parameters, session: Session) -> ProcessingStep:
    return _processing(
        parameters,
        session,
        name="Prepare",
        arguments=["--endpoint", parameters.endpoint, "--since", parameters.since, "--until", parameters.until],
        inputs=[
            _input("captures", parameters.captures_manifest, "ManifestFile"),
            _input("labels", parameters.labels_manifest, "ManifestFile"),
            _input("baseline", parameters.baseline_uri),
        ],
        outputs=[_output(parameters, each, f"prepared/{each}") for each in ("train", "heldout", "report")],
    )


def _train(parameters: Parameters, session: Session, rows: PipelineVariable) -> TrainingStep:
    trainer = ModelTrainer(
        sagemaker_session=session,
        role=PLACEHOLDER_ROLE,
        base_job_name="tidegate-challenger",
        training_image=parameters.image_uri,
        compute=Compute(instance_type=parameters.train_instance_type, instance_count=1, volume_size_in_gb=VOLUME_GB),
        networking=Networking(enable_network_isolation=True),
        output_data_config=OutputDataConfig(
            s3_output_path=_below(parameters, "model"), kms_key_id=parameters.kms_key_arn
        ),
        checkpoint_config=CheckpointConfig(s3_uri=_below(parameters, "checkpoints"), local_path=f"{ROOT}/checkpoints"),
        hyperparameters={
            "endpoint": parameters.endpoint,
            "run_id": parameters.run_id,
            "reason": parameters.reason,
            "champion_version": parameters.champion_version,
            "commit": parameters.commit,
        },
        input_data_config=[
            InputData(channel_name="train", data_source=rows),
            InputData(channel_name="champion", data_source=parameters.champion_uri),
        ],
    )
    return TrainingStep(name="Train", step_args=trainer.train(), retry_policies=_retries())


def _judge(
    parameters: Parameters,
    session: Session,
    name: str,
    writes: str,
    heldout: PipelineVariable,
    challenger: PipelineVariable,
) -> ProcessingStep:
    """Return a step that looks at both models on the held-out rows and writes `<writes>.json`."""
    arguments = ["--slices", parameters.slices]
    if name == "Evaluate":
        arguments += ["--endpoint", parameters.endpoint, "--run-id", parameters.run_id]
        arguments += ["--champion-version", parameters.champion_version, "--least-gain", parameters.least_gain]
    return _processing(
        parameters,
        session,
        name=name,
        arguments=arguments,
        inputs=[
            _input("heldout", heldout),
            _input("champion", parameters.champion_uri),
            _input("challenger", challenger),
        ],
        outputs=[_output(parameters, writes, writes)],
        property_files=[PropertyFile(name=writes, output_name=writes, path=f"{writes}.json")],
    )


def _conclude(
    parameters: Parameters, session: Session, name: str, decision: str, challenger: PipelineVariable
) -> LambdaStep:
    return LambdaStep(
        name=name,
        lambda_func=Lambda(function_arn=parameters.register_function_arn, session=session),
        inputs={
            "decision": decision,
            "endpoint": parameters.endpoint,
            "run_id": parameters.run_id,
            "reason": parameters.reason,
            "execution_arn": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            "champion_version": parameters.champion_version,
            "champion_uri": parameters.champion_uri,
            "baseline_uri": parameters.baseline_uri,
            "captures_manifest": parameters.captures_manifest,
            "labels_manifest": parameters.labels_manifest,
            "output_uri": parameters.output_uri,
            "model_uri": challenger,
            "evaluation_uri": _below(parameters, "evaluation/evaluation.json"),
            "checks_uri": _below(parameters, "checks/checks.json"),
            "report_uri": _below(parameters, "prepared/report/report.json"),
            "commit": parameters.commit,
        },
    )


def _processing(
    parameters: Parameters,
    session: Session,
    *,
    name: str,
    arguments: list[str | PipelineVariable],
    inputs: list[ProcessingInput],
    outputs: list[ProcessingOutput],
    property_files: list[PropertyFile] | None = None,
) -> ProcessingStep:
    processor = Processor(
        role=parameters.job_role_arn,
        image_uri=parameters.image_uri,
        instance_count=1,
        instance_type=parameters.process_instance_type,
        entrypoint=[*PROGRAM, name.lower()],
        volume_size_in_gb=VOLUME_GB,
        output_kms_key=parameters.kms_key_arn,
        max_runtime_in_seconds=parameters.max_runtime_seconds,
        base_job_name=f"tidegate-{name.lower()}",
        sagemaker_session=session,
        network_config=NetworkConfig(enable_network_isolation=True),
    )
    return ProcessingStep(
        name=name,
        step_args=processor.run(inputs=inputs, outputs=outputs, arguments=arguments),
        property_files=property_files,
        retry_policies=_retries(),
    )


def _input(name: str, uri: str | PipelineVariable, kind: str = "S3Prefix") -> ProcessingInput:
    source = ProcessingS3Input(
        s3_uri=uri,
        local_path=f"{ROOT}/processing/input/{name}",
        s3_data_type=kind,
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
    )
    return ProcessingInput(input_name=name, s3_input=source)


def _output(parameters: Parameters, name: str, path: str) -> ProcessingOutput:
    target = ProcessingS3Output(
        s3_uri=_below(parameters, path),
        local_path=f"{ROOT}/processing/output/{name}",
        s3_upload_mode="EndOfJob",
    )
    return ProcessingOutput(output_name=name, s3_output=target)


def _below(parameters: Parameters, path: str) -> Join:
    return Join(on="/", values=[parameters.output_uri, path])


def _written_by(step: ProcessingStep, output: str) -> PipelineVariable:
    return step.properties.ProcessingOutputConfig.Outputs[output].S3Output.S3Uri


def _is_true(step: ProcessingStep, file: str, field: str) -> ConditionEquals:
    return ConditionEquals(left=JsonGet(step_name=step.name, property_file=file, json_path=field), right=True)


def _retries() -> list[RetryPolicy]:
    """Return what a step is tried again after: the service's own faults, never a program's non-zero exit."""
    return [
        StepRetryPolicy(
            exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
            interval_seconds=10,
            backoff_rate=2.0,
            max_attempts=5,
        ),
        SageMakerJobStepRetryPolicy(
            exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
            failure_reason_types=[
                SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
                SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
            ],
            interval_seconds=60,
            backoff_rate=2.0,
            max_attempts=3,
        ),
    ]


def _completed(built: dict[str, Any], parameters: Parameters, spot: bool) -> dict[str, Any]:
    """Put in what the service takes but the SDK's types refuse, and take out what says nothing."""
    arguments = next(step for step in built["Steps"] if step["Name"] == "Train")["Arguments"]
    arguments["RoleArn"] = parameters.job_role_arn.expr
    arguments["AlgorithmSpecification"]["ContainerEntrypoint"] = [*PROGRAM, "challenger"]
    arguments["StoppingCondition"] = {"MaxRuntimeInSeconds": parameters.max_runtime_seconds.expr}
    if spot:
        arguments["EnableManagedSpotTraining"] = True
        arguments["StoppingCondition"]["MaxWaitTimeInSeconds"] = parameters.max_wait_seconds.expr
    else:
        built["Parameters"].remove(parameters.max_wait_seconds.to_request())
    return {name: value for name, value in built.items() if value is not None}


class _NoAws:
    """Stands for boto3's session and its clients: the SDK asks for a region, and nothing here may be called."""

    region_name = NO_REGION

    def client(self, *_: object, **__: object) -> "_NoAws":
        return self

    def resource(self, *_: object, **__: object) -> "_NoAws":
        return self
