"""A bench for deployments into a fake world."""

from pathlib import Path

import pytest

from localcloud.deploy.testing import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "cdk.out")
