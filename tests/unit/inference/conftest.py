"""A front door of fakes, in time that passes only when told."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load(name: str) -> ModuleType:
    # Tests are no package, so that what several of them share is loaded by its path.
    spec = importlib.util.spec_from_file_location(f"inference_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_fakes = _load("serving_fakes")


@pytest.fixture
def door() -> Any:
    """Return a front door of an endpoint with one version, its cache and audit on."""
    return _fakes.Door()


@pytest.fixture
def make_door() -> Any:
    """Return a maker of front doors; its options are those of `serving_fakes.Door`."""
    return _fakes.Door
