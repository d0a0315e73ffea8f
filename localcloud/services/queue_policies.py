"""SQS's limits on the policy of a queue, which moto does not know."""

import json
from collections.abc import Mapping
from typing import Any

from localcloud.errors import AwsError

_MOST_STATEMENTS = 20
_MOST_BYTES = 8192


def check_queue_policy(params: Mapping[str, Any]) -> None:
    """Raise `AwsError` for a CreateQueue or SetQueueAttributes with a policy that SQS does not take."""
    policy = str((params.get("Attributes") or {}).get("Policy") or "")
    if not policy:  # an empty one takes away what there is
        return
    if len(policy.encode()) > _MOST_BYTES:
        raise AwsError("OverLimit", "Submitted policy is over max allowed size.", 403)
    statements = _statements(policy)
    if len(statements) > _MOST_STATEMENTS:
        text = f"{len(statements)} statements were found in the submitted policy, max allowed is {_MOST_STATEMENTS}"
        raise AwsError("OverLimit", text, 403)
    named = [each["Sid"] for each in statements if each.get("Sid")]
    if len(named) > len(set(named)):
        raise _invalid()


def _statements(policy: str) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError) as error:
        raise _invalid() from error
    return list(found) if isinstance(found, list) else [found]


def _invalid() -> AwsError:
    return AwsError("InvalidAttributeValue", "Invalid value for the parameter Policy.")
