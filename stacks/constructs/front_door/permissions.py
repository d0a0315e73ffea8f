"""What the functions of a front door may do."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets

from lambdas import contract
from stacks.constructs.app_assets import read_assets
from stacks.constructs.artefact_permissions import MODELS, ArtefactPermissions, compare_models
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.front_door.switches import Switches
from stacks.constructs.jobs_permissions import keep_jobs_endpoint
from stacks.constructs.permissions import EndpointPermissions, allow, put_events, read_rollouts, use_key

SIGNATURE = "signature.json"


class FrontDoorPermissions:
    """Statements about one endpoint, and what its front door keeps.

    Parameters
    ----------
    shared
        What it shares with others.
    name
        SageMaker name of the endpoint.
    switches
        What can be switched off; None where nothing can.
    signature
        What the bootstrap model takes; None where it does not say.
    keyed
        Whether answers of batches can be asked for by key.
    in_memory
        Whether answers are kept elsewhere than in the front doors' table.
    """

    def __init__(
        self,
        shared: Shared,
        name: str,
        switches: Switches | None,
        signature: s3_assets.Asset | None,
        *,
        keyed: bool,
        in_memory: bool,
    ) -> None:
        self._shared, self._name, self._switches, self._signature = shared, name, switches, signature
        self._keyed = keyed
        self._kept = ["SIGNATURE"] if in_memory else ["CACHE", "SIGNATURE"]
        self._names = shared.names
        self._artefacts = ArtefactPermissions(shared.names, [name])

    def predict(self) -> list[iam.PolicyStatement]:
        """Ask the endpoint, know which versions are live and what they take, and keep answers."""
        by_key = [self._keep("FindBatchAnswers", ["PREDICTION"], "GetItem")] if self._keyed else []
        return [self._artefacts.find(MODELS), *self._predict(), *by_key]

    def _predict(self) -> list[iam.PolicyStatement]:
        endpoint = self._names.sagemaker_arn("endpoint", self._name)
        return [
            allow("AskModel", ["sagemaker:InvokeEndpoint"], [endpoint]),
            *read_rollouts(self._names, [self._name], "GetItem"),
            *self._signatures(),
            self._keep("KeepAnswers", self._kept, "GetItem", "PutItem"),
            use_key(self._shared.key),
            *self._read_switches(),
        ]

    def take_jobs(self) -> list[iam.PolicyStatement]:
        """Write down jobs and show them to those who sent them."""
        return [
            *read_rollouts(self._names, [self._name], "GetItem"),
            *self._signatures(),
            self._keep("KeepSignatures", ["SIGNATURE"], "GetItem", "PutItem"),
            self._keep("KeepJobs", ["JOB"], "GetItem", "PutItem"),
            *self._job_files(),
            use_key(self._shared.key),
            *self._read_switches(),
        ]

    def work_on_jobs(self) -> list[iam.PolicyStatement]:
        """Ask the endpoint for jobs, and tell of those that have ended."""
        return [*self._predict(), *self._end_jobs()]

    def hand_jobs_over(self) -> list[iam.PolicyStatement]:
        """Have jobs answered by an endpoint of their own, and tell of those that have ended."""
        endpoint = self._names.sagemaker_arn("endpoint", contract.jobs_endpoint(self._name))
        return [
            allow("HandJobsOver", ["sagemaker:InvokeEndpointAsync"], [endpoint]),
            self._of_follower("ReadStanding", "GetItem"),
            *read_rollouts(self._names, [self._name], "GetItem"),
            *self._signatures(),
            self._keep("KeepSignatures", ["SIGNATURE"], "GetItem", "PutItem"),
            use_key(self._shared.key),
            *self._read_switches(),
            *self._end_jobs(),
        ]

    def follow(self) -> list[iam.PolicyStatement]:
        """Keep the endpoint that answers jobs on the version that is live."""
        return [
            *read_rollouts(self._names, [self._name], "GetItem"),
            *EndpointPermissions(self._names, [self._name]).describe_models(),
            EndpointPermissions(self._names, [self._name]).pass_execution_roles(),
            self._of_follower("KeepStanding", "GetItem", "PutItem"),
            use_key(self._shared.key),
            *compare_models(self._names, [self._name]),
            *keep_jobs_endpoint(self._names, self._name),
        ]

    def _of_follower(self, sid: str, *actions: str) -> iam.PolicyStatement:
        own = {"dynamodb:LeadingKeys": [contract.follower_partition(self._name)]}
        reading = [f"dynamodb:{action}" for action in actions]
        return allow(sid, reading, [self._shared.table.table_arn], **{"ForAllValues:StringEquals": own})

    def _end_jobs(self) -> list[iam.PolicyStatement]:
        return [
            self._keep("KeepJobs", ["JOB"], "GetItem", "PutItem"),
            *self._job_files(),
            put_events(self._names, contract.INFERENCE_EVENT_SOURCE),
        ]

    def know_signatures(self) -> list[iam.PolicyStatement]:
        """Know what the endpoint's models take."""
        return [*self._signatures(), self._keep("KeepSignatures", ["SIGNATURE"], "GetItem", "PutItem")]

    def _signatures(self) -> list[iam.PolicyStatement]:
        endpoint = EndpointPermissions(self._names, [self._name])
        return [
            endpoint.read_packages(),
            *endpoint.describe_models(),
            *read_assets(self._names.stack, "ReadBootstrapSignature", [self._signature]),
            allow("ReadSignatures", ["s3:GetObject"], self._artefacts.files("", SIGNATURE)),
            self._artefacts.use_key(),
        ]

    def _job_files(self) -> list[iam.PolicyStatement]:
        folder = contract.INFERENCE_PREFIX
        return [self._artefacts.find(MODELS, folder), self._artefacts.read(folder), self._artefacts.write(folder)]

    def _keep(self, sid: str, kinds: Sequence[str], *actions: str) -> iam.PolicyStatement:
        """Read and write items of one endpoint; a policy can tell partitions apart and nothing finer."""
        partitions = [f"{kind}#{self._name}#*" for kind in kinds]
        return allow(
            sid,
            [f"dynamodb:{action}" for action in actions],
            [self._shared.table.table_arn],
            **{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": partitions}},
        )

    def _read_switches(self) -> list[iam.PolicyStatement]:
        if self._switches is None:
            return []
        parts = self._switches
        configuration = self._names.arn(
            "appconfig",
            "application",
            f"{parts.application}/environment/{parts.environment}/configuration/{parts.profile}",
        )
        actions = ["appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession"]
        return [allow("ReadSwitches", actions, [configuration])]
