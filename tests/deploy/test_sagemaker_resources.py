"""SageMaker's, CloudWatch's and Application Auto Scaling's resources, in virtual time against the physics."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from localcloud.clock import VirtualClock
from localcloud.deploy.deployer import Deployer, DeployFailedError
from localcloud.deploy.testing import ACCOUNT, REGION, FakeFunctions, FakeImages, service_model, write_assembly
from localcloud.errors import AwsError
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.cloudwatch import CloudWatchService, MetricStore
from localcloud.physics.endpoints import SageMakerService
from localcloud.physics.settings import PhysicsSettings
from localcloud.physics.testing import FakeContainers, MemoryObjects, RecordedActions, RecordedEvents
from localcloud.service import Service

MODEL_DATA = "s3://bucket/model.tar.gz"


class ServiceClient:
    """A boto3 client whose operations are a service's own, without HTTP between."""

    def __init__(self, service: Service, calls: list[str]) -> None:
        self.meta = SimpleNamespace(service_model=service_model(service.name))
        self._handlers = {xform_name(name): (name, handler) for name, handler in service.operations().items()}
        self._calls = calls

    def __getattr__(self, method: str) -> Any:
        name, handler = self._handlers[method]

        def call(**parameters: Any) -> Any:
            self._calls.append(name)
            try:
                return handler(parameters)
            except AwsError as error:
                raise ClientError({"Error": {"Code": error.code, "Message": error.message}}, name) from error

        return call


class Stage:
    """A deployer over the physics."""

    def __init__(self, folder: Path) -> None:
        self.clock = clock = VirtualClock()
        metrics = MetricStore(clock)
        where: dict[str, Any] = {"account": ACCOUNT, "region": REGION}
        events = RecordedEvents()
        autoscaling = AutoScalingService(clock, **where)
        self.sagemaker = SageMakerService(
            clock,
            PhysicsSettings(),
            emit=events,
            metrics=metrics,
            objects=MemoryObjects({MODEL_DATA: b""}),
            containers=FakeContainers(),
            autoscaling=autoscaling,
            **where,
        )
        cloudwatch = CloudWatchService(clock, metrics, emit=events, act=RecordedActions(), **where)
        self.calls: list[str] = []
        services = (self.sagemaker, cloudwatch, autoscaling)
        self.clients = {service.name: ServiceClient(service, self.calls) for service in services}
        self.folder = folder
        self.deployer = Deployer(
            lambda name: self.clients[name],
            FakeImages(),
            callback_url=FakeFunctions().callback_url,
            pause=clock.advance,
            **where,
        )

    def deploy(self, resources: Mapping[str, Any]) -> list[str]:
        """Deploy; return the mutating operations that it took."""
        mark = len(self.calls)
        self.deployer.deploy(write_assembly(self.folder, {"app": {"Resources": resources}}))
        return [name for name in self.calls[mark:] if not name.startswith(("Describe", "List"))]

    def endpoint(self) -> Any:
        return self.clients["sagemaker"].describe_endpoint(EndpointName="rain")

    def names(self, operation: str, key: str) -> list[Any]:
        found: list[Any] = getattr(self.clients["sagemaker"], operation)()[key]
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def endpoint_stack(instance: str = "ml.m5.large", **endpoint: Any) -> dict[str, Any]:
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/serving:1"
    variant = {
        "VariantName": "blue",
        "ModelName": att("Model", "ModelName"),
        "InstanceType": instance,
        "InitialInstanceCount": "1",
        "InitialVariantWeight": "100",
    }
    return {
        "Model": of(
            "SageMaker::Model",
            ExecutionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
            PrimaryContainer={"Image": image, "ModelDataUrl": MODEL_DATA},
        ),
        "Config": of("SageMaker::EndpointConfig", ProductionVariants=[variant]),
        "Endpoint": of(
            "SageMaker::Endpoint",
            EndpointName="rain",
            EndpointConfigName=att("Config", "EndpointConfigName"),
            **endpoint,
        ),
    }


def test_a_new_endpoint_is_waited_for_and_its_ref_is_its_arn(stage: Stage) -> None:
    assert stage.deploy(endpoint_stack()) == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    assert stage.endpoint()["EndpointStatus"] == "InService"
    made = stage.deployer.stacks()["app"]["resources"]["Endpoint"]["made"]
    assert made["physical_id"] == f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/rain"


def test_a_changed_configuration_is_replaced_and_the_endpoint_updated_before_the_old_one_goes(stage: Stage) -> None:
    stage.deploy(endpoint_stack())
    before = stage.endpoint()["EndpointConfigName"]
    done = stage.deploy(endpoint_stack("ml.m5.xlarge"))
    assert done == ["CreateEndpointConfig", "UpdateEndpoint", "DeleteEndpointConfig"]
    assert stage.endpoint()["EndpointConfigName"] != before
    assert len(stage.names("list_endpoint_configs", "EndpointConfigs")) == 1


