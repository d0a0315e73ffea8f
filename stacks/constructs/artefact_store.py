"""Where models, captured traffic and what is found in it lie."""

from collections.abc import Iterator

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from lambdas.contract import (
    AUDIT_ERRORS_PREFIX,
    AUDIT_PREFIX,
    BATCH_PREFIX,
    CAPTURE_ERRORS_PREFIX,
    CAPTURE_PREFIX,
    INFERENCE_PREFIX,
    LABELS_PREFIX,
    MONITORING_PREFIX,
    RETRAINING_PREFIX,
)
from stacks.config import Environment
from stacks.constructs.compared import compared_endpoints
from stacks.constructs.log_group import removal_policy
from stacks.constructs.new_data import endpoints_with_new_data

_ACCESS_LOG_DAYS = 90
_OLD_VERSION_DAYS = 90


class ArtefactStore(Construct):
    """A versioned, encrypted bucket, reached over TLS only, and its access logs.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    name
        Name of the bucket.
    environment
        Says how long captured traffic is kept, and whether the buckets outlive the stack.
    key
        Encrypts the artefacts.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, environment: Environment, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        policy = removal_policy(environment)
        self.access_logs = self._access_logs(policy)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self.access_logs,
            server_access_logs_prefix="artefacts/",
            lifecycle_rules=list(_lifecycle(environment)),
            removal_policy=policy,
        )
        if compared_endpoints(environment) or endpoints_with_new_data(environment):
            self._tell_of_objects()

    def _tell_of_objects(self) -> None:
        """The CDK's own property for it brings a function of the CDK's, which sets what CloudFormation can set."""
        bucket = self.bucket.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )

    def _access_logs(self, policy: RemovalPolicy) -> s3.Bucket:
        """S3 delivers access logs only to buckets under its own key."""
        return s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(id="Expire", expiration=Duration.days(_ACCESS_LOG_DAYS))],
            removal_policy=policy,
        )


def _lifecycle(environment: Environment) -> Iterator[s3.LifecycleRule]:
    yield from _expiry("Capture", CAPTURE_PREFIX, environment.capture_retention_days)
    if any(endpoint.fleet.captures_itself for endpoint in environment.endpoints):
        yield from _expiry("CaptureErrors", CAPTURE_ERRORS_PREFIX, environment.capture_retention_days)
    if environment.monitored:
        yield from _expiry("Labels", LABELS_PREFIX, environment.capture_retention_days)
        yield from _expiry("Monitoring", MONITORING_PREFIX, environment.evidence_retention_days)
    if environment.retrained:
        yield from _expiry("Retraining", RETRAINING_PREFIX, environment.evidence_retention_days)
    yield from _of_front_doors(environment)
    yield s3.LifecycleRule(
        id="ExpireOldVersions",
        noncurrent_version_expiration=Duration.days(_OLD_VERSION_DAYS),
        abort_incomplete_multipart_upload_after=Duration.days(1),
    )


def _of_front_doors(environment: Environment) -> Iterator[s3.LifecycleRule]:
    """What each front door writes down, it says for how long."""
    for endpoint in environment.called:
        door, name = endpoint.front_door, endpoint.full_name(environment.environment)
        if door is not None and door.audit is not None:
            for kind, folder in (("Audit", AUDIT_PREFIX), ("AuditErrors", AUDIT_ERRORS_PREFIX)):
                yield from _expiry(f"{kind}Of{name}", f"{folder}/{name}", door.audit.retention_days)
        if door is not None and door.batch is not None:
            yield from _expiry(f"BatchesOf{name}", f"{BATCH_PREFIX}/{name}", door.batch.keep_days)
        if door is not None and door.jobs is not None:
            # Nothing goes before the job's own item, which says where it lies.
            yield from _expiry(f"JobsOf{name}", f"{INFERENCE_PREFIX}/{name}", door.jobs.keep_days + 1)


def _expiry(name: str, folder: str, days: int) -> Iterator[s3.LifecycleRule]:
    """What has expired lives on as an old version for a day, and then as a delete marker until S3 removes that."""
    prefix = f"{folder}/"
    yield s3.LifecycleRule(
        id=f"Expire{name}",
        prefix=prefix,
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(1),
    )
    # S3 takes this in no rule that expires anything by its age.
    yield s3.LifecycleRule(id=f"Remove{name}Markers", prefix=prefix, expired_object_delete_marker=True)
