"""Creating and updating stacks: order, what is touched, what is replaced."""

import logging

import pytest

from localcloud.deploy.errors import StackStateError, TemplateError, UnsupportedError
from localcloud.deploy.report import Progress
from localcloud.deploy.testing import Bench, thing, write_assembly


def get_att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def test_resources_are_created_after_what_they_refer_to(bench: Bench) -> None:
    done = bench.deploy(
        {
            "Late": thing(Link={"Fn::Sub": "${Middle.Arn}/x"}),
            "Middle": thing(Link={"Ref": "Early"}),
            "Early": thing(DependsOn="First"),
            "First": thing(Size=1),
        }
    )
    assert done == ["create First", "create Early", "create Middle", "create Late"]
    assert bench.stack()["status"] == "CREATE_COMPLETE"
    assert bench.world.things["Late-4"]["Link"] == "arn:thing:Middle-3/x"


def test_a_cycle_is_named_and_nothing_is_touched(bench: Bench) -> None:
    with pytest.raises(TemplateError, match="A -> B -> A"):
        bench.deploy({"A": thing(Link={"Ref": "B"}), "B": thing(Link={"Ref": "A"})})
    assert bench.world.log == []
    assert bench.deployer.stacks() == {}


def test_deploying_the_same_again_touches_nothing(bench: Bench) -> None:
    resources = {"A": thing(Size=1), "B": thing(Link={"Ref": "A"})}
    bench.deploy(resources)
    assert bench.deploy(resources) == []
    assert bench.events == []


def test_only_what_resolves_differently_is_updated(bench: Bench) -> None:
    bench.deploy({"A": thing(Size=1), "B": thing(Link={"Ref": "A"}), "C": thing(Size=get_att("A", "Size"))})
    done = bench.deploy({"A": thing(Size=2), "B": thing(Link={"Ref": "A"}), "C": thing(Size=get_att("A", "Size"))})
    assert done == ["update A", "update C"], "B refers to A's name, which an update in place leaves as it is"
    assert bench.world.things["C-3"]["Size"] == 2


def test_a_template_that_says_the_same_in_other_words_touches_nothing(bench: Bench) -> None:
    bench.deploy({"A": thing(Size="one-two")})
    assert bench.deploy({"A": thing(Size={"Fn::Join": ["-", ["one", "two"]]})}) == []
    assert bench.stack()["status"] == "CREATE_COMPLETE"


def test_a_replacement_comes_first_then_dependents_then_the_old_one_goes(bench: Bench) -> None:
    bench.deploy({"A": thing(Fixed=1), "B": thing(Link={"Ref": "A"})})
    done = bench.deploy({"A": thing(Fixed=2), "B": thing(Link={"Ref": "A"})})
    assert done == ["create A", "update B", "delete A"]
    assert bench.world.things == {"A-3": {"Fixed": 2}, "B-2": {"Link": "A-3"}}
    assert bench.stack()["resources"]["A"]["made"]["physical_id"] == "A-3"


def test_a_replaced_resource_is_kept_if_its_policy_says_so(bench: Bench) -> None:
    bench.deploy({"A": thing(Fixed=1, UpdateReplacePolicy="Retain")})
    assert bench.deploy({"A": thing(Fixed=2, UpdateReplacePolicy="Retain")}) == ["create A"]
    assert set(bench.world.things) == {"A-1", "A-2"}
    assert "DELETE_SKIPPED" in [event.status for event in bench.events]


def test_what_leaves_the_template_is_deleted_last_and_dependents_first(bench: Bench) -> None:
    bench.deploy({"A": thing(), "B": thing(Link={"Ref": "A"}), "C": thing(Size=1)})
    assert bench.deploy({"C": thing(Size=2)}) == ["update C", "delete B", "delete A"]
    assert list(bench.stack()["resources"]) == ["C"]


def test_what_leaves_the_template_is_kept_if_its_policy_says_so(bench: Bench) -> None:
    bench.deploy({"A": thing(DeletionPolicy="Retain"), "B": thing()})
    assert bench.deploy({"B": thing()}) == []
    assert "A-1" in bench.world.things
    assert list(bench.stack()["resources"]) == ["B"]


def test_a_custom_named_resource_cannot_be_replaced_under_its_name(bench: Bench) -> None:
    bench.deploy({"A": thing(Name="mine", Fixed=1)})
    with pytest.raises(Exception, match="Rename mine and update the stack again"):
        bench.deploy({"A": thing(Name="mine", Fixed=2)})
    assert bench.world.things == {"mine": {"Name": "mine", "Fixed": 1}}


def test_a_name_that_another_stack_uses_is_refused(bench: Bench) -> None:
    stacks = {"one": {"Resources": {"A": thing(Name="mine")}}, "two": {"Resources": {"B": thing(Name="mine")}}}
    with pytest.raises(Exception, match="already exists in stack one"):
        bench.deploy_all(stacks)


def test_a_type_cannot_change(bench: Bench) -> None:
    bench.deploy({"A": thing()})
    changed = {"A": {"Type": "Custom::Other", "Properties": {"ServiceToken": "x"}}}
    with pytest.raises(Exception, match=r"cannot change from Test::Thing to Custom::Other"):
        bench.deploy(changed)
    assert bench.stack()["status"] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_clean_up_that_fails_warns_and_leaves_the_update_done(bench: Bench) -> None:
    bench.deploy({"A": thing(Fixed=1)})
    bench.world.fail("delete", "A", "still in use")
    bench.deploy({"A": thing(Fixed=2)})
    assert bench.stack()["status"] == "UPDATE_COMPLETE"
    assert ("DELETE_FAILED", "still in use") in [(event.status, event.reason) for event in bench.events]


