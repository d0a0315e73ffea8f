"""A shadow variant of real processes: whatever it does, clients do not notice."""

import time

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from localcloud.physics.settings import PhysicsSettings

SERVER = """
import http.server, os, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_GET(self):
        self.answer(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if os.environ.get("SLOW") == "yes":
            time.sleep(1.5)
        self.answer(500 if os.environ.get("SLOW") == "yes" and body == b"fail" else 200)

    def log_message(self, *args):
        pass

address = ("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/server:1"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    (folder / "server.py").write_text(SERVER)
    (folder / "Dockerfile").write_text('FROM python:3.12-slim\nENTRYPOINT ["python", "server.py"]\n')
    settings = PhysicsSettings(create_seconds=0.1, update_seconds=0.1, weights_seconds=0.1, ping_seconds=0.05)
    with LocalCloud(settings=settings) as running:
        running.images.register(IMAGE, folder, "Dockerfile")
        yield running


def _variant(name):
    return {
        "VariantName": name,
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 100,
    }


@pytest.fixture(scope="module")
def sagemaker(cloud, workshop):
    """A client, with the endpoint `rain` up, the shadow of which is slow."""
    client, role = cloud.client("sagemaker"), workshop.role(service="sagemaker.amazonaws.com")
    for name, slow in (("blue", "no"), ("green", "yes")):
        container = {"Image": IMAGE, "Environment": {"SLOW": slow}}
        client.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    client.create_endpoint_config(EndpointConfigName="stable", ProductionVariants=[_variant("blue")])
    client.create_endpoint_config(
        EndpointConfigName="shadowed",
        ProductionVariants=[_variant("blue")],
        ShadowProductionVariants=[_variant("green")],
    )
    client.create_endpoint(EndpointName="rain", EndpointConfigName="shadowed")
    return client


def _sum(cloud, variant, metric):
    dimensions = [{"Name": "EndpointName", "Value": "rain"}, {"Name": "VariantName", "Value": variant}]
    stat = {"Metric": {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}, "Stat": "Sum"}
    now = time.time()
    answer = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {**stat, "Period": 60}}], StartTime=now - 300, EndTime=now + 60
    )
    return sum(answer["MetricDataResults"][0]["Values"])


def test_a_slow_failing_shadow_neither_delays_nor_fails_the_client(cloud, sagemaker, wait_until):
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName="rain")["EndpointStatus"] == "InService")
    runtime = cloud.client("sagemaker-runtime")
    began = time.monotonic()
    for _ in range(5):
        answer = runtime.invoke_endpoint(EndpointName="rain", Body=b"fail")
        assert (answer["InvokedProductionVariant"], answer["Body"].read()) == ("blue", b"ok")
    assert time.monotonic() - began < 5 * 1.5
    wait_until(lambda: _sum(cloud, "green", "Invocations") == 5)
    assert (_sum(cloud, "green", "Invocation5XXErrors"), _sum(cloud, "blue", "Invocation5XXErrors")) == (5, 0)
    assert _sum(cloud, "green", "ModelLatency") > 5 * 1.5e6
    assert _sum(cloud, "blue", "ModelLatency") < 5 * 1.5e6


def test_the_way_back_ends_the_shadow_and_its_process(cloud, sagemaker, wait_until):
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName="rain")["EndpointStatus"] == "InService")
    (shadow,) = sagemaker.describe_endpoint(EndpointName="rain")["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentWeight"]) == ("green", 100.0)
    sagemaker.update_endpoint(EndpointName="rain", EndpointConfigName="stable")
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName="rain")["EndpointStatus"] == "InService")
    assert "ShadowProductionVariants" not in sagemaker.describe_endpoint(EndpointName="rain")
    wait_until(lambda: len(cloud.containers.running()) == 1)


def test_a_role_needs_every_model_of_a_configuration(cloud, workshop, sagemaker):
    def create(*models):
        arns = [f"arn:aws:sagemaker:{cloud.region}:{cloud.account}:model/{name}" for name in models]
        statement = {
            "Effect": "Allow",
            "Action": "sagemaker:CreateEndpointConfig",
            "Resource": "*",
            "Condition": {"ArnEquals": {"sagemaker:ModelArn": arns}},
        }
        return cloud.role_client("sagemaker", workshop.role(statement)).create_endpoint_config(
            EndpointConfigName=workshop.name("config"),
            ProductionVariants=[_variant("blue")],
            ShadowProductionVariants=[_variant("green")],
        )

    for models in (["blue"], ["green"]):
        with pytest.raises(ClientError, match="not authorized to perform: sagemaker:CreateEndpointConfig"):
            create(*models)
    assert create("blue", "green")["EndpointConfigArn"]
