"""Who gives a command, as the audit trail will name them."""

from __future__ import annotations

import getpass

from botocore.exceptions import BotoCoreError, ClientError

from tidegate.aws import Aws

LONGEST = 128


def caller(aws: Aws) -> str:
    """Return the last part of the caller's ARN (``alice``, or ``role-session``'s session name).

    A command at three in the morning must not fail because STS is out of reach: then it is the machine's user.
    """
    try:
        arn = str(aws.sts.get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError):
        return f"{_user()} (not verified)"
    return arn.rpartition("/")[2].rpartition(":")[2][:LONGEST]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