def test_an_edit_of_any_endpoint_property_sends_the_templates_configuration(stage: Stage) -> None:
    stage.deploy(endpoint_stack())
    client = stage.clients["sagemaker"]
    client.update_endpoint_weights_and_capacities(
        EndpointName="rain", DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredWeight": 7.0}]
    )
    stage.clock.advance(60)
    assert stage.deploy(endpoint_stack(Tags=[{"Key": "team", "Value": "x"}])) == ["UpdateEndpoint", "AddTags"]
    variant = stage.endpoint()["ProductionVariants"][0]
    assert variant["CurrentWeight"] == 100, "RetainAllVariantProperties is false: the weight is the initial one again"


def test_a_failed_creation_gives_the_reason_and_leaves_nothing(stage: Stage) -> None:
    stage.sagemaker.faults.insufficient_capacity()
    with pytest.raises(DeployFailedError, match="InsufficientInstanceCapacity") as caught:
        stage.deploy(endpoint_stack())
    assert caught.value.status == "ROLLBACK_COMPLETE"
    for operation, key in (
        ("list_endpoints", "Endpoints"),
        ("list_endpoint_configs", "EndpointConfigs"),
        ("list_models", "Models"),
    ):
        assert stage.names(operation, key) == []


def test_a_failed_update_is_seen_though_the_endpoint_is_in_service_and_goes_back(stage: Stage) -> None:
    stage.deploy(endpoint_stack())
    before = stage.endpoint()["EndpointConfigName"]
    stage.sagemaker.faults.fail_update("image does not start")
    with pytest.raises(DeployFailedError, match="image does not start") as caught:
        stage.deploy(endpoint_stack("ml.m5.xlarge"))
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
    assert stage.endpoint()["EndpointConfigName"] == before
    assert len(stage.names("list_endpoint_configs", "EndpointConfigs")) == 1


def test_a_failed_update_onto_the_same_configuration_is_seen_too(stage: Stage) -> None:
    stage.deploy(endpoint_stack())
    stage.sagemaker.faults.fail_update("image does not start")
    with pytest.raises(DeployFailedError, match="image does not start"):
        stage.deploy(endpoint_stack(RetainAllVariantProperties=True))


def test_destroy_waits_until_the_endpoint_is_gone(stage: Stage) -> None:
    stage.deploy(endpoint_stack())
    stage.deployer.destroy(["app"])
    assert stage.calls[-1] == "DeleteModel"
    assert stage.names("list_endpoints", "Endpoints") == []


def test_a_property_the_api_does_not_know_is_named(stage: Stage) -> None:
    stack = endpoint_stack()
    stack["Config"]["Properties"]["ProductionVariants"][0]["Colour"] = "red"
    with pytest.raises(DeployFailedError, match=r"ProductionVariants\[0\]: property Colour is not handled"):
        stage.deploy(stack)


def alarms(threshold: str) -> dict[str, Any]:
    alarm = of(
        "CloudWatch::Alarm",
        AlarmName="rain-latency",
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[{"Name": "EndpointName", "Value": "rain"}, {"Name": "VariantName", "Value": "blue"}],
        ExtendedStatistic="p99",
        Period="10",
        EvaluationPeriods=3,
        Threshold=threshold,
        ComparisonOperator="GreaterThanThreshold",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    composite = of("CloudWatch::CompositeAlarm", AlarmName="bad", AlarmRule={"Fn::Sub": 'ALARM("${Latency}")'})
    return {"Latency": alarm, "Bad": composite}


def test_alarms_are_put_again_when_they_differ_and_only_then(stage: Stage) -> None:
    assert stage.deploy(alarms("1000")) == ["PutMetricAlarm", "PutCompositeAlarm"]
    assert stage.deploy(alarms("2000")) == ["PutMetricAlarm"]
    found = stage.clients["cloudwatch"].describe_alarms(AlarmNames=["rain-latency"])["MetricAlarms"][0]
    assert found["Threshold"] == 2000
    stage.deployer.destroy(["app"])
    assert stage.clients["cloudwatch"].describe_alarms()["MetricAlarms"] == []


def test_scalable_targets_are_registered_changed_and_deregistered(stage: Stage) -> None:
    def stack(most: int) -> dict[str, Any]:
        target = of(
            "ApplicationAutoScaling::ScalableTarget",
            ServiceNamespace="sagemaker",
            ResourceId="endpoint/rain/variant/blue",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            MinCapacity=1,
            MaxCapacity=most,
        )
        policy = of(
            "ApplicationAutoScaling::ScalingPolicy",
            PolicyName="requests",
            PolicyType="TargetTrackingScaling",
            ScalingTargetId={"Ref": "Target"},
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": "600",
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
                },
            },
        )
        return {**endpoint_stack(), "Target": {**target, "DependsOn": "Endpoint"}, "Policy": policy}

    stage.deploy(stack(2))
    assert stage.deploy(stack(3)) == ["RegisterScalableTarget"]
    scaling = stage.clients["application-autoscaling"]
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"][0]["MaxCapacity"] == 3
    stage.deployer.destroy(["app"])
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