def test_a_condition_that_turns_false_deletes_the_resource(bench: Bench) -> None:
    def template(flag: str) -> dict[str, object]:
        return {
            "Conditions": {"On": {"Fn::Equals": [flag, "yes"]}},
            "Resources": {"A": thing(), "B": thing(Condition="On", Link={"Ref": "A"})},
        }

    bench.deploy_all({"app": template("yes")})
    assert bench.deploy_all({"app": template("no")}) == ["delete B"]


def test_stack_tags_reach_resources_and_the_resources_own_win(bench: Bench) -> None:
    resources = {"A": thing(Tags=[{"Key": "team", "Value": "own"}])}
    bench.deploy_all({"app": {"Resources": resources}}, tags={"team": "stack", "env": "local"})
    tags = {tag["Key"]: tag["Value"] for tag in bench.world.things["A-1"]["Tags"]}
    assert tags == {"team": "own", "env": "local"}
    assert bench.deploy_all({"app": {"Resources": resources}}, tags={"team": "stack", "env": "dev"}) == ["update A"]


def test_events_tell_what_happened_in_order(bench: Bench) -> None:
    bench.deploy({"A": thing()})
    assert [(event.logical_id, event.status) for event in bench.events] == [
        ("app", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_IN_PROGRESS"),
        ("A", "CREATE_COMPLETE"),
        ("app", "CREATE_COMPLETE"),
    ]
    assert bench.events[2].physical_id == "A-1"


def test_exports_reach_other_stacks_and_cannot_change_under_them(bench: Bench) -> None:
    def stacks(size: int) -> dict[str, object]:
        output = {"Value": get_att("A", "Size"), "Export": {"Name": "size"}}
        return {
            "one": {"Resources": {"A": thing(Size=size)}, "Outputs": {"Size": output}},
            "two": {"Resources": {"B": thing(Size={"Fn::ImportValue": "size"})}},
        }

    bench.deploy_all(stacks(1))
    assert bench.world.things["B-2"]["Size"] == 1
    with pytest.raises(Exception, match="in use by two"):
        bench.deploy_all(stacks(2))
    assert bench.world.things["A-1"]["Size"] == 1, "the update was rolled back"


def test_a_stack_whose_export_is_in_use_cannot_be_destroyed(bench: Bench) -> None:
    output = {"Value": "x", "Export": {"Name": "x"}}
    one = {"Resources": {"A": thing()}, "Outputs": {"X": output}}
    bench.deploy_all({"one": one, "two": {"Resources": {"B": thing(Size={"Fn::ImportValue": "x"})}}})
    with pytest.raises(StackStateError, match="in use by two"):
        bench.deployer.destroy(["one"])
    assert bench.destroy() == ["delete B", "delete A"]


def test_nothing_is_touched_if_any_stack_has_an_unknown_type_or_property(bench: Bench) -> None:
    stacks = {
        "one": {"Resources": {"A": thing()}},
        "two": {"Resources": {"B": {"Type": "AWS::No::Such"}, "C": thing(Colour="red")}},
    }
    with pytest.raises(UnsupportedError) as caught:
        bench.deploy_all(stacks)
    assert "stack two: B: resource type AWS::No::Such is not handled" in str(caught.value)
    assert "stack two: C (Test::Thing): property Colour is not handled" in str(caught.value)
    assert bench.world.log == []


def test_references_to_nothing_are_named_before_anything_is_touched(bench: Bench) -> None:
    with pytest.raises(TemplateError, match=r"A \(Test::Thing\): reference to Ghost"):
        bench.deploy({"A": thing(Link={"Fn::If": ["Never", {"Ref": "Ghost"}, "x"]})}, Conditions={"Never": {}})
    with pytest.raises(TemplateError, match=r"has no attribute Colour"):
        bench.deploy({"A": thing(), "B": thing(Link=get_att("A", "Colour"))})
    assert bench.world.log == []


def test_two_deployments_at_once_are_refused(bench: Bench) -> None:
    def again(_event: object) -> None:
        with pytest.raises(StackStateError, match="in progress"):
            bench.deployer.deploy(bench.folder)

    bench.deploy({"A": thing()})
    bench.deployer.destroy(bench.folder, again)


@pytest.mark.parametrize("error", [BrokenPipeError("the client went away"), ValueError("a bug of the watcher's")])
def test_a_watcher_that_fails_stops_nothing(bench: Bench, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """A deployment whose client has gone runs to its end, as on AWS."""
    told = []

    def watch(progress: Progress) -> None:
        told.append(progress)
        raise error

    write_assembly(bench.folder, {name: {"Resources": {"A": thing(Size=1)}} for name in ("app", "other")})
    with caplog.at_level(logging.WARNING):
        bench.deployer.deploy(bench.folder, watch)
    assert {name: stack["status"] for name, stack in bench.deployer.stacks().items()} == {
        "app": "CREATE_COMPLETE",
        "other": "CREATE_COMPLETE",
    }
    assert len(told) == len(caplog.records) == 1
    bench.deployer.destroy(bench.folder, watch)
    assert bench.world.things == {}
