"""A world of fakes in virtual time, for the tests of the rollout engine."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load(name: str) -> ModuleType:
    # Tests are no package, so that what several of them share is loaded by its path.
    spec = importlib.util.spec_from_file_location(f"rollout_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_load("fakes")
_world = _load("world")


@pytest.fixture
def make_world() -> Callable[..., Any]:
    """Return a maker of worlds; its options are those of `world.World`."""
    return _world.World  # type: ignore[no-any-return]


@pytest.fixture
def world(make_world: Callable[..., Any]) -> Iterator[Any]:
    """Return an endpoint that the template has just created, in the engine's care."""
    made = make_world()
    yield made
    made.check()


@pytest.fixture
def fleet() -> Any:
    """Return the fleet that the world's endpoint starts with."""
    return sys.modules["rollout_fakes"].FLEET
