"""The request that starts a SageMaker Processing job which counts captures."""

from typing import Any

from lambdas.monitoring.ports import JobOrder
from lambdas.monitoring.settings import Job

INPUT_ROOT = "/opt/ml/processing/input"
OUTPUT_FOLDER = "/opt/ml/processing/output"
_MINUTE = 60


def request_for(order: JobOrder, job: Job) -> dict[str, Any]:
    """Return what CreateProcessingJob takes; every order's request has the same fields."""
    cluster: dict[str, Any] = {
        "InstanceCount": 1,
        "InstanceType": job.instance_type,
        "VolumeSizeInGB": job.volume_gb,
    }
    if job.kms_key:
        cluster["VolumeKmsKeyId"] = job.kms_key
    return {
        "ProcessingJobName": order.name,
        "AppSpecification": {"ImageUri": job.image, "ContainerArguments": list(order.arguments)},
        "RoleArn": job.role,
        "ProcessingResources": {"ClusterConfig": cluster},
        "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_minutes * _MINUTE},
        "ProcessingInputs": [_input(name, uri, name in order.manifests) for name, uri in order.inputs.items()],
        "ProcessingOutputConfig": {"Outputs": [_output(order.output)]},
        "NetworkConfig": _network(job),
        "Tags": [{"Key": key, "Value": value} for key, value in order.tags.items()],
    }


def _network(job: Job) -> dict[str, Any]:
    if not job.subnets:
        return {"EnableNetworkIsolation": False}
    return {"VpcConfig": {"Subnets": list(job.subnets), "SecurityGroupIds": list(job.security_groups)}}


def _output(uri: str) -> dict[str, Any]:
    place = {"S3Uri": uri, "LocalPath": OUTPUT_FOLDER, "S3UploadMode": "EndOfJob"}
    return {"OutputName": "counts", "S3Output": place}


def _input(name: str, uri: str, manifest: bool) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{INPUT_ROOT}/{name}",
            "S3DataType": "ManifestFile" if manifest else "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }
