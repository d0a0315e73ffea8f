"""Failures: what was done is undone."""

from typing import Any

import pytest

from localcloud.deploy.deployer import DeployFailedError
from localcloud.deploy.errors import StackStateError
from localcloud.deploy.testing import Bench, thing


def failing(bench: Bench, resources: dict[str, Any]) -> tuple[list[str], DeployFailedError]:
    mark = len(bench.world.log)
    with pytest.raises(DeployFailedError) as caught:
        bench.deploy(resources)
    return bench.world.since(mark), caught.value


def test_a_failed_first_create_deletes_everything(bench: Bench) -> None:
    bench.world.fail("create", "B", "quota")
    done, error = failing(bench, {"A": thing(), "B": thing(Link={"Ref": "A"})})
    assert done == ["create A", "create B", "delete A"]
    assert (error.stack, error.status) == ("app", "ROLLBACK_COMPLETE")
    assert "quota" in error.reason
    assert bench.world.things == {}


def test_after_a_failed_first_create_the_next_deploy_starts_afresh(bench: Bench) -> None:
    bench.world.fail("create", "A")
    failing(bench, {"A": thing()})
    assert bench.deploy({"A": thing()}) == ["create A"]
    assert bench.stack()["status"] == "CREATE_COMPLETE"


def test_what_exists_of_a_half_made_resource_is_deleted(bench: Bench) -> None:
    bench.world.half_made.add("A")
    bench.world.fail("create", "A", "follow-up failed")
    done, _ = failing(bench, {"A": thing()})
    assert done == ["create A", "delete A"]
    assert bench.world.things == {}


def test_retained_resources_outlive_a_failed_create_but_not_those_retained_except_on_create(bench: Bench) -> None:
    bench.world.fail("create", "C")
    resources = {
        "A": thing(DeletionPolicy="Retain"),
        "B": thing(DeletionPolicy="RetainExceptOnCreate"),
        "C": thing(DependsOn=["A", "B"]),
    }
    done, _ = failing(bench, resources)
    assert done == ["create A", "create B", "create C", "delete B"]


def test_a_failed_update_puts_the_old_properties_back_in_reverse_order(bench: Bench) -> None:
    bench.deploy({"A": thing(Size=1), "B": thing(Size={"Fn::GetAtt": "A.Size"}), "C": thing(Size=1, DependsOn="B")})
    bench.world.fail("update", "C")
    done, error = failing(
        bench, {"A": thing(Size=2), "B": thing(Size={"Fn::GetAtt": "A.Size"}), "C": thing(Size=2, DependsOn="B")}
    )
    assert done == ["update A", "update B", "update C", "update C", "update B", "update A"]
    assert error.status == "UPDATE_ROLLBACK_COMPLETE"
    assert {name: entry["Size"] for name, entry in bench.world.things.items()} == {"A-1": 1, "B-2": 1, "C-3": 1}


def test_a_failed_update_deletes_what_it_created_and_keeps_what_it_would_have_deleted(bench: Bench) -> None:
    bench.deploy({"A": thing(), "Old": thing()})
    bench.world.fail("create", "Z")
    done, _ = failing(bench, {"A": thing(), "New": thing(), "Z": thing(DependsOn="New")})
    assert done == ["create New", "create Z", "delete New"]
    assert set(bench.stack()["resources"]) == {"A", "Old"}


def test_a_failed_update_restores_what_was_replaced_and_points_dependents_back(bench: Bench) -> None:
    bench.deploy({"A": thing(Fixed=1), "B": thing(Link={"Ref": "A"}), "C": thing(DependsOn="B")})
    bench.world.fail("update", "C")
    done, _ = failing(bench, {"A": thing(Fixed=2), "B": thing(Link={"Ref": "A"}), "C": thing(DependsOn="B", Size=2)})
    assert done == ["create A", "update B", "update C", "update C", "update B", "delete A"]
    assert bench.world.things == {"A-1": {"Fixed": 1}, "B-2": {"Link": "A-1"}, "C-3": {}}
    assert bench.stack()["resources"]["A"]["made"]["physical_id"] == "A-1"


def test_after_a_roll_back_the_old_template_is_the_one_deployed(bench: Bench) -> None:
    good, bad = {"A": thing(Size=1)}, {"A": thing(Size=2)}
    bench.deploy(good)
    bench.world.fail("update", "A")
    failing(bench, bad)
    assert bench.deploy(good) == []
    assert bench.deploy(bad) == ["update A"]


def test_policies_of_a_failed_update_are_forgotten(bench: Bench) -> None:
    bench.deploy({"A": thing(), "B": thing(Size=1, DependsOn="A")})
    bench.world.fail("update", "B")
    failing(bench, {"A": thing(DeletionPolicy="Retain"), "B": thing(Size=2, DependsOn="A")})
    assert bench.destroy() == ["delete B", "delete A"]


def test_a_roll_back_that_fails_says_so_and_wants_a_destroy(bench: Bench) -> None:
    bench.deploy({"A": thing(Size=1), "B": thing(Size=1, DependsOn="A")})
    bench.world.fail("update", "B")
    bench.world.fail("update", "A", "stuck", after=1)
    again = {"A": thing(Size=2), "B": thing(Size=2, DependsOn="A")}
    _, error = failing(bench, again)
    assert error.status == "UPDATE_ROLLBACK_FAILED"
    assert "stuck" in bench.stack()["reason"]
    with pytest.raises(StackStateError, match="destroy it first"):
        bench.deploy(again)
    assert bench.destroy() == ["delete B", "delete A"]


def test_the_stacks_before_the_one_that_failed_stay(bench: Bench) -> None:
    bench.world.fail("create", "B")
    with pytest.raises(DeployFailedError):
        bench.deploy_all({"one": {"Resources": {"A": thing()}}, "two": {"Resources": {"B": thing()}}})
    assert bench.stack("one")["status"] == "CREATE_COMPLETE"
    assert bench.stack("two")["status"] == "ROLLBACK_COMPLETE"
    assert bench.destroy() == ["delete A"]


def test_destroy_goes_the_other_way_round_and_keeps_what_is_retained(bench: Bench) -> None:
    one = {"A": thing(), "B": thing(Link={"Ref": "A"}), "Kept": thing(DeletionPolicy="Retain")}
    bench.deploy_all({"one": {"Resources": one}, "two": {"Resources": {"C": thing()}}})
    assert bench.destroy() == ["delete C", "delete B", "delete A"]
    assert list(bench.world.things) == ["Kept-3"]
    assert bench.deployer.stacks() == {}


def test_a_failed_destroy_spares_what_the_resource_needs_and_can_be_repeated(bench: Bench) -> None:
    bench.deploy({"A": thing(), "B": thing(Link={"Ref": "A"}), "C": thing(Link={"Ref": "B"}), "D": thing()})
    bench.world.fail("delete", "C", "busy")
    mark = len(bench.world.log)
    with pytest.raises(DeployFailedError, match="busy") as caught:
        bench.destroy()
    assert caught.value.status == "DELETE_FAILED"
    assert bench.world.since(mark) == ["delete D", "delete C"], "B is in use by C, and A by B"
    assert bench.destroy() == ["delete C", "delete B", "delete A"]
    assert bench.deployer.stacks() == {}
