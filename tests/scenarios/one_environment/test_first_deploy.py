"""The first deploy puts the bootstrap model live at once: there is nothing yet to shift traffic away from."""

from tests.scenarios.one_environment.conftest import Deployed


def test_the_first_deploy_skips_the_steps(deployed: Deployed) -> None:
    assert list(deployed.weights.values()) == [100.0]
    assert "start" not in {entry.kind for entry in deployed.trail}
