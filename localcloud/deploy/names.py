"""Physical names and identifiers, in the form CloudFormation generates them."""

import secrets
import string
import uuid

_RANDOM_LENGTH = 12
_ALPHABET = string.ascii_uppercase + string.digits


def random_suffix(length: int = _RANDOM_LENGTH) -> str:
    """Return what makes a generated name unique."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def physical_name(stack: str, logical_id: str, *, limit: int, lower: bool = False, suffix: str = "") -> str:
    """Return ``stack-logicalid-random``, cut to `limit` characters, with `suffix` (``.fifo``) at its end."""
    room = limit - _RANDOM_LENGTH - 2 - len(suffix)
    stack_room = max(room - len(logical_id), room // 2)
    stack_part = stack[:stack_room].rstrip("-")
    logical_part = logical_id[: room - len(stack_part)]
    name = f"{stack_part}-{logical_part}-{random_suffix()}"
    return (name.lower() if lower else name) + suffix


def stack_arn(partition: str, region: str, account: str, name: str) -> str:
    """Return a new stack identifier."""
    return f"arn:{partition}:cloudformation:{region}:{account}:stack/{name}/{uuid.uuid4()}"
