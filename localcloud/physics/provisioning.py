"""Bringing up instances: downloading the model, starting containers, and waiting for them to answer pings."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.physics.hosting import Hosting
from localcloud.physics.ports import ImageMissingError, ModelArchiveError, ObjectMissingError
from localcloud.physics.records import Instance, Plan

Fleet = dict[str, list[Instance]]
"""New instances by the name of their variant."""


@dataclass(frozen=True)
class Outcome:
    """How provisioning ended: with a fleet, or with the reason why there is none."""

    fleet: Fleet
    failure: str | None = None


class _ProvisioningError(Exception):
    """It cannot succeed; the text becomes the FailureReason."""


class Provisioning:
    """One attempt at bringing up the instances of some plans.

    It runs on the clock's actions, never under the hosting lock, and ends by calling `done` once. Unless it succeeds,
    all that it started is stopped again.

    Parameters
    ----------
    hosting
        The world.
    endpoint
        Name of the endpoint, for the containers' names and for faults.
    plans
        Variants, with how many instances to bring up for each.
    least_seconds
        How long it takes at the least.
    done
        Told the outcome.
    """

    def __init__(
        self,
        hosting: Hosting,
        endpoint: str,
        plans: list[Plan],
        least_seconds: float,
        done: Callable[[Outcome], None],
    ) -> None:
        self._hosting = hosting
        self._endpoint = endpoint
        self._plans = plans
        self._done = done
        self._fleet: Fleet = {plan.name: [] for plan in plans}
        self._archives: dict[str, bytes] = {}
        self._began = hosting.clock.now()
        self._ready_at = self._began + least_seconds + hosting.faults.take_delay(endpoint)
        hosting.clock.call_later(0.0, self._start)

    def _start(self) -> None:
        if self._hosting.stopped:
            return
        types = {str(plan.config["InstanceType"]) for plan in self._plans}
        try:
            failure = self._hosting.faults.take_failure(self._endpoint, types)
            if failure is not None:
                raise _ProvisioningError(failure)
            for plan in self._plans:
                for _ in range(plan.count):
                    self._fleet[plan.name].append(self._launch(plan))
        except _ProvisioningError as error:
            self._fail_later(str(error))
        else:
            self._check()

    def _launch(self, plan: Plan) -> Instance:
        instance_id = f"i-{uuid.uuid4().hex[:17]}"
        name = f"{self._endpoint}/{plan.name}/{instance_id}"
        model = plan.model
        try:
            archive = self._archive(model.data_url)
            container = self._hosting.containers.start(model.image, archive, dict(model.environment), name)
        except ObjectMissingError:
            raise _ProvisioningError(
                f'Failed to download model data for container "container_1" from URL: "{model.data_url}". Please '
                "ensure that there is an object located at the URL and that the role passed to CreateModel has "
                "permissions to download the object."
            ) from None
        except ModelArchiveError:
            raise _ProvisioningError(
                f'Failed to extract model data archive for container "container_1" from URL "{model.data_url}". Please '
                "ensure that the object located at the URL is a valid tar.gz archive."
            ) from None
        except ImageMissingError:
            raise _ProvisioningError(
                f"Please make sure all images included in the model for the production variant {plan.name} exist, and "
                "that the execution role used to create the model has permissions to access them."
            ) from None
        return Instance(instance_id, container)

    def _archive(self, url: str | None) -> bytes | None:
        if url is None:
            return None
        if url not in self._archives:
            self._archives[url] = self._hosting.objects.get(url)
        return self._archives[url]

    def _check(self) -> None:
        """Look at the containers until all are healthy and the time is up, or one is overdue."""
        if self._hosting.stopped:
            self._stop_all()
            return
        now = self._hosting.clock.now()
        unhealthy = [plan for plan in self._plans if not self._is_healthy(plan)]
        overdue = [plan for plan in unhealthy if now >= self._began + self._timeout(plan)]
        if overdue:
            self._fail_later(
                f"The primary container for production variant {overdue[0].name} did not pass the ping health check. "
                "Please check CloudWatch logs for this endpoint."
            )
        elif unhealthy:
            self._hosting.clock.call_later(self._hosting.settings.ping_seconds, self._check)
        elif now < self._ready_at:
            self._hosting.clock.call_later(self._ready_at - now, self._check)
        else:
            self._done(Outcome(self._fleet))

    def _is_healthy(self, plan: Plan) -> bool:
        return all(instance.container.ping() for instance in self._fleet[plan.name])

    def _timeout(self, plan: Plan) -> float:
        settings = self._hosting.settings
        configured = plan.config.get("ContainerStartupHealthCheckTimeoutInSeconds")
        timeout = settings.default_startup_timeout_seconds if configured is None else float(configured)
        return min(timeout, settings.startup_timeout_limit_seconds)

    def _fail_later(self, reason: str) -> None:
        """Fail when the time is up; AWS does not fail at once either."""
        self._stop_all()
        wait = max(self._ready_at - self._hosting.clock.now(), 0.0)
        self._hosting.clock.call_later(wait, lambda: self._done(Outcome({}, reason)))

    def _stop_all(self) -> None:
        for instances in self._fleet.values():
            for instance in instances:
                instance.container.stop()


def retire(hosting: Hosting, instances: list[Instance]) -> None:
    """Stop instances that take no new requests, each once it has answered those that it has."""
    deadline = hosting.clock.now() + hosting.settings.drain_seconds

    def stop_idle(waiting: list[Instance]) -> None:
        overdue = hosting.clock.now() >= deadline
        remaining = [instance for instance in waiting if instance.in_flight and not overdue]
        for instance in waiting:
            if instance not in remaining:
                instance.container.stop()
        if remaining:
            hosting.clock.call_later(hosting.settings.ping_seconds, lambda: stop_idle(remaining))

    hosting.clock.call_later(0.0, lambda: stop_idle(instances))
