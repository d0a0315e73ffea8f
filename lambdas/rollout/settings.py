"""An endpoint's settings, as the templates render them into its parameter."""

import json
from dataclasses import dataclass
from typing import Any

from lambdas import signing
from lambdas.rollout.evidence import Evidence, EvidenceError
from lambdas.rollout.fleet import Fleet, FleetError
from lambdas.rollout.policy import Policy, PolicyError

SCHEMA = 1


class SettingsError(ValueError):
    """A parameter that this version of the engine cannot read; the text says which field and why."""


@dataclass(frozen=True)
class Settings:
    """What an endpoint's rollouts need to know.

    Parameters
    ----------
    environment, endpoint
        Where this is; `endpoint` is the name of the SageMaker endpoint.
    execution_role_arn
        Role that the models run under.
    image_repositories
        Repositories (image URIs without tag) from which a model's container may come.
    artefact_bucket
        Bucket in which a model's artefact must lie.
    signing_key
        KMS key (ARN) that signatures of models are checked with; None where models are not signed.
    signatures
        ``checked`` when what is signed is verified; ``required`` when nothing else is deployed.
    policy, evidence, fleet
        How a rollout proceeds, what each of its steps must have seen, and what it runs on.
    """

    environment: str
    endpoint: str
    execution_role_arn: str
    image_repositories: tuple[str, ...]
    artefact_bucket: str
    policy: Policy
    evidence: Evidence
    fleet: Fleet
    signing_key: str | None = None
    signatures: str = signing.CHECKED

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Read the parameter's value.

        Raises
        ------
        SettingsError
            When it is of another schema, or a field is missing or not allowed.
        """
        try:
            return cls._from_dict(json.loads(text))
        except KeyError as error:
            raise SettingsError(f"{error.args[0]} is missing from the endpoint's settings") from error
        except (ValueError, TypeError, PolicyError, EvidenceError, FleetError) as error:
            raise SettingsError(f"the endpoint's settings cannot be read: {error}") from error

    @classmethod
    def _from_dict(cls, data: dict[str, Any]) -> "Settings":
        if data["schema"] != SCHEMA:
            raise SettingsError(f"schema {data['schema']!r} of the settings is not {SCHEMA}, which this engine reads")
        signatures = data.get("signatures", signing.CHECKED)
        if signatures not in signing.MODES:
            raise SettingsError(f"signatures {signatures!r} is neither {' nor '.join(signing.MODES)}")
        return cls(
            environment=data["environment"],
            endpoint=data["endpoint"],
            execution_role_arn=data["execution_role_arn"],
            image_repositories=tuple(data["image_repositories"]),
            artefact_bucket=data["artefact_bucket"],
            policy=Policy.from_dict(data["policy"]),
            evidence=Evidence.from_dict(data["evidence"]),
            fleet=Fleet.from_dict(data["fleet"]),
            signing_key=data.get("signing_key"),
            signatures=signatures,
        )
