"""Permissions of SageMaker, CloudWatch and Application Auto Scaling operations."""

from collections.abc import Callable

from localcloud.front.permissions import Need, Params, Rule, Scope, Table, anywhere, on

_EXECUTION_SERVICE = "sagemaker.amazonaws.com"


def _named(kind: str, parameter: str) -> Callable[[Params, Scope], str]:
    """Return the function that finds a resource of `kind` by a parameter that holds its name or ARN."""

    def resource(params: Params, scope: Scope) -> str:
        value = str(params.get(parameter, "*"))
        return value if value.startswith("arn:") else scope.arn("sagemaker", f"{kind}/{value.lower()}")

    return resource


def _simple(operation: str, kind: str, parameter: str) -> Rule:
    return on(f"sagemaker:{operation}", _named(kind, parameter))


def _also(*rules: Rule) -> Rule:
    return lambda params, scope: [need for rule in rules for need in rule(params, scope)]


def _tagged(rule: Rule) -> Rule:
    """Return `rule` plus sagemaker:AddTags on the same resource for requests that carry tags."""

    def needs(params: Params, scope: Scope) -> list[Need]:
        found = rule(params, scope)
        extra = [Need("sagemaker:AddTags", found[0].resource)] if params.get("Tags") else []
        return [*found, *extra]

    return needs


def _passes(parameter: str) -> Rule:
    """Return the permission to hand the role in a parameter to SageMaker."""

    def needs(params: Params, _scope: Scope) -> list[Need]:
        role = params.get(parameter)
        return [Need("iam:PassRole", role, {"iam:passedtoservice": _EXECUTION_SERVICE})] if role else []

    return needs


def _endpoint_config(params: Params, scope: Scope) -> list[Need]:
    """Return the permission to create a configuration, once for each model that it names, shadows included.

    AWS offers no resource for the models but the condition key sagemaker:ModelArn ("Actions, resources, and condition
    keys for Amazon SageMaker"). How it matches several models is not documented, so here each must be allowed.
    """
    resource = _named(*_CONFIG)(params, scope)
    variants = [*params["ProductionVariants"], *(params.get("ShadowProductionVariants") or [])]
    types: list[str] = sorted({str(variant["InstanceType"]) for variant in variants if variant.get("InstanceType")})
    models = sorted({str(variant["ModelName"]) for variant in variants if variant.get("ModelName")})
    contexts: list[dict[str, str | list[str]]] = [
        {"sagemaker:modelarn": scope.arn("sagemaker", f"model/{name.lower()}")} for name in models
    ]
    return [
        Need("sagemaker:CreateEndpointConfig", resource, {**context, "sagemaker:instancetypes": types})
        for context in contexts or [{}]
    ]


def _scaling(operation: str) -> Rule:
    def needs(params: Params, scope: Scope) -> list[Need]:
        context: dict[str, str | list[str]] = {
            "application-autoscaling:service-namespace": str(params.get("ServiceNamespace", "")),
            "application-autoscaling:scalable-dimension": str(params.get("ScalableDimension", "")),
        }
        # The id in a scalable target's ARN is AWS's own, so a policy can only name all of them.
        target = scope.arn("application-autoscaling", "scalable-target/0a1b2c3d")
        return [Need(f"application-autoscaling:{operation}", target, context)]

    return needs


def _scaled_resource(params: Params, scope: Scope) -> list[Need]:
    """Return what the service will do with the endpoint or function that a scalable target belongs to."""
    resource = str(params["ResourceId"])
    if params.get("ServiceNamespace") == "lambda":
        arn = scope.arn("lambda", resource)
        verbs = ("GetProvisionedConcurrencyConfig", "PutProvisionedConcurrencyConfig")
        return [Need(f"lambda:{verb}", arn) for verb in (*verbs, "DeleteProvisionedConcurrencyConfig")]
    arn = scope.arn("sagemaker", f"endpoint/{resource.removeprefix('endpoint/').split('/')[0].lower()}")
    return [Need(f"sagemaker:{verb}", arn) for verb in ("DescribeEndpoint", "UpdateEndpointWeightsAndCapacities")]


