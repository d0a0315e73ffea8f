"""What `cdk bootstrap` would have left in the account, as far as a deployment looks at it."""

from typing import Any

from botocore.exceptions import ClientError


def ensure_version(ssm: Any, name: str, version: int) -> None:
    """Make the SSM parameter that tells the bootstrap stack's version, if it is missing or too low."""
    if _current(ssm, name) < version:
        ssm.put_parameter(Name=name, Value=str(version), Type="String", Overwrite=True)


def _current(ssm: Any, name: str) -> int:
    try:
        return int(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ParameterNotFound":
            raise
        return -1
