"""Who works on which asynchronous request: instances with room get those that wait, oldest first."""

from collections.abc import Callable
from dataclasses import dataclass

from localcloud.clock import Timer
from localcloud.physics.async_settings import AsyncSettings, async_settings, is_asynchronous
from localcloud.physics.backlog import QueuedRequest
from localcloud.physics.hosting import Hosting
from localcloud.physics.mirroring import Aside
from localcloud.physics.records import DELETING, SERVING, Endpoint, Instance, Variant

MOST_ATTEMPTS = 3
"""How often a request is sent to a container that breaks off: one that kills its container must not do so for ever."""


@dataclass(frozen=True)
class Claim:
    """A request, and the instance that it is sent to; none if it has only to be told that it is too late."""

    request: QueuedRequest
    endpoint: Endpoint
    variant: str
    settings: AsyncSettings
    role_arn: str
    instance: Instance | None


Work = Callable[[Claim], None]


class AsyncDispatch:
    """Hands requests out, and takes back those that are to be tried again.

    Parameters
    ----------
    hosting
        The endpoints, each with its queue.
    work
        Works on a request, and ends with `finished` or `again`.
    aside
        Runs work apart from whoever brings it; when it has no room, the request waits.
    """

    def __init__(self, hosting: Hosting, work: Work, aside: Aside) -> None:
        self._hosting = hosting
        self._work = work
        self._aside = aside
        self._timer: Timer | None = None
        self._closed = False

    def accept(self, endpoint: Endpoint, request: QueuedRequest) -> None:
        """Put a request into the queue."""
        with self._hosting.lock:
            endpoint.backlog.waiting.append(request)
            self._hand_out()

    def finished(self, claim: Claim) -> None:
        """Forget a request that is answered, and give its place to another."""
        with self._hosting.lock:
            claim.endpoint.backlog.end(claim.request)
            self._leave(claim)

    def again(self, claim: Claim) -> bool:
        """Put a request back whose container broke off; False if that has happened too often."""
        with self._hosting.lock:
            if claim.request.attempts >= MOST_ATTEMPTS:
                return False
            self._put_back(claim)
            self._leave(claim)
            return True

    def close(self) -> None:
        """Hand out nothing more."""
        with self._hosting.lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()

    def _leave(self, claim: Claim) -> None:
        if claim.instance is not None:
            claim.instance.in_flight -= 1
        self._hand_out()

    def _put_back(self, claim: Claim) -> None:
        """Queue a request again, but not of an endpoint that is deleted: that has lost its queue."""
        if claim.endpoint.status == DELETING or self._closed:
            claim.endpoint.backlog.end(claim.request)
            return
        pause = self._hosting.settings.ping_seconds  # until the death of a process is known
        claim.endpoint.backlog.put_back(claim.request, self._hosting.clock.now() + pause)

    def _look_again(self) -> None:
        with self._hosting.lock:
            self._timer = None
            self._hand_out()

    def _hand_out(self) -> None:
        if self._closed:
            return
        serving = [each for each in self._hosting.endpoints.values() if each.status in SERVING]
        for endpoint in serving:
            if endpoint.backlog.waiting and is_asynchronous(endpoint.config.request):
                self._hand_out_of(endpoint)
        if self._timer is None and any(each.backlog.waiting for each in serving):
            # Nobody tells of a container that has become healthy, and of a request that gets too old.
            self._timer = self._hosting.clock.call_later(self._hosting.settings.ping_seconds, self._look_again)

    def _hand_out_of(self, endpoint: Endpoint) -> None:
        now, settings = self._hosting.clock.now(), async_settings(endpoint.config.request)
        (variant,) = endpoint.variants.values()
        for request in endpoint.backlog.take_expired(now):
            self._send(_claim(request, endpoint, variant, settings, None))
        while (first := endpoint.backlog.next(now)) and (instance := _room(variant, settings)):
            endpoint.backlog.begin(first)
            first.attempts += 1
            instance.in_flight += 1
            self._send(_claim(first, endpoint, variant, settings, instance))

    def _send(self, claim: Claim) -> None:
        self._hosting.lock.later(lambda: self._begin(claim))

    def _begin(self, claim: Claim) -> None:
        if self._aside(lambda: self._work(claim)):
            return
        with self._hosting.lock:
            claim.request.attempts -= claim.instance is not None
            self._put_back(claim)
            if claim.instance is not None:
                claim.instance.in_flight -= 1


def _claim(
    request: QueuedRequest, endpoint: Endpoint, variant: Variant, settings: AsyncSettings, instance: Instance | None
) -> Claim:
    role = str(variant.model.request["ExecutionRoleArn"])
    return Claim(request, endpoint, variant.name, settings, role, instance)


def _room(variant: Variant, settings: AsyncSettings) -> Instance | None:
    """Return the least busy instance that may get another request."""
    healthy = [each for each in variant.instances if each.in_flight < settings.concurrency and each.container.ping()]
    return min(healthy, key=lambda instance: instance.in_flight, default=None)
