"""Custom resources: asked as AWS asks, answered to a URL."""

from typing import Any

import pytest

from localcloud.deploy.deployer import DeployFailedError
from localcloud.deploy.testing import FUNCTION_ARN, Bench, custom, thing


def asked(bench: Bench) -> list[tuple[str, str]]:
    return [(request["RequestType"], request.get("PhysicalResourceId", "")) for request in bench.functions.requests]


def test_a_create_is_asked_as_aws_asks(bench: Bench) -> None:
    bench.deploy({"C": custom(Flag=True, Count=3, Ratio=0.5, Nested={"List": [1, {"On": False}]})})
    request = bench.functions.requests[0]
    assert request["ResourceProperties"] == {
        "ServiceToken": FUNCTION_ARN,
        "Flag": "true",
        "Count": "3",
        "Ratio": "0.5",
        "Nested": {"List": ["1", {"On": "false"}]},
    }
    assert request["StackId"] == bench.stack()["id"]
    assert (request["LogicalResourceId"], request["ResourceType"]) == ("C", "Custom::Fake")
    assert request["ResponseURL"].startswith("http://callback/")
    assert "PhysicalResourceId" not in request


def test_data_of_the_answer_reaches_dependents(bench: Bench) -> None:
    bench.functions.answer = lambda request: {"PhysicalResourceId": "p", "Data": {"Image": "v1"}}
    bench.deploy({"C": custom(), "A": thing(Link={"Fn::GetAtt": ["C", "Image"]}, Size={"Ref": "C"})})
    assert bench.world.things["A-1"] == {"Link": "v1", "Size": "p"}


def test_a_missing_attribute_fails_the_deploy_by_name(bench: Bench) -> None:
    with pytest.raises(DeployFailedError, match=r"C \(Custom::Fake\) has no attribute Image"):
        bench.deploy({"C": custom(), "A": thing(Link={"Fn::GetAtt": ["C", "Image"]})})


def test_an_update_carries_the_old_properties_and_a_seed_keeps_its_dependents_still(bench: Bench) -> None:
    bench.functions.answer = lambda request: {"PhysicalResourceId": "p", "Data": {"Image": "recorded"}}
    dependent = thing(Link={"Fn::GetAtt": ["C", "Image"]})
    bench.deploy({"C": custom(Image="v1"), "A": dependent})
    assert bench.deploy({"C": custom(Image="v2"), "A": dependent}) == []
    update = bench.functions.requests[1]
    assert (update["RequestType"], update["PhysicalResourceId"]) == ("Update", "p")
    assert update["OldResourceProperties"]["Image"] == "v1"
    assert update["ResourceProperties"]["Image"] == "v2"


def test_unchanged_custom_resources_are_not_asked(bench: Bench) -> None:
    bench.deploy({"C": custom(Image="v1"), "A": thing(Size=1)})
    bench.deploy({"C": custom(Image="v1"), "A": thing(Size=2)})
    assert asked(bench) == [("Create", "")]


def test_another_physical_id_is_a_replacement_and_the_old_one_is_deleted_last(bench: Bench) -> None:
    bench.functions.answer = lambda request: (
        {} if request["RequestType"] == "Delete" else {"PhysicalResourceId": request["ResourceProperties"]["Key"]}
    )
    bench.deploy({"C": custom(Key="one"), "A": thing(Link={"Ref": "C"})})
    assert bench.deploy({"C": custom(Key="two"), "A": thing(Link={"Ref": "C"})}) == ["update A"]
    assert asked(bench) == [("Create", ""), ("Update", "one"), ("Delete", "one")]
    assert bench.functions.requests[2]["ResourceProperties"]["Key"] == "one"


def test_a_failed_update_elsewhere_sends_an_update_with_old_and_new_swapped(bench: Bench) -> None:
    bench.deploy({"C": custom(Key="one"), "A": thing(Size=1, DependsOn="C")})
    bench.world.fail("update", "A")
    with pytest.raises(DeployFailedError):
        bench.deploy({"C": custom(Key="two"), "A": thing(Size=2, DependsOn="C")})
    back = bench.functions.requests[-1]
    assert (back["RequestType"], back["ResourceProperties"]["Key"]) == ("Update", "one")
    assert back["OldResourceProperties"]["Key"] == "two"


