"""Commands that operators put on the bus from outside: they come whole, once, and only from who may."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from lambdas.contract import OPERATOR_COMMAND_DETAIL_TYPE, OPERATOR_EVENT_SOURCE

SERVICE = "events.amazonaws.com"
FORWARD = """
    import json, os, boto3
    sqs = boto3.client("sqs")
    def handler(event, context):
        sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event))
"""


@pytest.fixture(scope="module")
def out(cloud, workshop):
    """The queue that gets what a function gets by the pattern of `react`'s commands."""
    url, arn = workshop.queue()
    allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    function = workshop.function(FORWARD, allow, Environment={"Variables": {"OUT": url}})
    pattern = {
        "account": [cloud.account],
        "source": [OPERATOR_EVENT_SOURCE],
        "detail-type": [OPERATOR_COMMAND_DETAIL_TYPE],
        "detail": {"endpoint": ["rain-local"]},
    }
    rule = workshop.rule(pattern, workshop.function_arn(function))
    workshop.permit(function, SERVICE, rule)
    return url


def _command(endpoint="rain-local", **more):
    detail = {"endpoint": endpoint, "command": "abort", "id": str(uuid.uuid4()), "by": "operator"}
    entry = {"Source": OPERATOR_EVENT_SOURCE, "DetailType": OPERATOR_COMMAND_DETAIL_TYPE, "Detail": json.dumps(detail)}
    return {**entry, **more}


def _putting(bus="default", **conditions):
    statement = {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": f"arn:aws:events:us-east-1:123456789012:event-bus/{bus}",
    }
    return {**statement, "Condition": {"StringEquals": conditions}} if conditions else statement


def test_a_command_reaches_the_function_with_its_id_and_time(cloud, workshop, out):
    operator = cloud.role_client("events", workshop.role(_putting()))
    at = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    answer = operator.put_events(Entries=[_command("another"), _command(Time=at), _command()])
    assert answer["FailedEntryCount"] == 0
    ids = [entry["EventId"] for entry in answer["Entries"]]
    first, second = sorted((json.loads(m["Body"]) for m in workshop.messages(out, count=2)), key=lambda e: e["time"])
    assert [first["id"], second["id"]] == ids[1:]
    assert (first["time"], first["account"]) == ("2026-05-04T03:02:01Z", cloud.account)
    assert abs(datetime.fromisoformat(second["time"]).timestamp() - datetime.now(UTC).timestamp()) < 30
    assert second["detail"]["command"] == "abort"
    assert workshop.messages(out, 0.5) == []


@pytest.mark.parametrize(
    "statement",
    [
        None,
        _putting(bus="another"),
        _putting(**{"events:source": "someone.else"}),
        _putting(**{"events:detail-type": "Another Type"}),
    ],
)
def test_who_may_not_put_such_events_is_refused(cloud, workshop, statement):
    role = workshop.role(*([statement] if statement else []))
    with pytest.raises(ClientError, match=r"events:PutEvents on resource: .*event-bus/default") as refused:
        cloud.role_client("events", role).put_events(Entries=[_command()])
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_one_event_that_is_not_allowed_refuses_them_all(cloud, workshop, out):
    only = workshop.role(_putting(**{"events:source": OPERATOR_EVENT_SOURCE}))
    client = cloud.role_client("events", only)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_events(Entries=[_command(), _command(Source="aws.sagemaker")])
    assert workshop.messages(out, 0.5) == []
    assert client.put_events(Entries=[_command()])["FailedEntryCount"] == 0
    assert len(workshop.messages(out)) == 1
