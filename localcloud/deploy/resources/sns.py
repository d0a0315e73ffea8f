"""AWS::SNS: topics, their policies, and subscriptions."""

import json
from typing import Any, ClassVar

from localcloud.deploy.coercion import text
from localcloud.deploy.errors import UpdateRefusedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_list, tag_map

_GONE = ("NotFound", "NotFoundException", "ResourceNotFoundException")
_TOPIC_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DisplayName": "",
    "KmsMasterKeyId": "",
    "SignatureVersion": "1",
    "TracingConfig": "PassThrough",
}
_SUBSCRIPTION_ATTRIBUTES = frozenset(
    {"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy",
     "SubscriptionRoleArn"}
)  # fmt: skip


class Topic(ResourceType):
    """A topic."""

    name: ClassVar[str] = "AWS::SNS::Topic"
    handled: ClassVar[frozenset[str]] = frozenset({"TopicName", "FifoTopic", "Subscription", "Tags", *_TOPIC_DEFAULTS})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"TopicName", "FifoTopic"})
    name_property: ClassVar[str | None] = "TopicName"
    attributes: ClassVar[frozenset[str]] = frozenset({"TopicArn", "TopicName"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the topic and the subscriptions that stand in it."""
        fifo = text(desired.get("FifoTopic", False)) == "true"
        topic = desired.get("TopicName") or scope.name(256, suffix=".fifo" if fifo else "")
        attributes = {**_attributes(desired), **({"FifoTopic": "true"} if fifo else {})}
        tags = tag_list(tag_map(desired.get("Tags"))) or None
        arn = scope.call("sns", "CreateTopic", Name=topic, Attributes=attributes, Tags=tags)["TopicArn"]
        made = scope.note(arn, TopicArn=arn, TopicName=topic)
        for subscription in desired.get("Subscription", []):
            scope.call("sns", "Subscribe", TopicArn=arn, **subscription)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set the attributes that differ."""
        if old.get("Subscription") != new.get("Subscription"):
            raise UpdateRefusedError("a topic's own Subscription list cannot change; use AWS::SNS::Subscription")
        arn = made.physical_id
        before, after = _attributes(old), _attributes(new)
        for key in sorted(key for key in {*before, *after} if before.get(key) != after.get(key)):
            value = after.get(key, _TOPIC_DEFAULTS[key])
            scope.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName=key, AttributeValue=value)
        to_set, removed = tag_changes(old, new)
        if to_set:
            scope.call("sns", "TagResource", ResourceArn=arn, Tags=tag_list(to_set))
        if removed:
            scope.call("sns", "UntagResource", ResourceArn=arn, TagKeys=removed)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the topic and its subscriptions."""
        with ignoring(*_GONE):
            scope.call("sns", "DeleteTopic", TopicArn=made.physical_id)


def _attributes(properties: Properties) -> dict[str, str]:
    return {key: text(properties[key]) for key in _TOPIC_DEFAULTS if key in properties}


class TopicPolicy(ResourceType):
    """The policy of some topics."""

    name: ClassVar[str] = "AWS::SNS::TopicPolicy"
    handled: ClassVar[frozenset[str]] = frozenset({"PolicyDocument", "Topics"})
    required: ClassVar[frozenset[str]] = handled

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Set the policy on every topic."""
        made = scope.note(scope.name(128))
        for arn in desired["Topics"]:
            _set_policy(scope, arn, desired["PolicyDocument"])
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set the policy, and the default one on topics that are no longer named."""
        for arn in new["Topics"]:
            _set_policy(scope, arn, new["PolicyDocument"])
        for arn in sorted(set(old["Topics"]) - set(new["Topics"])):
            _set_policy(scope, arn, _default_policy(scope, arn))
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Set the default policy on every topic."""
        for arn in properties["Topics"]:
            with ignoring(*_GONE):
                _set_policy(scope, arn, _default_policy(scope, arn))


def _set_policy(scope: Scope, arn: str, document: Any) -> None:
    policy = json.dumps(document)
    scope.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


def _default_policy(scope: Scope, arn: str) -> dict[str, Any]:
    """Return the policy that a topic has when none is set: its account may use it."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:Subscribe", "SNS:Publish"],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": scope.access.account}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


class Subscription(ResourceType):
    """A subscription to a topic."""

    name: ClassVar[str] = "AWS::SNS::Subscription"
    handled: ClassVar[frozenset[str]] = frozenset({"Endpoint", "Protocol", "TopicArn", *_SUBSCRIPTION_ATTRIBUTES})
    required: ClassVar[frozenset[str]] = frozenset({"Protocol", "TopicArn"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"Endpoint", "Protocol", "TopicArn"})
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Subscribe."""
        arn = scope.call(
            "sns",
            "Subscribe",
            TopicArn=desired["TopicArn"],
            Protocol=desired["Protocol"],
            Endpoint=desired.get("Endpoint"),
            Attributes=_subscription_attributes(desired),
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return Made(arn, {"Arn": arn})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set the attributes that differ."""
        before, after = _subscription_attributes(old), _subscription_attributes(new)
        for key in sorted(key for key in {*before, *after} if before.get(key) != after.get(key)):
            attribute = {"AttributeName": key, "AttributeValue": after.get(key, "")}
            scope.call("sns", "SetSubscriptionAttributes", SubscriptionArn=made.physical_id, **attribute)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Unsubscribe."""
        with ignoring(*_GONE):
            scope.call("sns", "Unsubscribe", SubscriptionArn=made.physical_id)


def _subscription_attributes(properties: Properties) -> dict[str, str]:
    found = {key: properties[key] for key in _SUBSCRIPTION_ATTRIBUTES if key in properties}
    return {key: json.dumps(value) if isinstance(value, dict) else text(value) for key, value in found.items()}
