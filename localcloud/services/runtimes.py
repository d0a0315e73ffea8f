"""Everything that answers invocations of endpoints, with the threads that it runs on."""

from localcloud.clock import Clock
from localcloud.physics.async_runtime import AsyncRuntimeService
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.endpoints import SageMakerService
from localcloud.physics.mirroring import MirrorThreads
from localcloud.physics.runtime import RuntimeService
from localcloud.service import Service
from localcloud.services.role_access import RoleAccess
from localcloud.services.role_account import RoleAccounts

MOST_REQUESTS = 256
"""Asynchronous requests that are worked on at a time in the local cloud, whatever the instances bear."""


class Runtimes:
    """Real-time and asynchronous invocations.

    Parameters
    ----------
    sagemaker
        Whose endpoints are invoked.
    clock, metrics
        Time, and CloudWatch's samples.
    roles
        Opens sessions of the models' execution roles.
    """

    def __init__(self, sagemaker: SageMakerService, clock: Clock, metrics: MetricStore, roles: RoleAccess) -> None:
        self._mirrors = MirrorThreads()
        self._workers = MirrorThreads(MOST_REQUESTS, "async-inference")
        self._real_time = RuntimeService(sagemaker, clock, metrics, aside=self._mirrors.submit)
        self._asynchronous = AsyncRuntimeService(sagemaker, RoleAccounts(roles), aside=self._workers.submit)

    @property
    def services(self) -> list[Service]:
        """Return the services that own the operations."""
        return [self._real_time, self._asynchronous]

    def close(self) -> None:
        """Take nothing more; what is under way ends with its containers."""
        self._asynchronous.close()
        self._mirrors.close()
        self._workers.close()
