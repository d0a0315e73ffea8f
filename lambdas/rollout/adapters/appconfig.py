"""Profiles of AppConfig that are about to be deleted, which AppConfig refuses while they have versions."""

from collections.abc import Callable

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of

_GONE = "ResourceNotFoundException"


class HostedVersions:
    """Versions of hosted configurations."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("appconfig")

    def delete_all_but(self, kept: str, application: str, profile: str, has_time: Callable[[], bool]) -> bool:
        """Delete every version of a profile but one and return whether no other is left."""
        for number in self._numbers(application, profile):
            if str(number) == kept:
                continue
            if not has_time():
                return False
            self._delete(application, profile, number)
        return True

    def _numbers(self, application: str, profile: str) -> list[int]:
        """Return all numbers before any version is deleted, which would move what the next page begins with."""
        from botocore.exceptions import ClientError

        pages = self._client().get_paginator("list_hosted_configuration_versions")
        try:
            found = list(pages.paginate(ApplicationId=application, ConfigurationProfileId=profile))
        except ClientError as error:
            if code_of(error) == _GONE:
                return []
            raise
        return [each["VersionNumber"] for page in found for each in page["Items"]]

    def _delete(self, application: str, profile: str, number: int) -> None:
        from botocore.exceptions import ClientError

        try:
            self._client().delete_hosted_configuration_version(
                ApplicationId=application, ConfigurationProfileId=profile, VersionNumber=number
            )
        except ClientError as error:
            if code_of(error) != _GONE:
                raise
