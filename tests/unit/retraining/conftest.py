"""An endpoint that is retrained, in virtual time."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load(name: str) -> ModuleType:
    # Tests are no package, so that what several of them share is loaded by its path.
    spec = importlib.util.spec_from_file_location(f"retraining_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_world = _load("world")


@pytest.fixture
def world() -> Iterator[Any]:
    """Return an endpoint that is retrained."""
    made = _world.World()
    yield made
    made.check()