def test_a_failed_update_after_a_replacement_deletes_the_new_one(bench: Bench) -> None:
    bench.functions.answer = lambda request: (
        {} if request["RequestType"] == "Delete" else {"PhysicalResourceId": request["ResourceProperties"]["Key"]}
    )
    bench.deploy({"C": custom(Key="one"), "A": thing(Size=1, DependsOn="C")})
    bench.world.fail("update", "A")
    with pytest.raises(DeployFailedError):
        bench.deploy({"C": custom(Key="two"), "A": thing(Size=2, DependsOn="C")})
    assert asked(bench)[1:] == [("Update", "one"), ("Update", "two"), ("Delete", "two")]
    assert bench.stack()["resources"]["C"]["made"]["physical_id"] == "one"


def test_an_update_that_answers_failed_is_itself_undone(bench: Bench) -> None:
    bench.deploy({"C": custom(Key="one")})
    bench.functions.answer = lambda request: (
        {"Status": "FAILED", "Reason": "bad key"} if request["ResourceProperties"]["Key"] == "two" else {}
    )
    with pytest.raises(DeployFailedError, match="bad key") as caught:
        bench.deploy({"C": custom(Key="two")})
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
    assert asked(bench)[1:] == [("Update", "custom-1"), ("Update", "custom-1")]


def test_a_create_that_answers_failed_is_followed_by_a_delete_of_what_it_named(bench: Bench) -> None:
    bench.functions.answer = lambda request: (
        {"Status": "FAILED", "Reason": "no", "PhysicalResourceId": "half"} if request["RequestType"] == "Create" else {}
    )
    with pytest.raises(DeployFailedError, match=r"Received response status \[FAILED\].*no") as caught:
        bench.deploy({"C": custom()})
    assert asked(bench) == [("Create", ""), ("Delete", "half")]
    assert caught.value.status == "ROLLBACK_COMPLETE"


def test_no_answer_is_a_failure_that_names_the_request(bench: Bench) -> None:
    bench.functions.answer = lambda request: {} if request["RequestType"] == "Delete" else None
    with pytest.raises(DeployFailedError, match=r"did not receive a response .* within 7 s.*requestId \["):
        bench.deploy({"C": custom(ServiceTimeout="7")})
    assert [kind for kind, _ in asked(bench)] == ["Create", "Delete"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"PhysicalResourceId": ""}, "Invalid PhysicalResourceId"),
        ({"RequestId": "another"}, "has RequestId 'another'"),
        ({"Status": "DONE"}, "has Status 'DONE'"),
        ({"Data": "text"}, "is not a map"),
        ({"Data": {"x": "y" * 5000}}, "Response object is too long"),
    ],
)
def test_an_answer_that_aws_would_refuse_is_refused(bench: Bench, answer: dict[str, Any], message: str) -> None:
    bench.functions.answer = lambda request: {} if request["RequestType"] == "Delete" else answer
    with pytest.raises(DeployFailedError, match=message):
        bench.deploy({"C": custom()})


def test_what_must_not_be_echoed_is_masked(bench: Bench) -> None:
    bench.functions.answer = lambda request: {"NoEcho": True, "Data": {"Secret": "s3cret"}}
    bench.deploy({"C": custom()})
    assert bench.stack()["resources"]["C"]["made"]["attributes"] == {"Secret": "****"}


def test_the_service_token_cannot_change(bench: Bench) -> None:
    bench.deploy({"C": custom()})
    with pytest.raises(DeployFailedError, match="ServiceToken of a custom resource cannot change") as caught:
        bench.deploy({"C": custom(ServiceToken=FUNCTION_ARN + "2")})
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
    assert asked(bench) == [("Create", "")]


def test_destroy_asks_for_a_delete_and_a_refusal_keeps_the_stack(bench: Bench) -> None:
    bench.deploy({"C": custom()})
    bench.functions.answer = lambda request: {"Status": "FAILED", "Reason": "not empty"}
    with pytest.raises(DeployFailedError, match="not empty"):
        bench.destroy()
    bench.functions.answer = lambda request: {}
    bench.destroy()
    assert asked(bench)[1:] == [("Delete", "custom-1"), ("Delete", "custom-1")]
