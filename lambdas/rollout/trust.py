"""Whether a package's artefact is the one that was signed: asked when it is admitted, and when its model is made."""

from collections.abc import Mapping
from typing import Any

from lambdas import signing
from lambdas.contract import PACKAGE_SIGNING_KEY_KEY
from lambdas.rollout.decision import ANEW
from lambdas.rollout.errors import MissingError, TamperedError, TooLargeError
from lambdas.rollout.ports import Package, Trust
from lambdas.rollout.settings import Settings

_SIGN = "to sign it, run `python -m tidegate register` with the same file and version again, then {anew}"
_RENEW = "register the model under a new version"


def why_distrusted(package: Package, settings: Settings, trust: Trust) -> str:
    """Return why a package must not be deployed, and what to do; empty when nothing stands against it.

    Verified with the key that the endpoint's settings name, whatever the package says: who can change a package's
    metadata must not be able to name a key of their own.

    Raises
    ------
    TidegateError
        When KMS or S3 could not be asked, which says nothing about the package.
    """
    if not signing.is_signed(package.metadata):
        return "" if settings.signatures != signing.REQUIRED else f"it is not signed; {_signing()}"
    if not settings.signing_key:
        return (
            f"it is signed with {package.metadata.get(PACKAGE_SIGNING_KEY_KEY)}, but the endpoint's settings "
            f"name no signing_key to check it with; deploy the environment with one, then {ANEW}"
        )
    if len(package.containers) != 1:
        return ""  # refused for that
    try:
        signed = signing.read(package.metadata, package.containers[0], settings.endpoint)
        said = signed.statement
        invalid = _why_invalid(signed, settings.signing_key, trust)
        return invalid or _why_tampered(said.artefact, said.sha256, trust, ANEW)
    except signing.SignatureError as error:
        return f"{error}; {_signing()}"


def _signing() -> str:
    return _SIGN.format(anew=ANEW)


def _why_invalid(signed: signing.Signed, key: str, trust: Trust) -> str:
    if trust.is_valid(key, signed.statement.message, signed.signature):
        return ""
    if signed.key != key:
        return f"it was signed with {signed.key}, and this endpoint trusts {key} alone; {_signing()}"
    said = signed.statement
    return (
        f"its signature is not valid: the artefact's address ({said.artefact}), its sha256 ({said.sha256}), the "
        f"version ({said.version}) or the endpoint ({said.endpoint}) is another than when it was signed. Do not trust "
        f"it: {_RENEW}"
    )


def check_artefact(container: Mapping[str, Any], sha256: str, trust: Trust) -> None:
    """Make sure that a container's artefact is still the one that was signed: hours may have passed since it was.

    Parameters
    ----------
    container
        As CreateModel takes it.
    sha256
        What was signed, in hexadecimal digits.
    trust
        Reads the artefact.

    Raises
    ------
    TamperedError
        When it is not, or not all that the container loads is.
    TidegateError
        When S3 could not be asked, which says nothing about it.
    """
    try:
        artefact = signing.only_artefact(container)
    except signing.SignatureError as error:
        raise TamperedError(f"{error}; {_RENEW}") from error
    if why := _why_tampered(artefact, sha256, trust, "try again"):
        raise TamperedError(why)


def _why_tampered(artefact: str, sha256: str, trust: Trust, then: str) -> str:
    try:
        found = trust.sha256(artefact)
    except MissingError:
        return f"its artefact {artefact} is not there; {_RENEW}"
    except TooLargeError as error:
        return (
            f"its artefact cannot be checked: {error}. Copy the object onto itself with aws s3api copy-object "
            f"--checksum-algorithm SHA256, then {then}"
        )
    if found == sha256:
        return ""
    changed = f"its artefact {artefact} has the sha256 {found}, but {sha256} was signed: it was changed"
    return f"{changed}. Do not trust it: {_RENEW}"
