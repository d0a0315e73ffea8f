"""moto's private names that the local cloud leans on, checked before anything is served.

moto's internals change without notice, so its version is pinned exactly; what is relied on or patched is listed here,
and a missing name stops the start with an error that says what to do.
"""

import importlib
import inspect
import os
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import Any

MOTO_PIN = "5.2.5"

_RELIED_ON = {
    "moto.core.base_backend": ("BackendDict.reset",),
    "moto.core.errors": ("warn",),
    "moto.core.model": ("OperationModel", "ServiceModel"),
    "moto.core.parse": ("PROTOCOL_PARSERS",),
    "moto.core.request": ("Request",),
    "moto.core.routing": ("get_service_router",),
    "moto.core.serialize": ("SerializationContext", "get_serializer_class"),
    "moto.core.utils": ("get_service_model",),
    "moto.moto_server.werkzeug_app": ("create_backend_app",),
    "moto.events.models": ("events_backends", "EventPattern.matches_event", "EventBus", "Rule"),
    "moto.events.notifications": ("send_notification",),
    "moto.dynamodb.models": ("dynamodb_backends",),
    "moto.iam.models": ("iam_backends", "Role", "ManagedPolicy"),
    "moto.settings": ("load_iam_aws_managed_policies",),
    "moto.kms.models": ("kms_backends", "Key"),
    "moto.logs.models": ("logs_backends", "LogsBackend.put_log_events", "LogsBackend.create_log_stream"),
    "moto.iam.access_control": ("PermissionResult.NEUTRAL",),
    "moto.s3.notifications": ("_send_event_bridge_message", "S3NotificationEvent"),
    "moto.s3.models": ("FakeBucket.get_permission", "s3_backends", "S3Backend.put_object", "S3Backend.get_object"),
    "moto.sns.models": (
        "sns_backends",
        "Subscription.publish",
        "Subscription.get_post_data",
        "Subscription._parse_message_structure",
        "Topic.publish",
    ),
    "moto.ssm.models": ("ssm_backends",),
    "moto.sqs.models": (
        "sqs_backends",
        "Queue.attributes",
        "SQSBackend.receive_message",
        "SQSBackend.delete_message",
        "SQSBackend.send_message",
    ),
    "botocore.parsers": ("RpcV2CBORParser._initial_body_parse", "RpcV2CBORParser._parse_shape"),
    "botocore.serialize": ("RpcV2CBORSerializer._serialize_data_item",),
}


# Attributes that instances get when they are made; asserted by the source of their class.
_ATTRIBUTES = {
    "moto.dynamodb.models.table.Table": ("hash_key_attr", "global_indexes", "indexes"),
    "moto.dynamodb.models.table.SecondaryIndex": ("schema",),
    "moto.events.models.Rule": ("event_pattern", "scheduled_expression", "state", "targets"),
    "moto.events.models.EventBus": ("rules",),
    "moto.iam.models.Role": ("policies", "managed_policies", "permissions_boundary_arn", "assume_role_policy_document"),
    "moto.iam.models.Policy": ("default_version_id", "versions"),
    "moto.kms.models.Key": ("policy", "aliases", "arn", "key_usage", "key_spec", "key_state", "private_key"),
    "moto.kms.utils.RSAPrivateKey": ("private_key",),
    "moto.kms.utils.ECDSAPrivateKey": ("private_key",),
    "moto.logs.models.LogGroup": ("streams",),
    "moto.s3.models.FakeBucket": ("policy", "encryption"),
    "moto.s3.models.FakeKey": ("multipart",),
    "moto.sns.models.Subscription": ("_filter_policy_matcher", "protocol", "endpoint", "topic"),
    "moto.sns.models.Topic": ("kms_master_key_id",),
    "moto.ssm.models.Parameter": ("tier",),
    "moto.ssm.models.SimpleSystemManagerBackend": ("_parameters",),
    "moto.sqs.models.Message": ("visible_at", "delayed_until", "receipt_handle", "approximate_receive_count"),
    "moto.sqs.models.Queue": ("_messages",),
}


class MotoMismatchError(RuntimeError):
    """The installed moto is not the one that the local cloud was built on."""


@cache
def assert_pins() -> None:
    """Raise `MotoMismatchError` naming the first thing that is not as expected."""
    found = version("moto")
    if found != MOTO_PIN:
        raise MotoMismatchError(f"localcloud needs moto=={MOTO_PIN}, but {found} is installed: {_ADVICE}")
    for module, names in _RELIED_ON.items():
        for name in names:
            _resolve(module, name)
    for dotted, attributes in _ATTRIBUTES.items():
        module, _, name = dotted.rpartition(".")
        source = inspect.getsource(_resolve(module, name))
        for attribute in attributes:
            if f"self.{attribute}" not in source:
                raise _mismatch(f"{dotted}.{attribute}")


_ADVICE = "install requirements-dev.txt, or adapt localcloud/front/moto_pins.py and what relies on it"


def _mismatch(name: str) -> MotoMismatchError:
    return MotoMismatchError(f"{name} is gone from moto or botocore (moto {MOTO_PIN} expected): {_ADVICE}")


def _resolve(module: str, dotted: str) -> Any:
    target: Any = importlib.import_module(module)
    for part in dotted.split("."):
        if not hasattr(target, part):
            raise _mismatch(f"{module}.{dotted}")
        target = getattr(target, part)
    return target


def patch_globals(account: str) -> None:
    """Set what moto reads from its own modules and the environment."""
    # moto looks the account up in the environment at every request.
    os.environ["MOTO_ACCOUNT_ID"] = account
    # The roles that the CDK makes for plain functions have a policy of AWS's own attached.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    # It warns of error codes that the service model does not list, which AWS itself answers with.
    _patch("moto.core.errors", "warn", lambda *_args, **_kwargs: None)
    # It judges bucket policies without their conditions; the authorizer judges them in full.
    neutral = _resolve("moto.iam.access_control", "PermissionResult.NEUTRAL")
    _patch("moto.s3.models", "FakeBucket.get_permission", lambda *_args, **_kwargs: neutral)
    # It notifies EventBridge's targets by its own Lambda; ours delivers events.
    _patch("moto.events.notifications", "send_notification", lambda *_args, **_kwargs: None)


def send_object_events_to(take: Callable[[str, Any, Any, Any], None]) -> None:
    """Have `take` told of what happens to objects of buckets that notify EventBridge: account, bucket, event, key."""
    # Of itself it would hand events to rules and targets of its own, in a form that is not quite S3's.
    _patch("moto.s3.notifications", "_send_event_bridge_message", take)


def send_log_events_to(take: Callable[[str, str, list[dict[str, Any]]], None]) -> None:
    """Have `take` told of all log events that are stored: group, stream, events."""
    put = _stores_log_events()

    def put_log_events(
        backend: Any, log_group_name: str, log_stream_name: str, log_events: list[dict[str, Any]]
    ) -> Any:
        answer = put(backend, log_group_name, log_stream_name, log_events)
        take(log_group_name, log_stream_name, log_events)
        return answer

    _patch("moto.logs.models", "LogsBackend.put_log_events", put_log_events)


@cache
def _stores_log_events() -> Callable[..., Any]:
    """Return moto's own method, which is patched anew with every cloud."""
    stored: Callable[..., Any] = _resolve("moto.logs.models", "LogsBackend.put_log_events")
    return stored


def _patch(module: str, dotted: str, value: Any) -> None:
    owner, _, name = dotted.rpartition(".")
    setattr(_resolve(module, owner) if owner else importlib.import_module(module), name, value)
