"""Policies and encryption keys as moto stores them: read, never changed, here."""

import json
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from localcloud.credentials import role_name


@dataclass(frozen=True)
class RolePolicies:
    """What binds a role: its own and attached policies, and the boundary if it has one."""

    documents: tuple[str, ...]
    boundary: str | None
    trust: str
    role_id: str


class StoredPolicies:
    """Reads policies of roles and resources by ARN."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def role(self, role_arn: str) -> RolePolicies | None:
        """Return what binds a role, or None if there is no such role."""
        role = next((r for r in self._iam().roles.values() if r.name == role_name(role_arn)), None)
        if role is None:
            return None
        attached = [self._document(policy) for policy in role.managed_policies.values()]
        boundary = self._iam().managed_policies.get(role.permissions_boundary_arn)
        return RolePolicies(
            (*(_text(p) for p in role.policies.values()), *attached),
            self._document(boundary) if boundary is not None else None,
            _text(role.assume_role_policy_document),
            role.id,
        )

    def _iam(self) -> Any:
        return iam_backends[self._account]["aws"]

    @staticmethod
    def _document(policy: Any) -> str:
        return next(_text(v.document) for v in policy.versions if v.version_id == policy.default_version_id)

    def resource_policy(self, arn: str) -> str | None:
        """Return the policy that lies on a queue, topic, bucket or key; None where there is none."""
        service = arn.split(":")[2]
        if service == "sqs":
            queue = self._queue(arn)
            return _text(queue.policy) if queue is not None and queue.policy else None
        if service == "sns":
            topic = self._topic(arn)
            return _text(topic.policy) if topic is not None else None
        if service == "s3":
            bucket = self._bucket(arn)
            return bucket.policy.decode() if bucket is not None and bucket.policy else None
        key = self._key(arn) if service == "kms" else None
        return _text(key.policy) if key is not None else None

    def customer_key(self, arn: str) -> str | None:
        """Return the ARN of the customer's key that encrypts a resource; None when it is AWS's own key, or none."""
        key = self._key(self._key_id(arn) or "")
        if key is None or any(alias.startswith("alias/aws/") for alias in key.aliases):
            return None
        return str(key.arn)

    def aliases(self, key_arn: str) -> list[str]:
        """Return the aliases of a key, each beginning with ``alias/``."""
        key = self._key(key_arn)
        return sorted(key.aliases) if key is not None else []

    def key_of_alias(self, alias_arn: str) -> str | None:
        """Return the ARN of the key that an alias stands for; None if there is no such alias."""
        key = self._key(alias_arn)
        return str(key.arn) if key is not None else None

    def _key_id(self, arn: str) -> str | None:
        service = arn.split(":")[2]
        if service == "sqs":
            return getattr(self._queue(arn), "kms_master_key_id", None)
        if service == "sns":
            return getattr(self._topic(arn), "kms_master_key_id", None)
        if service == "dynamodb":
            return self._table_key(arn)
        return self._bucket_key(arn) if service == "s3" else None

    def _table_key(self, arn: str) -> str | None:
        name = arn.split(":table/")[-1].split("/")[0]
        table = dynamodb_backends[self._account][self._region].tables.get(name)
        return ((table.sse_specification if table is not None else None) or {}).get("KMSMasterKeyId")

    def _bucket_key(self, arn: str) -> str | None:
        bucket = self._bucket(arn)
        rules = ((bucket.encryption if bucket is not None else None) or {}).get("Rule", [])
        first = rules[0] if isinstance(rules, list) and rules else rules
        return first.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") if first else None

    def _queue(self, arn: str) -> Any:
        return sqs_backends[self._account][self._region].queues.get(arn.rsplit(":", 1)[-1])

    def _topic(self, arn: str) -> Any:
        return sns_backends[self._account][self._region].topics.get(arn)

    def _bucket(self, arn: str) -> Any:
        return s3_backends[self._account]["aws"].buckets.get(arn.split(":::")[-1].split("/")[0])

    def _key(self, key_id: str) -> Any:
        backend = kms_backends[self._account][self._region]
        if not key_id:
            return None
        if ":alias/" in key_id or key_id.startswith("alias/"):
            alias = "alias/" + key_id.split("alias/", 1)[1]
            return next((key for key in backend.keys.values() if alias in key.aliases), None)
        return backend.keys.get(key_id.rsplit("/", 1)[-1])


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)