def _scaling_alarms(params: Params, scope: Scope) -> list[Need]:
    """Return what the alarms of target tracking take; their names end in an id that AWS makes up."""
    alarms = [
        scope.arn("cloudwatch", f"alarm:TargetTracking-{params['ResourceId']}-{kind}-0a1b2c3d")
        for kind in ("AlarmHigh", "AlarmLow")
    ]
    changes = [Need(f"cloudwatch:{name}", alarm) for name in ("PutMetricAlarm", "DeleteAlarms") for alarm in alarms]
    return [*changes, Need("cloudwatch:DescribeAlarms", "*")]


def _metric_data(params: Params, _scope: Scope) -> list[Need]:
    return [Need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": str(params.get("Namespace", ""))})]


def _alarm(operation: str) -> Rule:
    def needs(params: Params, scope: Scope) -> list[Need]:
        names = params.get("AlarmNames") or [params.get("AlarmName")]
        return [Need(f"cloudwatch:{operation}", scope.arn("cloudwatch", f"alarm:{name}")) for name in names]

    return needs


def _job(kind: str, label: str) -> Table:
    """Return the permissions of the operations on jobs; a transform job's role is its model's, and not passed."""
    creation = _also(_job_creation(kind, label), _passes("RoleArn"))
    return {
        f"sagemaker:Create{label}": _tagged(creation),
        f"sagemaker:Describe{label}": _simple(f"Describe{label}", kind, f"{label}Name"),
        f"sagemaker:Stop{label}": _simple(f"Stop{label}", kind, f"{label}Name"),
        f"sagemaker:List{label}s": anywhere(f"sagemaker:List{label}s"),
    }


def _job_creation(kind: str, label: str) -> Rule:
    def needs(params: Params, scope: Scope) -> list[Need]:
        resources = params.get("ResourceConfig") or params.get("TransformResources") or {}
        resources = resources or (params.get("ProcessingResources") or {}).get("ClusterConfig") or {}
        types = [str(resources["InstanceType"])] if resources.get("InstanceType") else []
        resource = _named(kind, f"{label}Name")(params, scope)
        return [Need(f"sagemaker:Create{label}", resource, {"sagemaker:instancetypes": types})]

    return needs


def _approving(operation: str, kind: str, parameter: str) -> Rule:
    """Return the rule of an operation that may set a model package's approval."""

    def needs(params: Params, scope: Scope) -> list[Need]:
        status = params.get("ModelApprovalStatus")
        context: dict[str, str | list[str]] = {"sagemaker:modelapprovalstatus": str(status)} if status else {}
        return [Need(f"sagemaker:{operation}", _named(kind, parameter)(params, scope), context)]

    return needs


def _pipeline(operation: str) -> Rule:
    return _simple(operation, "pipeline", "PipelineName")


def _execution(operation: str) -> Rule:
    return on(f"sagemaker:{operation}", lambda params, _scope: str(params["PipelineExecutionArn"]))


def _definition_object(params: Params, _scope: Scope) -> list[Need]:
    """Return the permission to read a pipeline's definition, where it lies in S3."""
    place = params.get("PipelineDefinitionS3Location")
    return [Need("s3:GetObject", f"arn:aws:s3:::{place['Bucket']}/{place['ObjectKey']}")] if place else []


_PIPELINES: Table = {
    "sagemaker:CreatePipeline": _tagged(_also(_pipeline("CreatePipeline"), _passes("RoleArn"), _definition_object)),
    "sagemaker:UpdatePipeline": _also(_pipeline("UpdatePipeline"), _passes("RoleArn"), _definition_object),
    **{
        f"sagemaker:{name}": _pipeline(name)
        for name in ("DescribePipeline", "DeletePipeline", "StartPipelineExecution", "ListPipelineExecutions")
    },
    **{
        f"sagemaker:{name}": _execution(name)
        for name in (
            "DescribePipelineExecution",
            "DescribePipelineDefinitionForExecution",
            "ListPipelineExecutionSteps",
            "ListPipelineParametersForExecution",
            "StopPipelineExecution",
        )
    },
    "sagemaker:ListPipelines": anywhere("sagemaker:ListPipelines"),
}

_ENDPOINT_OPERATIONS = ("DescribeEndpoint", "DeleteEndpoint", "UpdateEndpointWeightsAndCapacities")
_CONFIG = ("endpoint-config", "EndpointConfigName")

SAGEMAKER: Table = {
    **_job("processing-job", "ProcessingJob"),
    **_job("training-job", "TrainingJob"),
    **_job("transform-job", "TransformJob"),
    **_PIPELINES,
    **{f"sagemaker:{name}": _simple(name, "endpoint", "EndpointName") for name in _ENDPOINT_OPERATIONS},
    "sagemaker:CreateEndpoint": _tagged(
        _also(
            _simple("CreateEndpoint", "endpoint", "EndpointName"),
            _simple("CreateEndpoint", *_CONFIG),
            _passes("ExecutionRoleArn"),
        )
    ),
    "sagemaker:UpdateEndpoint": _also(
        _simple("UpdateEndpoint", "endpoint", "EndpointName"), _simple("UpdateEndpoint", *_CONFIG)
    ),
    "sagemaker:CreateEndpointConfig": _tagged(_also(_endpoint_config, _passes("ExecutionRoleArn"))),
    "sagemaker:DescribeEndpointConfig": _simple("DescribeEndpointConfig", *_CONFIG),
    "sagemaker:DeleteEndpointConfig": _simple("DeleteEndpointConfig", *_CONFIG),
    "sagemaker:CreateModel": _tagged(_also(_simple("CreateModel", "model", "ModelName"), _passes("ExecutionRoleArn"))),
    "sagemaker:DescribeModel": _simple("DescribeModel", "model", "ModelName"),
    "sagemaker:DeleteModel": _simple("DeleteModel", "model", "ModelName"),
    "sagemaker:DescribeModelPackage": _simple("DescribeModelPackage", "model-package", "ModelPackageName"),
    "sagemaker:UpdateModelPackage": _approving("UpdateModelPackage", "model-package", "ModelPackageArn"),
    "sagemaker:DeleteModelPackage": _simple("DeleteModelPackage", "model-package", "ModelPackageName"),
    "sagemaker:CreateModelPackage": _tagged(
        _approving("CreateModelPackage", "model-package-group", "ModelPackageGroupName")
    ),
    "sagemaker:ListModelPackages": _simple("ListModelPackages", "model-package-group", "ModelPackageGroupName"),
    "sagemaker:DescribeModelPackageGroup": _simple(
        "DescribeModelPackageGroup", "model-package-group", "ModelPackageGroupName"
    ),
    "sagemaker:AddTags": _simple("AddTags", "any", "ResourceArn"),
    "sagemaker:ListTags": _simple("ListTags", "any", "ResourceArn"),
    "sagemaker:DeleteTags": _simple("DeleteTags", "any", "ResourceArn"),
    **{
        f"sagemaker:{name}": anywhere(f"sagemaker:{name}")
        for name in ("ListEndpoints", "ListEndpointConfigs", "ListModels", "ListModelPackageGroups")
    },
    "sagemaker-runtime:InvokeEndpoint": _simple("InvokeEndpoint", "endpoint", "EndpointName"),
    "sagemaker-runtime:InvokeEndpointAsync": _simple("InvokeEndpointAsync", "endpoint", "EndpointName"),
}

# DescribeAlarms sees composite alarms only with permission on everything.
CLOUDWATCH: Table = {
    **{
        f"cloudwatch:{name}": anywhere(f"cloudwatch:{name}")
        for name in ("DescribeAlarms", "GetMetricData", "GetMetricStatistics", "ListMetrics")
    },
    "cloudwatch:PutMetricData": _metric_data,
    **{
        f"cloudwatch:{name}": _alarm(name)
        for name in ("PutMetricAlarm", "PutCompositeAlarm", "DeleteAlarms", "SetAlarmState", "DescribeAlarmHistory")
    },
}

# Application Auto Scaling refuses callers who could not do its work themselves.
SCALING: Table = {
    **{
        f"application-autoscaling:{name}": _scaling(name)
        for name in (
            "DeregisterScalableTarget",
            "DeleteScalingPolicy",
            "DescribeScalableTargets",
            "DescribeScalingPolicies",
            "DescribeScalingActivities",
            "PutScheduledAction",
            "DeleteScheduledAction",
            "DescribeScheduledActions",
        )
    },
    "application-autoscaling:RegisterScalableTarget": _also(_scaling("RegisterScalableTarget"), _scaled_resource),
    "application-autoscaling:PutScalingPolicy": _also(_scaling("PutScalingPolicy"), _scaling_alarms),
}
