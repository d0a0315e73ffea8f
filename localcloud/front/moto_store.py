"""moto as a store: an allow-list of operations is handed to it, one at a time."""

import io
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import create_backend_app

from localcloud.errors import NotSimulatedError
from localcloud.front.calls import Call
from localcloud.front.moto_pins import assert_pins, patch_globals
from localcloud.front.protocols import Answer

ALLOWED: dict[str, frozenset[str]] = {
    service: frozenset(operations.split())
    for service, operations in {
        "s3": """
            CreateBucket HeadBucket DeleteBucket ListBuckets GetBucketLocation
            PutObject GetObject HeadObject DeleteObject DeleteObjects CopyObject ListObjects ListObjectsV2
            ListObjectVersions GetObjectAttributes GetObjectTagging PutObjectTagging DeleteObjectTagging
            CreateMultipartUpload UploadPart CompleteMultipartUpload AbortMultipartUpload ListMultipartUploads ListParts
            PutBucketEncryption GetBucketEncryption DeleteBucketEncryption PutBucketVersioning GetBucketVersioning
            PutPublicAccessBlock GetPublicAccessBlock DeletePublicAccessBlock PutBucketPolicy GetBucketPolicy
            DeleteBucketPolicy PutBucketOwnershipControls GetBucketOwnershipControls DeleteBucketOwnershipControls
            PutBucketLifecycleConfiguration GetBucketLifecycleConfiguration DeleteBucketLifecycle
            PutBucketLogging GetBucketLogging PutBucketTagging GetBucketTagging DeleteBucketTagging
            PutBucketAcl GetBucketAcl GetObjectAcl PutBucketNotificationConfiguration
            GetBucketNotificationConfiguration""",
        "iam": """
            CreateRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole ListRoles ListRoleTags
            TagRole UntagRole PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies AttachRolePolicy
            DetachRolePolicy ListAttachedRolePolicies PutRolePermissionsBoundary DeleteRolePermissionsBoundary
            CreatePolicy GetPolicy GetPolicyVersion CreatePolicyVersion SetDefaultPolicyVersion ListPolicyVersions
            DeletePolicyVersion DeletePolicy ListPolicies CreateServiceLinkedRole ListInstanceProfilesForRole""",
        "ssm": """
            PutParameter GetParameter GetParameters GetParametersByPath DescribeParameters DeleteParameter
            DeleteParameters AddTagsToResource RemoveTagsFromResource ListTagsForResource GetParameterHistory""",
        "dynamodb": """
            CreateTable DescribeTable UpdateTable DeleteTable ListTables UpdateContinuousBackups
            DescribeContinuousBackups UpdateTimeToLive DescribeTimeToLive TagResource UntagResource ListTagsOfResource
            GetItem PutItem UpdateItem DeleteItem Query Scan BatchGetItem BatchWriteItem TransactWriteItems
            TransactGetItems""",
        "sqs": """
            CreateQueue GetQueueUrl GetQueueAttributes SetQueueAttributes DeleteQueue ListQueues TagQueue UntagQueue
            ListQueueTags SendMessage SendMessageBatch ReceiveMessage DeleteMessage DeleteMessageBatch
            ChangeMessageVisibility ChangeMessageVisibilityBatch PurgeQueue ListDeadLetterSourceQueues""",
        "sns": """
            CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic ListTopics TagResource UntagResource
            ListTagsForResource Subscribe Unsubscribe SetSubscriptionAttributes GetSubscriptionAttributes
            ListSubscriptions ListSubscriptionsByTopic Publish PublishBatch""",
        "logs": """
            CreateLogGroup DeleteLogGroup DescribeLogGroups CreateLogStream DescribeLogStreams DeleteLogStream
            PutLogEvents GetLogEvents FilterLogEvents PutRetentionPolicy DeleteRetentionPolicy
            TagResource UntagResource ListTagsForResource TagLogGroup UntagLogGroup
            ListTagsLogGroup""",
        "kms": """
            CreateKey DescribeKey ListKeys PutKeyPolicy GetKeyPolicy EnableKeyRotation DisableKeyRotation
            GetKeyRotationStatus EnableKey DisableKey UpdateKeyDescription ScheduleKeyDeletion CancelKeyDeletion
            TagResource UntagResource ListResourceTags CreateAlias UpdateAlias DeleteAlias ListAliases Encrypt Decrypt
            GenerateDataKey GenerateDataKeyWithoutPlaintext""",
        "events": """
            PutRule DescribeRule ListRules DeleteRule EnableRule DisableRule PutTargets RemoveTargets ListTargetsByRule
            ListRuleNamesByTarget TagResource UntagResource ListTagsForResource DescribeEventBus ListEventBuses
            CreateEventBus DeleteEventBus""",
    }.items()
}
"""Operations that moto answers as AWS does, as far as they are used here."""


class MotoStore:
    """Hands calls to moto, and lets nobody else in meanwhile.

    moto is not made for threads: a conditional write must not interleave with another, so one lock guards it all.

    Parameters
    ----------
    account
        The account that everything belongs to.
    """

    def __init__(self, account: str) -> None:
        assert_pins()
        patch_globals(account)
        self.lock = threading.RLock()
        self._after: dict[str, list[Callable[[], None]]] = {}
        BackendDict.reset()

    def after(self, names: Iterable[str], action: Callable[[], None]) -> None:
        """Run `action` whenever one of the operations ``service:Operation`` has been answered."""
        for name in names:
            self._after.setdefault(name, []).append(action)

    def call(self, call: Call, body: bytes | None = None) -> Answer:
        """Return moto's answer; `body` stands in for the request's own."""
        if call.operation not in ALLOWED.get(call.service, ()):
            raise NotSimulatedError(call.name)
        with self.lock:
            answer = self._dispatch(call, call.body if body is None else body)
        for action in self._after.get(call.name, ()):
            action()
        return answer

    def _dispatch(self, call: Call, body: bytes) -> Answer:
        environ = {**call.environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        if call.service == "s3" and "form-urlencoded" in environ.get("CONTENT_TYPE", ""):
            # What many clients send by default with a PUT would be taken for a form, and the object would be empty.
            environ["CONTENT_TYPE"] = "binary/octet-stream"
        collected: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _info: Any = None) -> None:
            collected.update(status=int(status.split(" ", 1)[0]), headers=dict(headers))

        try:
            chunks = self._apps(call.service)(environ, start_response)
            return Answer(collected["status"] if collected else 200, b"".join(chunks), collected.get("headers", {}))
        except NotImplementedError as error:
            raise NotSimulatedError(f"{call.name} ({error})") from error

    @cached_property
    def _apps(self) -> Callable[[str], Any]:
        apps: dict[str, Any] = {}

        def app(service: str) -> Any:
            if service not in apps:
                apps[service] = create_backend_app(service)
            return apps[service]

        return app

    def reset(self) -> None:
        """Forget everything that moto stores."""
        with self.lock:
            BackendDict.reset()
