"""Takes the endpoint of an endpoint's jobs away, with all that it was made of."""

from collections.abc import Callable
from dataclasses import replace

from lambdas.inference.following.follower import FAILED, IN_SERVICE, MISSING
from lambdas.inference.following.ports import Ports
from lambdas.inference.following.standing import Standing
from lambdas.inference.following.wanted import Plan
from lambdas.rollout.errors import ConflictError

_DELETED_FROM = FAILED | {IN_SERVICE, "OutOfService"}
"""In between, SageMaker refuses to delete an endpoint."""

_TRIES = 5


class Retiring:
    """Begins and ends the life of one endpoint of jobs.

    Parameters
    ----------
    ports, plan
        The world, and the endpoint.
    """

    def __init__(self, ports: Ports, plan: Plan) -> None:
        self._ports, self._plan = ports, plan

    def begin(self) -> None:
        """Let it be followed, also after it was retired once."""
        standing = self._ports.standings.load(self._plan.endpoint)
        if standing.retired_at:
            fresh = Standing(standing.endpoint, standing.generation, version_of_item=standing.version_of_item)
            self._ports.standings.save(fresh)

    def end(self, wait: Callable[[Callable[[], bool]], bool]) -> bool:
        """Take it away; return whether nothing is left.

        Parameters
        ----------
        wait
            Asks again and again, and returns False when there is no time left.
        """
        standing = self._retired()
        self._ports.scaling.release(self._plan)
        if not wait(self._is_gone):
            return False
        for each in reversed(standing.made):
            self._ports.endpoints.delete(each)
        return True

    def _retired(self) -> Standing:
        """Write that nobody makes it any more, over whatever somebody writes meanwhile who still follows."""
        for _ in range(_TRIES):
            standing = self._ports.standings.load(self._plan.endpoint)
            try:
                return self._ports.standings.save(replace(standing.gone(), retired_at=self._ports.clock.now()))
            except ConflictError:
                continue
        raise ConflictError(f"what {self._plan.name} stands for is written by somebody else all the time")

    def _is_gone(self) -> bool:
        status = self._ports.endpoints.describe(self._plan.name).status
        if status in _DELETED_FROM:
            self._ports.endpoints.delete(f"endpoint/{self._plan.name}")
        return status == MISSING
