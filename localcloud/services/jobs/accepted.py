"""What a job may ask for here."""

from typing import Any

from localcloud.services.accepted import ANY, OneOf

_NETWORK = {"EnableInterContainerTrafficEncryption": ANY, "EnableNetworkIsolation": ANY}
# One instance gets all objects, whichever way they are shared out.
_DISTRIBUTION = OneOf("FullyReplicated", "ShardedByS3Key")

PROCESSING: dict[str, Any] = {
    "ProcessingJobName": ANY,
    "RoleArn": ANY,
    "Tags": ANY,
    "Environment": ANY,
    "ExperimentConfig": ANY,
    "StoppingCondition": {"MaxRuntimeInSeconds": ANY},
    "NetworkConfig": _NETWORK,
    "AppSpecification": {"ImageUri": ANY, "ContainerEntrypoint": ANY, "ContainerArguments": ANY},
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": OneOf(1), "InstanceType": ANY, "VolumeSizeInGB": ANY, "VolumeKmsKeyId": ANY}
    },
    "ProcessingInputs": [
        {
            "InputName": ANY,
            "S3Input": {
                "S3Uri": ANY,
                "LocalPath": ANY,
                "S3DataType": ANY,
                "S3InputMode": OneOf("File"),
                "S3DataDistributionType": _DISTRIBUTION,
                "S3CompressionType": OneOf("None"),
            },
        }
    ],
    "ProcessingOutputConfig": {
        "KmsKeyId": ANY,
        "Outputs": [
            {"OutputName": ANY, "S3Output": {"S3Uri": ANY, "LocalPath": ANY, "S3UploadMode": OneOf("EndOfJob")}}
        ],
    },
}

TRAINING: dict[str, Any] = {
    "TrainingJobName": ANY,
    "RoleArn": ANY,
    "Tags": ANY,
    "Environment": ANY,
    "HyperParameters": ANY,
    "ExperimentConfig": ANY,
    "AlgorithmSpecification": {
        "TrainingImage": ANY,
        "TrainingInputMode": OneOf("File"),
        "ContainerEntrypoint": ANY,
        "ContainerArguments": ANY,
    },
    "InputDataConfig": [
        {
            "ChannelName": ANY,
            "ContentType": ANY,
            "CompressionType": OneOf("None"),
            "RecordWrapperType": OneOf("None"),
            "InputMode": OneOf("File"),
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": OneOf("S3Prefix", "ManifestFile"),
                    "S3Uri": ANY,
                    "S3DataDistributionType": _DISTRIBUTION,
                }
            },
        }
    ],
    "OutputDataConfig": {"S3OutputPath": ANY, "KmsKeyId": ANY, "CompressionType": OneOf("GZIP")},
    "ResourceConfig": {"InstanceType": ANY, "InstanceCount": OneOf(1), "VolumeSizeInGB": ANY, "VolumeKmsKeyId": ANY},
    "StoppingCondition": {"MaxRuntimeInSeconds": ANY, "MaxWaitTimeInSeconds": ANY},
    "EnableNetworkIsolation": ANY,
    "EnableInterContainerTrafficEncryption": ANY,
    "EnableManagedSpotTraining": ANY,
    "CheckpointConfig": {"S3Uri": ANY, "LocalPath": ANY},
    # What asks SageMaker to leave out what is not done here anyway.
    "ProfilerConfig": {"DisableProfiler": OneOf(True)},
}

TRANSFORM: dict[str, Any] = {
    "TransformJobName": ANY,
    "ModelName": ANY,
    "Tags": ANY,
    "Environment": ANY,
    "ExperimentConfig": ANY,
    "BatchStrategy": ANY,
    "MaxConcurrentTransforms": ANY,
    "MaxPayloadInMB": ANY,
    "ModelClientConfig": {"InvocationsTimeoutInSeconds": ANY, "InvocationsMaxRetries": ANY},
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": OneOf("S3Prefix", "ManifestFile"), "S3Uri": ANY}},
        "ContentType": ANY,
        "CompressionType": OneOf("None"),
        "SplitType": OneOf("None", "Line"),
    },
    "TransformOutput": {"S3OutputPath": ANY, "Accept": ANY, "AssembleWith": ANY, "KmsKeyId": ANY},
    # One process does the work of all instances.
    "TransformResources": {
        "InstanceType": ANY,
        "InstanceCount": ANY,
        "VolumeKmsKeyId": ANY,
        "TransformAmiVersion": ANY,
    },
    "DataProcessing": {"InputFilter": ANY, "OutputFilter": ANY, "JoinSource": OneOf("None", "Input")},
}
