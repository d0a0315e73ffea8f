"""AWS::SQS: queues and their policies."""

import json
from typing import Any, ClassVar

from localcloud.deploy.coercion import text
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_map

_GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_DEFAULTS: dict[str, str] = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "DelaySeconds": "0",
    "FifoThroughputLimit": "perQueue",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "false",
    "VisibilityTimeout": "30",
}


class Queue(ResourceType):
    """A queue."""

    name: ClassVar[str] = "AWS::SQS::Queue"
    handled: ClassVar[frozenset[str]] = frozenset({"QueueName", "FifoQueue", "Tags", *_DEFAULTS})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"QueueName", "FifoQueue"})
    name_property: ClassVar[str | None] = "QueueName"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn", "QueueName", "QueueUrl"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the queue."""
        fifo = text(desired.get("FifoQueue", False)) == "true"
        queue = desired.get("QueueName") or scope.name(80, suffix=".fifo" if fifo else "")
        attributes = {**_attributes(desired), **({"FifoQueue": "true"} if fifo else {})}
        tags = tag_map(desired.get("Tags")) or None
        url = scope.call("sqs", "CreateQueue", QueueName=queue, Attributes=attributes, tags=tags)["QueueUrl"]
        return scope.note(url, Arn=scope.arn("sqs", queue), QueueName=queue, QueueUrl=url)

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set the attributes that differ; those that are gone take their defaults."""
        before, after = _attributes(old), _attributes(new)
        names = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        differing = {key: after.get(key, _DEFAULTS[key]) for key in names}
        url = made.physical_id
        if differing:
            scope.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes=differing)
        to_set, removed = tag_changes(old, new)
        if to_set:
            scope.call("sqs", "TagQueue", QueueUrl=url, Tags=to_set)
        if removed:
            scope.call("sqs", "UntagQueue", QueueUrl=url, TagKeys=removed)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the queue and what is in it."""
        with ignoring(*_GONE):
            scope.call("sqs", "DeleteQueue", QueueUrl=made.physical_id)


def _attributes(properties: Properties) -> dict[str, str]:
    return {key: _attribute(properties[key]) for key in _DEFAULTS if key in properties}


def _attribute(value: Any) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else text(value)


class QueuePolicy(ResourceType):
    """The policy of some queues."""

    name: ClassVar[str] = "AWS::SQS::QueuePolicy"
    handled: ClassVar[frozenset[str]] = frozenset({"PolicyDocument", "Queues"})
    required: ClassVar[frozenset[str]] = handled

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Set the policy on every queue."""
        made = scope.note(scope.name(128))
        for url in desired["Queues"]:
            _set_policy(scope, url, json.dumps(desired["PolicyDocument"]))
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set the policy, and take it from queues that are no longer named."""
        for url in new["Queues"]:
            _set_policy(scope, url, json.dumps(new["PolicyDocument"]))
        for url in sorted(set(old["Queues"]) - set(new["Queues"])):
            _set_policy(scope, url, "")
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Take the policy from every queue."""
        for url in properties["Queues"]:
            with ignoring(*_GONE):
                _set_policy(scope, url, "")


def _set_policy(scope: Scope, url: str, policy: str) -> None:
    scope.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": policy})
