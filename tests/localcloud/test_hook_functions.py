"""Functions of a user's own templates, invoked synchronously by roles: what a rollout's hooks are."""

import itertools
import json
import time
from pathlib import Path

import boto3
import pytest
from aws_cdk import App, CfnOutput, DefaultStackSynthesizer, Environment, Stack, aws_lambda
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

_stacks = itertools.count(1)

DECIDE = """
def handler(event, context):
    if event.get("weight", 0) > 50:
        raise ValueError("too much")
    return {"decision": "go", "reason": event["when"]}
"""
ASK = """
    import boto3, json
    def handler(event, context):
        try:
            answer = boto3.client("lambda").invoke(FunctionName=event.pop("function"), Payload=json.dumps(event))
        except Exception as error:
            return {"refused": str(error)}
        return {"error": answer.get("FunctionError"), "payload": json.loads(answer["Payload"].read())}
"""


def _deploy(cloud, folder: Path, *codes) -> list[str]:
    """Deploy plain functions by a template of the CDK's own making, and return their ARNs."""
    name = f"hooks-{next(_stacks)}"
    app = App(outdir=str(folder / "assembly"))
    where = Environment(account=cloud.account, region=cloud.region)
    stack = Stack(app, name, env=where, synthesizer=DefaultStackSynthesizer())
    for number, code in enumerate(codes):
        function = aws_lambda.Function(
            stack, f"Hook{number}", runtime=aws_lambda.Runtime.PYTHON_3_13, handler="index.handler", code=code
        )
        CfnOutput(stack, f"Arn{number}", value=function.function_arn)
    app.synth()
    (result,) = cloud.deployer.deploy(folder / "assembly")
    return [result.outputs[f"Arn{number}"] for number in range(len(codes))]


@pytest.fixture(scope="module")
def hooks(cloud, tmp_path_factory):
    """Two functions that decide: one with inline code, one with an asset."""
    folder = tmp_path_factory.mktemp("hooks")
    (folder / "code").mkdir()
    (folder / "code" / "rules.py").write_text(DECIDE)
    (folder / "code" / "index.py").write_text("from rules import handler")
    asset = aws_lambda.Code.from_asset(str(folder / "code"))
    return _deploy(cloud, folder, aws_lambda.Code.from_inline(DECIDE), asset)


def _allowed(resource):
    return {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource}


def test_a_function_of_a_plain_template_answers_by_name_and_by_arn(cloud, workshop, hooks):
    for arn in hooks:
        name = arn.rsplit(":", 1)[-1]
        for given in (name, arn, f"{cloud.account}:function:{name}", f"{arn}:$LATEST"):
            answer = workshop.invoke(given, {"when": "before"})
            assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
            assert answer["Payload"] == {"decision": "go", "reason": "before"}
            assert "FunctionError" not in answer


def test_a_function_asks_another_as_its_role(workshop, hooks):
    asking = workshop.function(ASK, _allowed(hooks[0]), Timeout=20)
    good = workshop.invoke(asking, {"function": hooks[0], "when": "after"})["Payload"]
    assert (good["error"], good["payload"]["decision"]) == (None, "go")
    bad = workshop.invoke(asking, {"function": hooks[0], "when": "after", "weight": 51})["Payload"]
    assert bad["error"] == "Unhandled"
    assert (bad["payload"]["errorType"], bad["payload"]["errorMessage"]) == ("ValueError", "too much")
    refused = workshop.invoke(asking, {"function": hooks[1], "when": "after"})["Payload"]["refused"]
    assert "AccessDeniedException" in refused
    assert f"lambda:InvokeFunction on resource: {hooks[1]}" in refused


@pytest.mark.parametrize(
    ("suffix", "plain", "qualified"),
    [("", True, False), (":*", False, True), (":$LATEST", False, True), ("*", True, True)],
)
def test_a_policy_names_the_function_with_or_without_its_version(cloud, workshop, hooks, suffix, plain, qualified):
    client = cloud.role_client("lambda", workshop.role(_allowed(hooks[0] + suffix)))
    name = hooks[0].rsplit(":", 1)[-1]
    asked = {
        "name": ({"FunctionName": name}, plain),
        "partial": ({"FunctionName": f"{cloud.account}:function:{name}"}, plain),
        "arn": ({"FunctionName": hooks[0]}, plain),
        "qualifier": ({"FunctionName": name, "Qualifier": "$LATEST"}, qualified),
        "qualified": ({"FunctionName": f"{hooks[0]}:$LATEST"}, qualified),
    }
    assert {way: _refusal(client, **params) for way, (params, _) in asked.items()} == {
        way: None if allowed else "AccessDeniedException" for way, (_, allowed) in asked.items()
    }


def _refusal(client, **params):
    try:
        client.invoke(Payload=b'{"when": "x"}', **params)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


@pytest.mark.parametrize("way", [{"FunctionName": "{arn}:live"}, {"FunctionName": "{arn}", "Qualifier": "7"}])
def test_a_version_that_is_not_there_is_named(cloud, hooks, way):
    """To answer from $LATEST instead would test what is not deployed."""
    with pytest.raises(ClientError, match=r"Function not found: .*:(live|7)$"):
        cloud.client("lambda").invoke(**{key: value.format(arn=hooks[0]) for key, value in way.items()})


def test_another_accounts_function_is_not_this_ones(cloud, hooks):
    elsewhere = hooks[0].replace(cloud.account, "999999999999")
    with pytest.raises(ClientError, match=f"Function not found: {elsewhere}"):
        cloud.client("lambda").invoke(FunctionName=elsewhere)


def test_a_client_gives_up_by_its_own_clock_and_the_function_goes_on(cloud, workshop):
    url, arn = workshop.queue()
    slow = workshop.function(
        """
        import boto3, time
        def handler(event, context):
            time.sleep(event["seconds"])
            boto3.client("sqs").send_message(QueueUrl=event["url"], MessageBody="done")
        """,
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn},
        Timeout=20,
    )
    session = boto3.Session("localadmin", "x", region_name=cloud.region)
    config = Config(read_timeout=1, retries={"total_max_attempts": 1})
    client = session.client("lambda", endpoint_url=cloud.endpoint_url, config=config)
    began = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        client.invoke(FunctionName=slow, Payload=json.dumps({"seconds": 5, "url": url}))
    assert time.monotonic() - began < 5
    assert workshop.messages(url)[0]["Body"] == "done"
