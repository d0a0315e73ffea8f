"""The emergency route of the operators' page: its commands as they stand there, and what it says comes of them."""

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.rollout.state import State
from lambdas.rollout.versions import BOOTSTRAP
from stacks.config import ROOT
from tests import aws_lines
from tests.scenarios.loop import Loop
from tests.scenarios.one_environment.conftest import Deployed
from tests.scenarios.one_environment.notices import Notices
from tidegate import rollouts as records

SECTION = "## When a rollback can be refused"
PAGE_ENDPOINT, PAGE_SLOT, PAGE_CONFIG = "rain-prod", "/variant/green", "rain-prod-...-final"
HELD = "must be deregistered as scalable target"


@dataclass(frozen=True)
class Lived:
    """A version that was live, and the rollout that had put it live."""

    version: str
    rollout: str


@pytest.fixture(scope="module")
def good(deployed: Deployed) -> Lived:
    """A version that was promoted, and that somebody has rolled back from, to what the template made."""
    loop = deployed.loop
    if state(loop).live.version == BOOTSTRAP:
        with loop.traffic():
            loop.approve("1.1.0")
            promoted(loop, 1)
    lived = Lived(state(loop).live.version, loop.rollouts()[-1].id)
    before = len(loop.rollouts())
    loop.operate("rollback", "--to", BOOTSTRAP)
    promoted(loop, before + 1)
    return lived


@pytest.fixture(scope="module")
def notices(deployed: Deployed) -> Notices:
    """What people are told."""
    return Notices(deployed.loop)


class Route:
    """The three commands of the page, for an endpoint as it stands now."""

    def __init__(self, loop: Loop) -> None:
        page = (ROOT / "docs" / "operators.md").read_text().partition(SECTION)[2].partition("\n## ")[0]
        self._listing, self._deregistration, self._update = aws_lines.shown(page)
        self._loop = loop
        self._slot = status(loop)["live"]["slot"]

    def kept(self, rollout: str) -> str:
        """Return the config that a rollout's version was live with."""
        names = [each["EndpointConfigName"] for each in self._run(self._listing)["EndpointConfigs"]]
        prefix, _, suffix = PAGE_CONFIG.replace(PAGE_ENDPOINT, self._loop.name).partition("...")
        (name,) = [name for name in names if name == f"{prefix}{rollout}{suffix}"]
        return str(name)

    def deregister(self) -> None:
        """Make the live slot no scalable target."""
        assert PAGE_SLOT in self._deregistration
        self._run(self._deregistration.replace(PAGE_SLOT, f"/variant/{self._slot}"))

    def release_and_update(self, config: str) -> bool:
        """Send both changes; return false where the engine has made the slot a scalable target in between."""
        self.deregister()
        try:
            self.update(config)
        except ClientError as error:
            if HELD not in str(error):
                raise
            return False
        return True

    def update(self, config: str) -> None:
        """Have a config put live."""
        assert PAGE_CONFIG in self._update
        self._run(self._update.replace(PAGE_CONFIG, config))

    def _run(self, line: str) -> dict[str, Any]:
        assert PAGE_ENDPOINT in line
        return aws_lines.run(self._loop.cloud.client, line.replace(PAGE_ENDPOINT, self._loop.name))


def status(loop: Loop) -> dict[str, Any]:
    """Return what `status` says."""
    return dict(loop.operate("status"))


def state(loop: Loop) -> State:
    found = records.load(loop.aws, loop.endpoint)
    assert found is not None
    return found


def promoted(loop: Loop, count: int) -> None:
    """Wait until so many rollouts have ended, the last with a promotion."""
    assert loop.wait_for_end(count).outcome == "PROMOTED", loop.story()


def scaled(loop: Loop) -> list[str]:
    """Return the endpoint's variants that are scaled by a policy."""
    scaling = loop.cloud.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    followed = {policy["ResourceId"] for policy in policies}
    own = f"endpoint/{loop.name}/variant/"
    return [each["ResourceId"].removeprefix(own) for each in targets if each["ResourceId"] in followed]


def check_taken_as_live(loop: Loop, config: str) -> None:
    """Check what the page says of a config that the engine did not put live."""
    (variant,) = loop.aws.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    slot = variant["VariantName"]
    loop.wait_for(lambda: scaled(loop) == [slot], f"autoscaling of {slot}")
    said = status(loop)
    assert (said["status"], said["config"], said["rollout"]) == ("InService", config, None)
    assert said["live"] == {"version": "unknown", "slot": slot, "package": None}
    assert state(loop).live.sha256 == "", "it counts as unsigned"


def told(loop: Loop, notices: Notices, what: str) -> str:
    """Wait until people have been told; return the text."""
    return loop.wait_for(lambda: notices.read().get(f"{loop.name}: {what}"), f"people to be told: {what}")


def test_a_kept_config_that_is_put_live_by_hand_is_taken_as_the_live_one(
    loop: Loop, good: Lived, notices: Notices
) -> None:
    before = state(loop).live
    loop.wait_for(lambda: scaled(loop) == [before.slot], "autoscaling of what is live")
    route = Route(loop)
    kept = route.kept(good.rollout)
    with pytest.raises(ClientError, match=HELD):
        route.update(kept)

    with loop.traffic() as traffic:
        loop.wait_for(lambda: route.release_and_update(kept), "both changes to be taken")
        text = told(loop, notices, "another config is live")
    assert text.startswith(f"Somebody else put the config {kept} live on {loop.name} in place of {before.config}.")
    assert not traffic.failures
    assert next(past.sha256 for past in state(loop).past if past.config == kept), "it is signed"
    check_taken_as_live(loop, kept)


def test_a_rollout_that_is_under_way_is_abandoned_and_the_next_one_promoted(
    loop: Loop, good: Lived, notices: Notices
) -> None:
    *_, rolled_back = loop.rollouts()
    count, before = len(loop.rollouts()), state(loop).live
    loop.approve("1.1.0", "1.1.6")
    loop.wait_for_phase("BAKE")
    route = Route(loop)
    # To put back what is live already would be to abort.
    kept = next(name for each in (good.rollout, rolled_back.id) if (name := route.kept(each)) != before.config)
    with pytest.raises(ClientError, match="No scalable target"):
        route.deregister()
    route.update(kept)

    rollout = loop.wait_for_end(count + 1)
    reason = f"somebody else put the config {kept} live"
    assert (rollout.version, rollout.outcome, rollout.reason) == ("1.1.6", "ABANDONED", reason), loop.story()
    assert reason in told(loop, notices, "abandoned the rollout of 1.1.6")
    assert f"Rolling out 1.1.6 in place of {before.version} on {loop.name}" in loop.story()
    check_taken_as_live(loop, kept)

    loop.operate("rollback", "--to", good.version)
    promoted(loop, count + 2)
    after = state(loop)
    assert (after.live.version, after.previous_config) == (good.version, kept)
    assert after.live.sha256, "it is known again"
    assert f"Rolling out {good.version} in place of unknown on {loop.name}" in loop.story()
