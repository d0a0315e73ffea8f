"""Pins: versions that somebody wants kept, whatever their age."""

from __future__ import annotations

import unicodedata

from lambdas import contract
from tidegate.aws import Aws
from tidegate.models.record import Record

LONGEST = 256
_ALLOWED = frozenset("_.:/=+-@")


def pin(aws: Aws, record: Record, by: str, reason: str) -> bool:
    """Pin a version; return whether it was not pinned before."""
    if record.pinned:
        return False
    _update(aws, record, CustomerMetadataProperties={contract.PACKAGE_PINNED_KEY: pin_text(by, reason)})
    return True


def unpin(aws: Aws, record: Record) -> bool:
    """Unpin a version; return whether it was pinned before."""
    if not record.pinned:
        return False
    _update(aws, record, CustomerMetadataPropertiesToRemove=[contract.PACKAGE_PINNED_KEY])
    return True


def pin_text(by: str, reason: str) -> str:
    """Return who and why as SageMaker takes it: letters, numbers, blanks, some signs (CustomerMetadataValue)."""
    said = "".join(sign if _is_allowed(sign) else " " for sign in f"{by}: {reason}")
    return " ".join(said.split())[:LONGEST].strip()


def _is_allowed(sign: str) -> bool:
    return sign in _ALLOWED or unicodedata.category(sign)[0] in "LN"


def _update(aws: Aws, record: Record, **changes: object) -> None:
    request: dict[str, object] = {"ModelPackageArn": record.package.arn, **changes}
    aws.sagemaker.update_model_package(**request)  # type: ignore[arg-type]  # boto3's stubs want every field's type
