"""A front door whose callers sign as roles of IAM."""

import json
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.scenarios.front_door.conftest import Opened
from tests.scenarios.front_door.door import JSON, ROW, Answer, Door
from tests.scenarios.front_door.doors import ROLE

BODY = json.dumps({"instances": [ROW]}).encode()
STRANGER, BARRED = "tidegate-stranger", "tidegate-barred"


@pytest.fixture(scope="module")
def roles(opened: Opened) -> dict[str, Credentials]:
    """Sessions of the client's role, of one that may call as well, and of one that may not."""
    door = opened.signed
    allowed = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"{door.arn}/POST/predictions"}
    return {
        ROLE: session(door, ROLE, allowed),
        STRANGER: session(door, STRANGER, allowed),
        BARRED: session(door, BARRED, allowed | {"Resource": f"{door.arn}/GET/schema"}),
    }


def session(door: Door, name: str, statement: dict[str, str]) -> Credentials:
    """Make a role that is allowed that, and return a session of it."""
    iam, sts = door.cloud.client("iam"), door.cloud.client("sts")
    trusted = {"AWS": f"arn:aws:iam::{door.cloud.account}:root"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="Call", PolicyDocument=document(statement))
    found = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="shop-1")["Credentials"]
    return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def sign(
    door: Door, credentials: Credentials, method: str = "POST", path: str = "/predictions", service: str = "execute-api"
) -> dict[str, str]:
    """Return the headers of a signed request."""
    request = AWSRequest(method, f"{door.url.rstrip('/')}{path}", headers=JSON, data=BODY if method == "POST" else None)
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    return dict(request.headers)


def call(door: Door, credentials: Credentials, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return door.send("POST", "/predictions", BODY, sign(door, credentials) | named)


def test_a_role_that_may_is_answered(signed: Door, roles: dict[str, Credentials]) -> None:
    answer = call(signed, roles[ROLE])
    assert answer.status == 200, answer.body
    assert len(answer.json["predictions"]) == 1
    assert answer.headers["Tidegate-Answer"] == "model"


def test_a_role_is_the_client_that_the_file_names(signed: Door, roles: dict[str, Credentials]) -> None:
    live = call(signed, roles[ROLE]).headers["Tidegate-Variant"]
    assert call(signed, roles[ROLE], Tidegate_Target_Variant=live).status == 200, "it is a tester"
    refused = call(signed, roles[STRANGER]).problem(403, "forbidden")
    assert refused["detail"].startswith(f"arn:aws:iam::{signed.cloud.account}:role/{STRANGER} is no client")


def test_a_role_that_may_not_is_refused(signed: Door, roles: dict[str, Credentials]) -> None:
    assert call(signed, roles[BARRED]).problem(403, "forbidden")["detail"] == "You may not call this."
    looked = signed.send("GET", "/schema", headers=sign(signed, roles[BARRED], "GET", "/schema"))
    assert looked.status == 200, "this it may"
    signed.send("GET", "/schema", headers=sign(signed, roles[ROLE], "GET", "/schema")).problem(403, "forbidden")


def test_a_signature_that_is_none_is_refused(signed: Door, roles: dict[str, Credentials]) -> None:
    unknown = Credentials("ASIAUNKNOWNUNKNOWN00", "x" * 40, "x" * 40)
    wrong = {
        "not signed": ({}, "not signed"),
        "for another service": (sign(signed, roles[ROLE], service="sagemaker"), "sign it again"),
        "unknown": (sign(signed, unknown), "sign it again"),
        "of another scheme": ({"Authorization": "Bearer x"}, "sign it again"),
        "an API key": ({"X-Api-Key": "x" * 40}, "not signed"),
    }
    for headers, detail in wrong.values():
        refused = signed.send("POST", "/predictions", BODY, JSON | headers)
        assert detail in refused.problem(403, "forbidden")["detail"]


def test_jobs_that_are_switched_off_are_not_there(signed: Door, roles: dict[str, Credentials]) -> None:
    refused = signed.send("POST", "/jobs", BODY, sign(signed, roles[ROLE], "POST", "/jobs"))
    assert "nothing at this path" in refused.problem(403, "forbidden")["detail"]
