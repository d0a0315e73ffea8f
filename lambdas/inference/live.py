"""The model that is live on an endpoint. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LiveModel:
    """The model that is live.

    Parameters
    ----------
    slot, version, key
        As the rollout engine knows it.
    variant, model
        As SageMaker describes its production variant and the model itself.
    sha256
        What its artefact was signed with; empty if it was not.
    """

    slot: str
    version: str
    key: str
    variant: Mapping[str, Any]
    model: Mapping[str, Any]
    sha256: str = ""
