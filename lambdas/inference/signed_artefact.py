"""Whether a model of one's own would be made of what the live version was signed with."""

from collections.abc import Mapping
from typing import Any

from lambdas.rollout.errors import TamperedError
from lambdas.rollout.ports import Trust
from lambdas.rollout.trust import check_artefact


def check(version: str, described: Mapping[str, Any], sha256: str, trust: Trust) -> None:
    """Make sure that an artefact is still the one that was signed, immediately before a model is made of it.

    Parameters
    ----------
    version
        Name of the version.
    described
        The model's description, as CreateModel takes it.
    sha256
        What was signed; empty of a version that is not signed, of which nothing is known.
    trust
        Reads the artefact.

    Raises
    ------
    TamperedError
        When it is not.
    TidegateError
        When S3 could not be asked, which says nothing about it.
    """
    if not sha256:
        return
    try:
        check_artefact(described["PrimaryContainer"], sha256, trust)
    except TamperedError as error:
        raise TamperedError(f"no model is made of {version}: {error}") from error
