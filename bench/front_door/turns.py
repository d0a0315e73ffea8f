"""What the front door adds to one request: in turns with the way past it, and with a function that does nothing else.

The bare function passes a body to the endpoint and its answer back, behind an API of its own with no key: what is left
of the difference is not API Gateway's, Lambda's or the network's, but what the front door does for it.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from bench.drift.goals import Goal, at_most
from bench.drift.measurement import Measurement
from bench.errors import BenchError
from bench.front_door.place import Place
from bench.front_door.requests import Latency, of_values
from bench.rounds import Rounds, Tell, seconds_of, take_turns
from tidegate.demo.asking import Ask, AskFrontDoor
from tidegate.demo.traffic import Stream, weather

ROUNDS, TURNS = 15, 20
QUICK_ROUNDS = 5
BOUND = 1.25
DOOR, BARE, DIRECT = "through the front door", "through the bare function", "past both"
_NAME, _STAGE = "bench-bare", "live"
_READY = 3
_TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
_CODE = """
import os, boto3
client = boto3.client("sagemaker-runtime")

def handler(event, context):
    found = client.invoke_endpoint(
        EndpointName=os.environ["ENDPOINT"],
        Body=event["body"],
        ContentType="application/json",
        Accept="application/json",
    )
    headers = {"Content-Type": "application/json", "Tidegate-Variant": found["InvokedProductionVariant"]}
    return {"statusCode": 200, "headers": headers, "body": found["Body"].read().decode()}
"""


def measure(place: Place, quick: bool, tell: Tell) -> Measurement:
    """Send a request each way, again and again."""
    tell("deploying the bare function")
    ways: dict[str, Ask] = {
        DOOR: place.through_the_door(),
        BARE: AskFrontDoor(_deploy(place), "none"),
        DIRECT: place.direct(),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    stream = weather()
    measures = {name: _sending(ask, stream, taken[name]) for name, ask in ways.items()}
    rounds = take_turns(
        QUICK_ROUNDS if quick else ROUNDS, TURNS, measures, lambda text: tell(f"one request at a time: {text}")
    )
    return _measurement(rounds, {name: of_values(values) for name, values in taken.items()})


def _sending(ask: Ask, stream: Stream, into: list[float]) -> Callable[[], float]:
    def send() -> float:
        index = len(into)
        row, _ = stream.row(index)
        seconds = seconds_of(lambda: answered(ask(index, row)))
        into.append(seconds * 1000)
        return seconds

    return send


def answered(outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an outcome that is an answer; raise `BenchError` for a failure."""
    if outcome.get("failure"):
        raise BenchError(f"a request failed while nothing was to fail: {dict(outcome)}")
    return outcome


def _measurement(rounds: Rounds, taken: Mapping[str, Latency]) -> Measurement:
    past = taken[DIRECT]
    rows = [
        [
            name,
            f"{each.p50:.1f}",
            f"{each.p99:.1f}",
            f"{each.p50 - past.p50:.1f}",
            f"{each.p99 - past.p99:.1f}",
            f"{each.p50 / past.p50:.2f}",
        ]
        for name, each in taken.items()
    ]
    goals: list[Goal] = [
        at_most("time of a request, of one through a function that does nothing else", BOUND, rounds.ratios(DOOR, BARE))
    ]
    notes = [
        "One client sends a request each way in turns. The goal's ratio is the median of the rounds' "
        "(least to greatest), the table is over all requests."
    ]
    head = ["one request", "p50, ms", "p99, ms", "added at p50, ms", "added at p99, ms", "times the direct way"]
    return Measurement("What the front door adds to one request", head, rows, goals, notes)


def _deploy(place: Place) -> str:
    """Return the address of the bare function's API."""
    function = _function(place)
    client = place.client("apigateway")
    made = client.create_rest_api(name=_NAME, endpointConfiguration={"types": ["REGIONAL"]})
    api, parent = made["id"], made["rootResourceId"]
    resource = client.create_resource(restApiId=api, parentId=parent, pathPart="predictions")["id"]
    where = {"restApiId": api, "resourceId": resource, "httpMethod": "POST"}
    client.put_method(**where, authorizationType="NONE")
    region, account = function.split(":")[3:5]
    uri = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations"
    client.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    client.create_deployment(restApiId=api, stageName=_STAGE)
    place.client("lambda").add_permission(
        FunctionName=_NAME,
        Qualifier=_STAGE,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{region}:{account}:{api}/*/POST/predictions",
    )
    return f"{place.running.environment['AWS_ENDPOINT_URL'].rstrip('/')}/_aws/execute-api/{api}/{_STAGE}/"


def _function(place: Place) -> str:
    """Return the ARN of the bare function's alias, with as many workers ready as the front door has."""
    client = place.client("lambda")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", _CODE)
    client.create_function(
        FunctionName=_NAME,
        Runtime="python3.14",
        Handler="app.handler",
        Role=_role(place),
        Code={"ZipFile": package.getvalue()},
        Timeout=20,
        Environment={"Variables": {"ENDPOINT": place.endpoint.name}},
    )
    version = client.publish_version(FunctionName=_NAME)["Version"]
    alias = client.create_alias(FunctionName=_NAME, Name=_STAGE, FunctionVersion=version)["AliasArn"]
    client.put_provisioned_concurrency_config(
        FunctionName=_NAME, Qualifier=_STAGE, ProvisionedConcurrentExecutions=_READY
    )
    return str(alias)


def _role(place: Place) -> str:
    iam = place.client("iam")
    role = iam.create_role(RoleName=_NAME, AssumeRolePolicyDocument=_document(_TRUST))["Role"]["Arn"]
    actions = ["sagemaker:InvokeEndpoint", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    allowed = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    iam.put_role_policy(RoleName=_NAME, PolicyName="policy", PolicyDocument=_document(allowed))
    return str(role)


def _document(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
