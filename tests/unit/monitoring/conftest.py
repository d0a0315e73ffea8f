"""The monitor's world, shared with the tests below this folder."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_PATH = Path(__file__).with_name("fakes.py")


def _load() -> Any:
    # Tests are no package, so that what several of them share is loaded by its path.
    spec = importlib.util.spec_from_file_location("monitoring_fakes", _PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_fakes = _load()


@cache
def _baseline() -> Any:
    return _fakes.make_baseline()


@pytest.fixture(scope="session")
def fakes() -> Any:
    """Return the module of fakes."""
    return _fakes


@pytest.fixture
def world() -> Any:
    """Return an endpoint on which the monitor has just begun."""
    made = _fakes.World(_baseline())
    made.run(at=0)
    return made
