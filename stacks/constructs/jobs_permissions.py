"""What may be done for an endpoint that answers jobs: by the role of its containers, and by who keeps it."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from lambdas import contract
from stacks.config import Endpoint
from stacks.constructs.permissions import allow, let_scaling_work, use_key_of
from stacks.names import Names

_COUNT = "UpdateEndpointWeightsAndCapacities"


def answering_jobs(
    names: Names, endpoint: Endpoint, bucket: s3.IBucket, log_group: logs.ILogGroup
) -> list[iam.PolicyStatement]:
    """Read the rows of jobs, write answers, tell of them, and log.

    As https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-prerequisites.html asks. Whether
    rows are missing or forbidden S3 tells as `ArtefactPermissions.find` says.
    """
    name = endpoint.full_name(names.environment)
    folder = f"{contract.INFERENCE_PREFIX}/{name}/*"
    left = (contract.jobs_answers_folder(name), contract.jobs_failures_folder(name))
    return [
        allow("FindJobs", ["s3:ListBucket"], [bucket.bucket_arn], StringLikeIfExists={"s3:prefix": [folder]}),
        allow("ReadJobs", ["s3:GetObject"], [bucket.arn_for_objects(f"{contract.INFERENCE_PREFIX}/{name}/jobs/*")]),
        allow(
            "WriteJobsAnswers",
            ["s3:AbortMultipartUpload", "s3:PutObject"],
            [bucket.arn_for_objects(f"{each}/*") for each in left],
        ),
        allow("TellOfJobs", ["sns:Publish"], [names.jobs_topic_arn(endpoint.name)]),
        use_key_of(names, names.inference_key, "sns", "SealWhatIsTold", "Decrypt", "GenerateDataKey"),
        allow(
            "WriteJobsLog",
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [log_group.log_group_arn],
        ),
    ]


def keep_jobs_endpoint(names: Names, name: str) -> list[iam.PolicyStatement]:
    """Make, change and take away the endpoint that answers an endpoint's jobs, and have it scale."""
    own = contract.jobs_endpoint(name)
    endpoint, configs, models = (
        names.sagemaker_arn(kind, f"{own}{tail}")
        for kind, tail in (("endpoint", ""), ("endpoint-config", "-*"), ("model", "-*"))
    )
    changes = ["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"]
    return [
        allow(
            "KeepEndpoint",
            # Who has an endpoint scale must be allowed to change its instances, says Application Auto Scaling.
            [f"sagemaker:{each}" for each in ("AddTags", "DeleteEndpoint", "DescribeEndpoint", _COUNT)] + changes,
            [endpoint],
        ),
        # SageMaker asks for the changes on the config that is put live, too.
        allow("AnswerByConfigs", ["sagemaker:DescribeEndpointConfig", *changes], [configs]),
        *(
            allow(
                f"Keep{noun}s", [f"sagemaker:{each}" for each in ("AddTags", f"Create{noun}", f"Delete{noun}")], [arn]
            )
            for noun, arn in (("EndpointConfig", configs), ("Model", models))
        ),
        *_scaling(names, name, own),
    ]


def _scaling(names: Names, name: str, own: str) -> list[iam.PolicyStatement]:
    # Policies cannot name the resource that is scaled: all instance counts of SageMaker's variants is what is left.
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html
    targets = names.arn("application-autoscaling", "scalable-target", "*")
    only = {
        "application-autoscaling:scalable-dimension": contract.SCALABLE_DIMENSION,
        "application-autoscaling:service-namespace": contract.SCALABLE_NAMESPACE,
    }
    keeping = ["DeregisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget"]
    tracked = f"TargetTracking-{contract.scalable_target(own, contract.JOBS_VARIANT)}*"
    alarms = [names.alarm_arn(each) for each in (tracked, contract.jobs_backlog_alarm(name))]
    return [
        allow("KeepScaling", [f"application-autoscaling:{each}" for each in keeping], [targets], StringEquals=only),
        allow("KeepScalingAlarms", ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"], alarms),
        # Who puts a policy that makes alarms must be allowed to see alarms, which AWS shows only all together.
        allow("SeeAlarms", ["cloudwatch:DescribeAlarms"], ["*"]),
        let_scaling_work(names),
    ]
