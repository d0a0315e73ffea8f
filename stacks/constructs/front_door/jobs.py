"""Jobs: requests that are answered later."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint
from stacks.config.front_door import FrontDoor
from stacks.config.job_queue import JobQueue
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.dead_letters import DeadLetters
from stacks.constructs.front_door.door_function import DoorFunction
from stacks.constructs.front_door.jobs_endpoint import JobsEndpoint
from stacks.constructs.front_door.live_function import LiveFunction
from stacks.constructs.front_door.permissions import FrontDoorPermissions
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.permissions import consume, send

_TAKE_SECONDS = 10
_MARGIN_SECONDS = 20
_HIDDEN = 6
"""Times the function's time-out, as AWS advises, for which a message stays hidden."""

_DELIVERIES = 100
"""A message is delivered again also while the endpoint is busy, or after its worker was killed; attempts are counted on
the job itself, and end it long before. While jobs are switched off messages are sent anew, and not counted."""

_LATER_DELIVERIES = 1000
"""Where an endpoint answers later, a message also comes again while that is being made, and SageMaker's while what it
tells of is being written down. One that waits for an answer is sent anew, and not counted."""


class JobWork(Construct):
    """The function that takes jobs, the queue, the function that works on them, and where those that fail end.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    endpoint, door, jobs
        The endpoint, its front door, and its jobs.
    permissions
        What the functions may do.
    variables
        What the functions are told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        shared: Shared,
        endpoint: Endpoint,
        door: FrontDoor,
        jobs: JobQueue,
        permissions: FrontDoorPermissions,
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._shared, self._endpoint, self._permissions = shared, endpoint, permissions
        work_timeout = Duration.seconds(door.timeout_seconds + _MARGIN_SECONDS)
        self._dead = DeadLetters(
            self, "Dead", holds="Jobs that failed", key=shared.key, topic_arn=shared.names.topic_arn
        )
        self._queue = self._queued(jobs, work_timeout)
        told = {
            **variables,
            contract.ENV_JOBS_QUEUE_URL: self._queue.queue_url,
            contract.ENV_JOBS_DEAD_QUEUE_URL: self._dead.queue.queue_url,
        }
        self.take = self._taking(told)
        self.work = self._working(told, work_timeout, jobs)
        if jobs.asynchronous is not None:
            JobsEndpoint(
                self,
                "Own",
                shared=shared,
                endpoint=endpoint,
                queue=self._queue,
                permissions=permissions,
                variables=variables,
            )

    @property
    def places(self) -> dict[str, str]:
        """Return where operators find the queues."""
        return {"queue": self._queue.queue_url, "dead_letters": self._dead.queue.queue_url}

    def _queued(self, jobs: JobQueue, work_timeout: Duration) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._shared.key,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(_HIDDEN * int(work_timeout.to_seconds())),
            retention_period=Duration.days(jobs.keep_days),
            dead_letter_queue=sqs.DeadLetterQueue(
                max_receive_count=_DELIVERIES if jobs.asynchronous is None else _LATER_DELIVERIES,
                queue=self._dead.queue,
            ),
        )

    def _taking(self, variables: Mapping[str, str]) -> LiveFunction:
        function = LiveFunction(
            self,
            "Take",
            shared=self._shared,
            endpoint=self._endpoint,
            handler="jobs",
            description=f"Takes jobs for {self._endpoint.name} and tells how they stand",
            variables=variables,
            timeout=Duration.seconds(_TAKE_SECONDS),
        )
        function.control.allow(*self._permissions.take_jobs(), send(self._queue, "QueueJobs"))
        return function

    def _working(self, variables: Mapping[str, str], timeout: Duration, jobs: JobQueue) -> ControlFunction:
        function = DoorFunction(
            self,
            "Work",
            shared=self._shared,
            endpoint=self._endpoint.name,
            handler="work",
            description=f"Works on the jobs of {self._endpoint.name}",
            variables=variables,
            timeout=timeout,
        )
        function.allow(
            *(self._permissions.work_on_jobs() if jobs.asynchronous is None else self._permissions.hand_jobs_over()),
            consume(self._queue),
            send(self._queue, "PutOffJobs"),
            send(self._dead.queue, "BuryJobs"),
        )
        mapping = function.function.add_event_source_mapping(
            "JobsFeed",
            event_source_arn=self._queue.queue_arn,
            batch_size=1,
            max_concurrency=jobs.at_once,
            report_batch_item_failures=True,
        )
        mapping.node.add_dependency(function.role)
        return function
