"""Asynchronous endpoints over real model servers, which do what a request's text asks for."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.cloud import LocalCloud
from tests.localcloud.jobs import STORAGE

SERVER = """
import http.server, os, signal, threading, time

lock, running, most = threading.Lock(), 0, 0

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/shout")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, b"")

    def do_POST(self):
        global running, most
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with lock:
            running += 1
            most = max(most, running)
        try:
            self.obey(body)
        finally:
            with lock:
                running -= 1

    def obey(self, body):
        word, _, rest = body.partition(" ")
        if word == "status":
            return self.answer(int(rest), f"because {rest}".encode())
        if word == "sleep":
            time.sleep(float(rest))
        if word == "die" and not os.path.exists(rest):
            open(rest, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "die-always":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "most":
            return self.answer(200, str(most).encode())
        if word == "headers":
            told = self.headers.get("X-Amzn-SageMaker-Custom-Attributes")
            return self.answer(200, f"{self.headers['Content-Type']} {self.headers['Accept']} {told}".encode())
        self.answer(200, (os.environ.get("PREFIX", "") + body.upper()).encode())

    def log_message(self, *args):
        pass

address = ("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shouting:1"
PUBLISHING = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}


@dataclass
class AsyncEndpoints:
    """Makes endpoints on a cloud, asks them, and hears what they tell."""

    cloud: LocalCloud
    workshop: Any
    wait_until: Any
    bucket: str = ""
    topics: dict[str, str] = field(default_factory=dict)
    queues: dict[str, str] = field(default_factory=dict)

    def prepare(self, folder: Path) -> None:
        """Register the image, and make the bucket, and topics with a queue each."""
        (folder / "server.py").write_text(SERVER)
        (folder / "Dockerfile").write_text('FROM python:3.12-slim\nENTRYPOINT ["python", "server.py"]\n')
        self.cloud.images.register(IMAGE, folder, "Dockerfile")
        self.bucket = self.workshop.name("async-bucket")
        self.cloud.client("s3").create_bucket(Bucket=self.bucket)
        for kind in ("SuccessTopic", "ErrorTopic"):
            self.topics[kind], self.queues[kind] = self._topic()

    def _topic(self) -> tuple[str, str]:
        sns = self.cloud.client("sns")
        arn = str(sns.create_topic(Name=self.workshop.name("topic"))["TopicArn"])
        url, queue = self.workshop.queue()
        self.workshop.allow(url, queue, "sns.amazonaws.com")
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
        return arn, url

    def model(self, role: str | None = None, **environment: str) -> str:
        name = str(self.workshop.name("model"))
        role = role or self.workshop.role(STORAGE, PUBLISHING, service="sagemaker.amazonaws.com")
        self.cloud.client("sagemaker").create_model(
            ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE, "Environment": environment}
        )
        return name

    def config(self, model: str, *, concurrency: int = 1, count: int = 1, **more: Any) -> str:
        name = str(self.workshop.name("config"))
        variant = {
            "VariantName": "blue",
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
        }
        asynchronous = {
            "OutputConfig": {
                "S3OutputPath": f"s3://{self.bucket}/answers/",
                "S3FailurePath": f"s3://{self.bucket}/failures",
                "NotificationConfig": self.topics,
            },
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": concurrency},
        }
        settings = {"AsyncInferenceConfig": asynchronous, **more}
        settings = {key: value for key, value in settings.items() if value is not None}
        self.cloud.client("sagemaker").create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant], **settings
        )
        return name

    def endpoint(self, config: str) -> str:
        """Return the name of a fresh endpoint, in service."""
        name = str(self.workshop.name("endpoint"))
        self.cloud.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=config)
        return self.settled(name)

    def settled(self, name: str) -> str:
        """Wait until nothing is in progress, and return the endpoint's name."""
        self.wait_until(lambda: self.describe(name)["EndpointStatus"] == "InService")
        return name

    def describe(self, name: str) -> dict[str, Any]:
        described: dict[str, Any] = self.cloud.client("sagemaker").describe_endpoint(EndpointName=name)
        return described

    def instances(self, name: str) -> int:
        return int(self.describe(name)["ProductionVariants"][0]["CurrentInstanceCount"])

    def scale(self, name: str, count: int) -> None:
        wanted = [{"VariantName": "blue", "DesiredInstanceCount": count}]
        self.cloud.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=wanted
        )
        self.settled(name)

    def ask(self, endpoint: str, text: str, **more: Any) -> dict[str, Any]:
        """Send a request whose input is `text`."""
        key = f"inputs/{self.workshop.name('input')}"
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=text.encode())
        answer: dict[str, Any] = self.cloud.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=endpoint, **{"InputLocation": f"s3://{self.bucket}/{key}", "ContentType": "text/plain", **more}
        )
        return answer

    def read(self, uri: str) -> bytes | None:
        """Return an object, or None while there is none."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        s3 = self.cloud.client("s3")
        try:
            body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
        return body

    def answered(self, asked: dict[str, Any]) -> bytes:
        """Return the answer to a request, once it is there."""
        answer: bytes = self.wait_until(lambda: self.read(asked["OutputLocation"]))
        return answer

    def told(self, kind: str, inference_id: str) -> dict[str, Any]:
        """Return the notification of a request."""
        return self.all_told(kind, [inference_id])[0]

    def all_told(self, kind: str, inference_ids: list[str]) -> list[dict[str, Any]]:
        """Return the notifications of requests, however they come; those of others are thrown away."""
        found: list[dict[str, Any]] = []
        while len(found) < len(inference_ids):
            messages = self.workshop.messages(self.queues[kind])
            assert messages, f"no notification of all of {inference_ids}"
            contents = [json.loads(message["Body"]) for message in messages]
            found += [content for content in contents if content.get("inferenceId") in inference_ids]
        return found

    def metric(self, endpoint: str, name: str, *, by_variant: bool = True) -> float:
        variant = {"VariantName": "blue"} if by_variant else {}
        return float(self.workshop.metric("AWS/SageMaker", name, EndpointName=endpoint, **variant))
