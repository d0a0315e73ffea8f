"""Lambda's versions and aliases: what they run, who may invoke them, and that nothing is lost when an alias moves."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.conftest import package

SAYS = """
    import os
    def handler(event, context):
        print("said")
        return {{
            "code": {code!r},
            "version": os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
            "context": context.function_version,
            "arn": context.invoked_function_arn,
            "stream": context.log_stream_name,
            "var": os.environ.get("VAR"),
            "event": event,
        }}
"""


def _says(code):
    return SAYS.format(code=code)


@pytest.fixture
def api(cloud):
    return cloud.client("lambda")


@pytest.fixture
def published(api, workshop):
    """A function whose first version says one, and whose own code says two."""
    name = workshop.function(_says("one"), Environment={"Variables": {"VAR": "first"}})
    assert api.publish_version(FunctionName=name)["Version"] == "1"
    _change(api, name, "two")
    return name


def _change(api, name, code):
    api.update_function_code(FunctionName=name, ZipFile=package(_says(code)))
    api.update_function_configuration(FunctionName=name, Environment={"Variables": {"VAR": code}})


def test_a_version_keeps_code_and_settings_of_its_time(api, workshop, published):
    old = workshop.invoke(published, {"n": 1}, Qualifier="1")
    assert old["ExecutedVersion"] == "1"
    said = old["Payload"]
    assert (said["code"], said["var"], said["version"], said["context"]) == ("one", "first", "1", "1")
    assert said["arn"] == f"{workshop.function_arn(published)}:1"
    assert "/[1]" in said["stream"]
    new = workshop.invoke(published)
    assert (new["ExecutedVersion"], new["Payload"]["code"], new["Payload"]["version"]) == ("$LATEST", "two", "$LATEST")
    assert "/[$LATEST]" in new["Payload"]["stream"]
    assert new["Payload"]["arn"] == workshop.function_arn(published)


def test_the_log_says_which_version_ran(workshop, published, wait_until):
    workshop.invoke(published, Qualifier="1")
    assert wait_until(lambda: "Version: 1" in workshop.log_text(published))


def test_nothing_is_published_twice(api, published):
    second = api.publish_version(FunctionName=published, Description="two")
    again = api.publish_version(FunctionName=published, Description="three")
    assert (second["Version"], again["Version"], again["Description"]) == ("2", "2", "two")
    listed = api.list_versions_by_function(FunctionName=published)["Versions"]
    assert [(each["Version"], each["FunctionArn"].rsplit(":", 1)[-1]) for each in listed] == [
        ("$LATEST", "$LATEST"),
        ("1", "1"),
        ("2", "2"),
    ]


def test_publishing_holds_code_and_revision_against_what_is_meant(api, published):
    with pytest.raises(ClientError, match="is different from current CodeSHA256"):
        api.publish_version(FunctionName=published, CodeSha256="x")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        api.publish_version(FunctionName=published, RevisionId="x")


def test_new_code_can_be_published_at_once(api, workshop, published):
    answer = api.update_function_code(FunctionName=published, ZipFile=package(_says("three")), Publish=True)
    assert answer["Version"] == "2"
    assert workshop.invoke(f"{published}:2")["Payload"]["code"] == "three"


def test_configuration_is_shown_under_the_qualifier_that_was_asked_for(api, published):
    api.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    for asked in ({"Qualifier": "live"}, {"FunctionName": f"{published}:live"}):
        found = api.get_function_configuration(**{"FunctionName": published, **asked})
        assert found["FunctionArn"].endswith(f":{published}:live")
        assert (found["Version"], found["Environment"]["Variables"]["VAR"]) == ("1", "first")
    assert api.get_function(FunctionName=published, Qualifier="1")["Configuration"]["Version"] == "1"
    with pytest.raises(ClientError, match="does not match the specified qualifier"):
        api.get_function_configuration(FunctionName=f"{published}:live", Qualifier="1")


def test_an_alias_is_made_moved_listed_and_deleted(api, workshop, published):
    made = api.create_alias(FunctionName=published, Name="live", FunctionVersion="1", Description="d")
    said = workshop.invoke(f"{workshop.function_arn(published)}:live")
    assert (said["Payload"]["code"], said["ExecutedVersion"]) == ("one", "1")
    assert said["Payload"]["arn"] == made["AliasArn"]
    api.publish_version(FunctionName=published)
    moved = api.update_alias(FunctionName=published, Name="live", FunctionVersion="2")
    assert (moved["Description"], moved["RevisionId"] == made["RevisionId"]) == ("d", False)
    assert workshop.invoke(published, Qualifier="live")["Payload"]["code"] == "two"
    assert [a["Name"] for a in api.list_aliases(FunctionName=published, FunctionVersion="2")["Aliases"]] == ["live"]
    assert api.list_aliases(FunctionName=published, FunctionVersion="1")["Aliases"] == []
    with pytest.raises(ClientError, match=r"Version 2 of .* is used by the alias live"):
        api.delete_function(FunctionName=published, Qualifier="2")
    api.delete_alias(FunctionName=published, Name="live")
    with pytest.raises(ClientError, match="Cannot find alias arn"):
        api.get_alias(FunctionName=published, Name="live")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"Name": "live"}, "Alias already exists"),
        ({"Name": "7"}, "cannot be the name of an alias|failed to satisfy constraint"),
        ({"FunctionVersion": "9"}, "Function not found"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}, "cannot share out between 1 and 1"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}}, "cannot share out|failed to satisfy"),
    ],
)
def test_an_alias_that_cannot_be_is_refused(api, published, params, message):
    api.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    with pytest.raises(ClientError, match=message):
        api.create_alias(**{"FunctionName": published, "Name": "other", "FunctionVersion": "1", **params})


def test_a_weighted_alias_shares_out(api, workshop, published):
    api.publish_version(FunctionName=published)
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    api.create_alias(FunctionName=published, Name="live", FunctionVersion="1", RoutingConfig=weights)
    said = [workshop.invoke(published, Qualifier="live")["ExecutedVersion"] for _ in range(40)]
    assert 5 < said.count("2") < 35
    assert api.update_alias(FunctionName=published, Name="live", RoutingConfig={}).get("RoutingConfig") is None
    assert {workshop.invoke(published, Qualifier="live")["ExecutedVersion"] for _ in range(10)} == {"1"}


def test_a_deleted_version_is_gone_and_its_number_is_not_given_again(api, workshop, published):
    api.delete_function(FunctionName=published, Qualifier="1")
    with pytest.raises(ClientError, match="Function not found"):
        workshop.invoke(published, Qualifier="1")
    assert api.publish_version(FunctionName=published)["Version"] == "2"
    assert workshop.invoke(published)["Payload"]["code"] == "two"


def test_what_is_done_to_the_function_cannot_be_done_to_a_version(api, published):
    with pytest.raises(ClientError, match="about the function itself"):
        api.update_function_configuration(FunctionName=f"{published}:1", Timeout=5)


def test_each_qualifier_has_its_own_policy(cloud, api, workshop, published, wait_until):
    """EventBridge may invoke what its rule names only if that very thing, not the function, lets it."""
    api.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    alias, source = f"{workshop.function_arn(published)}:live", workshop.name("source")
    url, letters = workshop.queue()
    workshop.allow(url, letters, "events.amazonaws.com")
    rule = workshop.rule({"source": [source]}, alias, DeadLetterConfig={"Arn": letters})
    workshop.permit(published, "events.amazonaws.com", rule)
    workshop.put_event(source, {"n": 1})
    (letter,) = workshop.messages(url)
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    api.add_permission(
        FunctionName=published,
        Qualifier="live",
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    (statement,) = json.loads(api.get_policy(FunctionName=published, Qualifier="live")["Policy"])["Statement"]
    assert statement["Resource"] == alias
    workshop.put_event(source, {"n": 2})
    wait_until(lambda: workshop.metric("AWS/Lambda", "Invocations", FunctionName=published) == 1)
    by_alias = {"FunctionName": published, "Resource": f"{published}:live"}
    assert workshop.metric("AWS/Lambda", "Invocations", **by_alias) == 1
    api.remove_permission(FunctionName=published, Qualifier="live", StatementId="events")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        api.get_policy(FunctionName=published, Qualifier="live")
    with pytest.raises(ClientError, match=r"do not support adding policies for \$LATEST"):
        api.add_permission(
            FunctionName=published, Qualifier="$LATEST", StatementId="s", Action="lambda:InvokeFunction", Principal="*"
        )


def test_a_role_may_invoke_the_qualifier_that_its_policy_names(cloud, api, workshop, published):
    api.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    arn = f"{workshop.function_arn(published)}:live"
    role = workshop.role({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn})
    client = cloud.role_client("lambda", role)
    assert client.invoke(FunctionName=published, Qualifier="live")["ExecutedVersion"] == "1"
    assert client.invoke(FunctionName=arn)["ExecutedVersion"] == "1"
    for wrong in ({}, {"Qualifier": "1"}, {"Qualifier": "$LATEST"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.invoke(FunctionName=published, **wrong)


def test_a_role_moves_an_alias_by_a_permission_on_the_function(cloud, api, workshop, published):
    api.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    arn = workshop.function_arn(published)
    allowed = {"Effect": "Allow", "Action": ["lambda:UpdateAlias", "lambda:GetAlias"], "Resource": arn}
    cloud.role_client("lambda", workshop.role(allowed)).update_alias(FunctionName=published, Name="live")
    refused = cloud.role_client("lambda", workshop.role({**allowed, "Resource": f"{arn}:live"}))
    with pytest.raises(ClientError, match="lambda:UpdateAlias on resource"):
        refused.update_alias(FunctionName=published, Name="live")


def test_asynchronous_settings_belong_to_the_qualifier(cloud, api, workshop):
    url, queue = workshop.queue()
    name = workshop.function(
        "def handler(event, context):\n    raise RuntimeError('no')",
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue},
    )
    api.publish_version(FunctionName=name)
    api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    made = api.put_function_event_invoke_config(
        FunctionName=name,
        Qualifier="live",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    assert made["FunctionArn"].endswith(":live")
    with pytest.raises(ClientError, match="doesn't have an EventInvokeConfig"):
        api.get_function_event_invoke_config(FunctionName=name)
    workshop.invoke(name, {"n": 1}, InvocationType="Event", Qualifier="live")
    record = json.loads(workshop.messages(url)[0]["Body"])
    assert record["requestContext"]["functionArn"].endswith(f":{name}:live")
    assert record["responseContext"]["executedVersion"] == "1"


def test_a_queue_feeds_an_alias_wherever_it_points(cloud, api, workshop, wait_until):
    url, queue = workshop.queue(VisibilityTimeout="30")
    done_url, done = workshop.queue()
    source = """
        import boto3
        def handler(event, context):
            body = event["Records"][0]["body"] + " {code} " + context.function_version
            boto3.client("sqs").send_message(QueueUrl="{url}", MessageBody=body)
    """
    reading = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    name = workshop.function(
        source.format(code="one", url=done_url),
        {"Effect": "Allow", "Action": reading, "Resource": queue},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": done},
    )
    api.publish_version(FunctionName=name)
    api.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    api.update_function_code(FunctionName=name, ZipFile=package(source.format(code="two", url=done_url)), Publish=True)
    arn = f"{workshop.function_arn(name)}:live"
    mapping = api.create_event_source_mapping(FunctionName=arn, EventSourceArn=queue, BatchSize=1)
    assert mapping["FunctionArn"] == arn
    sqs = cloud.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="a")
    assert [m["Body"] for m in workshop.messages(done_url)] == ["a one 1"]
    api.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    sqs.send_message(QueueUrl=url, MessageBody="b")
    assert [m["Body"] for m in workshop.messages(done_url)] == ["b two 2"]
    api.delete_event_source_mapping(UUID=mapping["UUID"])


def test_a_moving_alias_answers_every_request(api, workshop, published):
    api.publish_version(FunctionName=published)
    api.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    answers, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            answers.append(workshop.invoke(published, Qualifier="live")["Payload"]["code"])

    with ThreadPoolExecutor(4) as callers:
        running = [callers.submit(ask) for _ in range(4)]
        try:
            for version in ("2", "1", "2"):
                time.sleep(1)
                api.update_alias(FunctionName=published, Name="live", FunctionVersion=version)
            time.sleep(1)
        finally:
            stop.set()
    assert [call.exception() for call in running] == [None] * 4
    assert set(answers) == {"one", "two"}
    assert workshop.invoke(published, Qualifier="live")["Payload"]["code"] == "two"


def test_a_topic_reaches_an_alias(cloud, api, workshop, wait_until, published):
    api.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    arn, sns = f"{workshop.function_arn(published)}:live", cloud.client("sns")
    topic = sns.create_topic(Name=workshop.name("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    workshop.permit(arn, "sns.amazonaws.com", topic)
    sns.publish(TopicArn=topic, Message="hello")
    by_alias = {"FunctionName": published, "Resource": f"{published}:live"}
    wait_until(lambda: workshop.metric("AWS/Lambda", "Invocations", **by_alias) == 1)
