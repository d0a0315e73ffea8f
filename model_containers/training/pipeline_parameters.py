"""The parameters of the retraining pipeline."""

from sagemaker.core.workflow.parameters import Parameter, ParameterInteger, ParameterString


class Parameters:
    """The parameters of the pipeline. Their names are what whoever starts it must know."""

    def __init__(self) -> None:
        text = ParameterString
        self.endpoint = text("Endpoint")
        self.run_id = text("RunId")
        self.reason = text("Reason")
        self.captures_manifest = text("CapturesManifest")
        self.labels_manifest = text("LabelsManifest")
        self.baseline_uri = text("BaselineUri")
        self.champion_uri = text("ChampionUri")
        self.champion_version = text("ChampionVersion")
        self.since = text("Since", default_value="")
        self.until = text("Until", default_value="")
        self.output_uri = text("OutputUri")
        self.least_gain = text("LeastGain", default_value="0.01")
        self.slices = text("Slices", default_value="")
        self.image_uri = text("ImageUri")
        self.job_role_arn = text("JobRoleArn")
        self.train_instance_type = text("TrainInstanceType", default_value="ml.m5.large")
        self.process_instance_type = text("ProcessInstanceType", default_value="ml.m5.large")
        self.max_runtime_seconds = ParameterInteger("MaxRuntimeSeconds", default_value=1_800)
        self.max_wait_seconds = ParameterInteger("MaxWaitSeconds", default_value=3_600)
        self.register_function_arn = text("RegisterFunctionArn")
        self.kms_key_arn = text("KmsKeyArn", default_value="")
        self.commit = text("Commit", default_value="")

    @property
    def all(self) -> list[Parameter]:
        """All of them, in order."""
        return list(vars(self).values())
