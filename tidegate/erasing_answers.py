"""Takes the answer of batches under a subject's key away."""

from __future__ import annotations

from lambdas import contract
from lambdas.inference.batch import keyed
from tidegate.aws import Aws
from tidegate.settings import EndpointSettings


def erase(aws: Aws, endpoint: EndpointSettings, subject: str) -> bool:
    """Take the answer away; return whether there was one."""
    if not keyed.usable(subject):
        return False
    key = {
        contract.TABLE_PARTITION_KEY: {"S": keyed.partition(endpoint.name, subject)},
        contract.TABLE_SORT_KEY: {"S": keyed.SORT_KEY},
    }
    table = contract.inference_table(endpoint.environment)
    return "Attributes" in aws.dynamodb.delete_item(TableName=table, Key=key, ReturnValues="ALL_OLD")
