"""One environment with a front door of each kind, deployed once for all of these tests."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from localcloud.cloud import LocalCloud
from tests.scenarios.assemblies import Assemblies
from tests.scenarios.front_door import doors
from tests.scenarios.front_door.door import Door
from tests.scenarios.front_door.issuer import Issuer, issuing

ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Opened:
    """The front doors, and who issues tokens."""

    cloud: LocalCloud
    keyed: Door
    signed: Door
    tokened: Door
    issuer: Issuer


@pytest.fixture(scope="package")
def opened(assemblies: Assemblies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The environment, deployed."""
    work = tmp_path_factory.mktemp("work") / "cloud"
    with issuing() as issuer, LocalCloud(work_dir=work) as cloud:
        role = f"arn:aws:iam::{ACCOUNT}:role/{doors.ROLE}"
        cloud.deployer.deploy(assemblies.of(doors.opened(role, issuer.url)))
        keyed, signed, tokened = (Door(cloud, name) for name in (doors.KEYED, doors.SIGNED, doors.TOKENED))
        yield Opened(cloud, keyed, signed, tokened, issuer)


@pytest.fixture
def keyed(opened: Opened) -> Door:
    """Its callers bring API keys."""
    return opened.keyed


@pytest.fixture
def signed(opened: Opened) -> Door:
    """Its callers sign as roles."""
    return opened.signed


@pytest.fixture
def tokened(opened: Opened) -> Door:
    """Its callers bring tokens."""
    return opened.tokened


@pytest.fixture
def issuer(opened: Opened) -> Issuer:
    """Issues those tokens."""
    return opened.issuer
