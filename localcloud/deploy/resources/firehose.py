"""AWS::KinesisFirehose: delivery streams."""

from typing import ClassVar

from localcloud.deploy.errors import UpdateRefusedError
from localcloud.deploy.resource_type import Properties, ResourceType, changed_properties
from localcloud.deploy.resources.shape import only, renamed, same
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_ENCRYPTION = "DeliveryStreamEncryptionConfigurationInput"
_DESTINATION = "ExtendedS3DestinationConfiguration"
_NAMED = ("DeliveryStreamName", "DeliveryStreamType")


class DeliveryStream(ResourceType):
    """A delivery stream; `Ref` is its name."""

    name: ClassVar[str] = "AWS::KinesisFirehose::DeliveryStream"
    handled: ClassVar[frozenset[str]] = frozenset({*_NAMED, _ENCRYPTION, _DESTINATION, "Tags"})
    replaced_by: ClassVar[frozenset[str]] = frozenset(_NAMED)
    name_property: ClassVar[str | None] = "DeliveryStreamName"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the stream."""
        name = desired.get("DeliveryStreamName") or scope.name(64)
        given = only(desired, "DeliveryStreamType", _DESTINATION)
        if _ENCRYPTION in desired:
            given[_ENCRYPTION] = renamed(desired[_ENCRYPTION], _ENCRYPTION, same("KeyType", "KeyARN"))
        arn = scope.call("firehose", "CreateDeliveryStream", DeliveryStreamName=name, **given)["DeliveryStreamARN"]
        return scope.note(name, Arn=arn)

    def update(self, _scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Refuse all changes but those of tags."""
        changed = changed_properties(old, new) - {"Tags"}
        if changed:
            raise UpdateRefusedError(f"{', '.join(sorted(changed))} of a delivery stream cannot change here")
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the stream."""
        with ignoring("ResourceNotFoundException"):
            scope.call("firehose", "DeleteDeliveryStream", DeliveryStreamName=made.physical_id)
