"""The model, as jobs ask it."""

import json

from lambdas.inference.jobs.job import Job
from lambdas.inference.jobs.ports import Answer
from lambdas.inference.unattended import Asking, Unattended


class EndpointModel:
    """Implements `lambdas.inference.jobs.ports.Model`.

    Parameters
    ----------
    unattended
        Asks the endpoint.
    """

    def __init__(self, unattended: Unattended) -> None:
        self._unattended = unattended

    def ask(self, job: Job, body: bytes) -> Answer:
        """Return the model's answer, which is known by the job's id."""
        asking = Asking(job.id, job.client, job.caller, job.subject)
        answered = self._unattended.ask(asking, json.loads(body)["instances"])
        version = answered.served.version if answered.served else ""
        return Answer(answered.body.encode(), version, answered.variant)
