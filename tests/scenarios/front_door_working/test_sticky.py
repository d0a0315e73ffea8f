"""A caller keeps to one version while two are live; rules send some callers elsewhere."""

import time
from collections import defaultdict
from collections.abc import Iterator

from lambdas.inference.assignment import takes_candidate
from lambdas.inference.view import FRESH_SECONDS
from tests.scenarios.front_door_working.doors import CAREFUL, EAGER, SHOP
from tests.scenarios.front_door_working.working import Door, Reply, days

CALLERS = [f"caller-{number}" for number in range(40)]
RATE = 20.0
TOO_SLOW, TRIES = (503, 504), 5
NEW, DOOMED = "1.1.0", "1.3.0"


class Audience:
    """Callers of the endpoint, and the versions that each has met, in order.

    Parameters
    ----------
    door
        The endpoint.
    """

    def __init__(self, door: Door) -> None:
        self.door = door
        self.met: dict[str, list[str]] = defaultdict(list)
        (self._row,) = days(1)

    def ask(self, caller: str, client: str = SHOP) -> str:
        """Ask in a caller's name; return the version that answers."""
        replies = self._replies(caller, client)
        reply = next((each for each in replies if each.status not in TOO_SLOW), None)
        assert reply is not None, f"the model was too slow {TRIES} times"
        assert (reply.status, reply.source) == (200, "model"), reply
        assert reply.version is not None
        return reply.version

    def _replies(self, caller: str, client: str) -> Iterator[Reply]:
        """Ask as a client does, which comes again when a model was too slow: on few cores, while others start."""
        return (self.door.predict([self._row], client, caller=caller) for _ in range(TRIES))

    def all(self) -> dict[str, str]:
        """Let each caller ask; return who answered it."""
        found = {caller: self.ask(caller) for caller in CALLERS}
        for caller, version in found.items():
            self.met[caller].append(version)
        return found

    def expected(self, percent: float, old: str, new: str) -> dict[str, str]:
        """Return who must answer each caller at a share of the candidate's."""
        return {each: new if takes_candidate(self.door.name, each, percent) else old for each in CALLERS}

    def restart(self) -> None:
        """Kill the workers of the function, as a deployment or an idle hour would end them."""
        self.door.loop.cloud.functions.kill(self.door.function("predict"))


def share(door: Door) -> float:
    """Return the candidate's share as the rollout's engine has recorded it."""
    item = door.loop.cloud.client("dynamodb").get_item(
        TableName=door.loop.endpoint.table,
        Key={"pk": {"S": f"ENDPOINT#{door.name}"}, "sk": {"S": "STATE"}},
        ConsistentRead=True,
    )["Item"]
    return float(item["route"]["M"]["percent"]["N"])


def await_share(door: Door, percent: float) -> None:
    """Wait until the candidate has a share, and every worker has heard of it."""
    door.loop.wait_for(lambda: share(door) == percent, f"a share of {percent} %")
    time.sleep(FRESH_SECONDS)


def test_callers_keep_to_a_version_while_it_takes_over(sticky: Door) -> None:
    audience, begun = Audience(sticky), len(sticky.loop.rollouts())
    old = audience.ask("anybody")
    assert set(audience.all().values()) == {old}
    with sticky.loop.traffic(RATE):
        sticky.loop.approve(NEW)
        for percent in (10, 50):
            await_share(sticky, percent)
            expected = audience.expected(percent, old, NEW)
            assert set(expected.values()) == {old, NEW}
            assert audience.all() == expected
            audience.restart()
            assert audience.all() == expected
            assert audience.ask("whoever", EAGER) == NEW
            assert audience.ask(CAREFUL) == old
            sticky.operate("promote", "--reason", "it looks good")
        await_share(sticky, 100)
        assert set(audience.all().values()) == {NEW}
        assert sticky.loop.wait_for_end(begun + 1).outcome == "PROMOTED", sticky.loop.story()
    assert set(audience.all().values()) == {NEW}
    for caller, versions in audience.met.items():
        assert versions == sorted(versions, key=[old, NEW].index), f"{caller} went back and forth: {versions}"


def test_nobody_is_sent_to_a_candidate_that_is_given_up(sticky: Door) -> None:
    audience, begun = Audience(sticky), len(sticky.loop.rollouts())
    old = audience.ask("anybody")
    with sticky.loop.traffic(RATE):
        sticky.loop.approve(DOOMED)
        await_share(sticky, 10)
        assert audience.ask("whoever", EAGER) == DOOMED
        assert audience.all() == audience.expected(10, old, DOOMED)
        sticky.operate("abort", "--reason", "it was a mistake")
        await_share(sticky, 0)
        asked = 0
        while not asked or not all(each.ended for each in sticky.loop.rollouts()):
            assert set(audience.all().values()) == {old}
            assert audience.ask("whoever", EAGER) == old
            asked += 1
        assert sticky.loop.wait_for_end(begun + 1).outcome != "PROMOTED"
    assert set(audience.all().values()) == {old}
