"""The live model is found in one way by all that make models of their own of it."""

from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.inference.batch.adapters.models import LiveModels
from lambdas.inference.following.adapters.sagemaker import RecordedLive
from lambdas.inference.following.follower import Follower
from lambdas.inference.handlers import follow
from lambdas.rollout.errors import MissingError, PermanentError
from tests.unit.inference.following_world import NAME, PLAN, World, artefact_of, live
from tests.unit.trust import signed

CONFIG = f"{NAME}-config"
FOUND = live("v1")


class Recorded:
    """The rollout table, and SageMaker's client, with one version live."""

    def __init__(self, *, slot: str = "green", package_arn: str | None = None, retired: bool = False) -> None:
        version = SimpleNamespace(config=CONFIG, slot=slot, version="v1", package_arn=package_arn, sha256=FOUND.sha256)
        self.state: Any = SimpleNamespace(retired=retired, live=version)

    def load(self, endpoint: str) -> Any:
        assert endpoint == NAME
        return self.state

    def __call__(self) -> "Recorded":
        return self

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
        assert EndpointConfigName == CONFIG
        return {"ProductionVariants": [{"VariantName": "blue", "ModelName": "other"}, FOUND.variant]}

    def describe_model(self, ModelName: str) -> dict[str, Any]:
        assert ModelName == FOUND.model["ModelName"]
        return dict(FOUND.model)


def both(recorded: Any) -> tuple[RecordedLive, LiveModels]:
    return RecordedLive(recorded, recorded), LiveModels(recorded, recorded)


@pytest.mark.parametrize(("package_arn", "key"), [(None, f"v1@{CONFIG}"), ("arn:package/1", "arn:package/1")])
def test_both_find_the_same(package_arn: str | None, key: str) -> None:
    following, batches = both(Recorded(package_arn=package_arn))
    found, model = following.of(NAME), batches.live(NAME)
    assert found is not None
    assert (found.version, found.key, found.variant, found.model) == ("v1", key, FOUND.variant, FOUND.model)
    assert (model.version, model.key, model.name) == ("v1", key, FOUND.model["ModelName"])
    assert found.sha256 == model.sha256 == signed(artefact_of("v1"))


def test_before_a_version_is_live_there_is_none() -> None:
    following, batches = both(Recorded(retired=True))
    assert following.of(NAME) is None
    with pytest.raises(MissingError, match="first deployment"):
        batches.live(NAME)


def test_a_slot_that_the_config_does_not_have_is_named() -> None:
    following, batches = both(Recorded(slot="red"))
    told = rf"{CONFIG} has no variant red, only \['blue', 'green'\]"
    with pytest.raises(PermanentError, match=told):
        following.of(NAME)
    with pytest.raises(PermanentError, match=told):
        batches.live(NAME)


def test_a_look_that_finds_no_such_slot_is_a_fault() -> None:
    world, recorded = World(), Recorded(slot="red")
    world.live = RecordedLive(recorded, recorded)  # type: ignore[assignment,arg-type]
    follow.look(Follower(world.ports(), PLAN), world.ports(), NAME)
    assert "has no variant red" in world.faults.reasons[0]
