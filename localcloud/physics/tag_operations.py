"""Tags of models, configurations and endpoints."""

from typing import Any

from localcloud.physics.catalogue import validation
from localcloud.physics.hosting import Hosting, tag_list
from localcloud.physics.records import Request
from localcloud.service import operation

_OWNED_KINDS = ("model", "endpoint", "endpoint-config")


class TagOperations:
    """AddTags, ListTags and DeleteTags for ARNs that `owns` says yes to."""

    _hosting: Hosting

    def owns(self, arn: str) -> bool:
        """Whether the ARN is of a kind of resource that lives here."""
        return arn.split(":")[-1].partition("/")[0] in _OWNED_KINDS

    @operation("AddTags")
    def add_tags(self, request: Request) -> dict[str, Any]:
        """Add or replace tags."""
        with self._hosting.lock:
            tags = self._tags(request)
            tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
            return {"Tags": tag_list(tags)}

    @operation("ListTags")
    def list_tags(self, request: Request) -> dict[str, Any]:
        """List tags."""
        with self._hosting.lock:
            return {"Tags": tag_list(self._tags(request))}

    @operation("DeleteTags")
    def delete_tags(self, request: Request) -> dict[str, Any]:
        """Remove tags."""
        with self._hosting.lock:
            for key in request["TagKeys"]:
                self._tags(request).pop(key, None)
            return {}

    def _tags(self, request: Request) -> dict[str, str]:
        arn = request["ResourceArn"]
        if arn not in self._hosting.tags:
            raise validation(f'Could not find resource "{arn}".')
        return self._hosting.tags[arn]
