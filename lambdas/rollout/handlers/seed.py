"""Behind `Custom::Seed`: records on creation what it is given, and answers with that ever after.

Calls: dynamodb GetItem, TransactWriteItems (PutItem), DeleteItem.
"""

from typing import Any

from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.handlers.custom_resource import Answer, Request, answer
from lambdas.rollout.seeds import Seeds


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer CloudFormation."""
    answer(event, context, event["ResourceProperties"]["Key"], lambda request: act(request, Seeds(DynamoStore())))


def act(request: Request, seeds: Seeds) -> Answer:
    """Record, recall or forget the seed's values."""
    if request.kind == "Delete":
        seeds.forget(str(request.physical_id))
        return Answer(str(request.physical_id))
    key = str(request.properties["Key"])
    if request.kind == "Update" and key == request.physical_id:
        return Answer(key, seeds.recall(key))
    values = {name: str(value) for name, value in request.properties.items() if name != "Key"}
    return Answer(key, seeds.record(key, values))
