"""What tests of a program's log share."""

import logging
from collections.abc import Iterator

import pytest

from model_containers.serving.serving.observability import logs


@pytest.fixture
def as_a_program() -> Iterator[None]:
    """Let a test configure the log of a whole program, and take that back after it."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, logs.LOGGER.level)
    yield
    logs.bind(model_digest=None, model_version=None)
    root.handlers[:], level, own = before
    root.setLevel(level)
    logs.LOGGER.setLevel(own)
