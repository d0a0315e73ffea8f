"""Behind `Custom::Seed`: records on creation what it is given, and answers with that ever after.

Calls: dynamodb GetItem, TransactWriteItems (PutItem), DeleteItem.
"""

import hashlib
from typing import Any

from lambdas.contract import SEED_NONCE
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.handlers.custom_resource import Answer, Request, answer
from lambdas.rollout.seeds import Seeds


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer CloudFormation."""
    key, seeds = event["ResourceProperties"]["Key"], Seeds(DynamoStore())
    answer(event, context, key, lambda request: act(request, event["RequestId"], seeds))


def act(request: Request, request_id: str, seeds: Seeds) -> Answer:
    """Record, recall or forget the seed's values.

    A record carries a nonce beside the values: what is named after it never bears a name that an earlier record's did.
    """
    if request.kind == "Delete":
        seeds.forget(str(request.physical_id))
        return Answer(str(request.physical_id))
    key = str(request.properties["Key"])
    if request.kind == "Update" and key == request.physical_id:
        return Answer(key, seeds.recall(key))
    values = {name: str(value) for name, value in request.properties.items() if name != "Key"}
    return Answer(key, seeds.record(key, {**values, SEED_NONCE: _nonce(request_id, key)}))


def _nonce(request_id: str, key: str) -> str:
    """Return the same for the same request, which AWS may deliver twice."""
    return hashlib.sha256(f"{request_id}/{key}".encode()).hexdigest()[:8]
