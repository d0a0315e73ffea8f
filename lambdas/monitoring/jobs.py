"""Windows that are counted by a Processing job: what it is given, and what it leaves.

Inputs lie below ``/opt/ml/processing/input``: ``captures`` and ``labels`` (files below the prefix of their manifest),
``request/request.json`` and ``baseline/baseline.json``. The output is ``/opt/ml/processing/output/counts.json``.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from lambdas.contract import counting_job_prefix
from lambdas.monitoring.gathering import Found
from lambdas.monitoring.look_folder import BASELINE, OUTPUT, REQUEST, Failed, LookFolder, Statuses
from lambdas.monitoring.ports import Files, JobOrder, Jobs
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.settings import Settings
from lambdas.monitoring.windows import Window

ARGUMENTS = ("job",)
_STATUSES = Statuses(frozenset({"InProgress", "Stopping"}), "Completed", "SageMaker")


class CountingJobs:
    """Jobs that count an endpoint's windows.

    Parameters
    ----------
    jobs, files
        Where jobs run, and where their files lie.
    settings
        Of the endpoint.
    """

    def __init__(self, jobs: Jobs, files: Files, settings: Settings) -> None:
        self._jobs = jobs
        self._files = files
        self._settings = settings

    def result(self, window: Window, look: str) -> WindowCounts | Failed | None:
        """Return what the job of a look has counted; None while it runs.

        Raises
        ------
        RetryableError
            When there is no such job.
        """
        name = job_name(self._settings.endpoint, window, look)
        return self._folder(window, look).result(f"job {name}", self._jobs.look(name), _STATUSES)

    def exists(self, window: Window, look: str) -> bool:
        """Return whether a look's job has been started."""
        return self._jobs.look(job_name(self._settings.endpoint, window, look)) is not None

    def start(
        self,
        window: Window,
        look: str,
        baseline: Baseline,
        captures: Found,
        labels: Found | None,
        slots: Mapping[str, str],
    ) -> str:
        """Start a look's job unless it has been started, and return its name."""
        folder = self._folder(window, look)
        request = request_of(self._settings, window, captures, labels, slots)
        inputs = {
            "request": folder.write(f"request/{REQUEST}", json.dumps(request)),
            "baseline": folder.write(f"baseline/{BASELINE}", baseline.text()),
            "captures": folder.write("captures.manifest", folder.manifest(captures)),
        }
        if labels is not None:
            inputs["labels"] = folder.write("labels.manifest", folder.manifest(labels))
        name = job_name(self._settings.endpoint, window, look)
        self._jobs.start(job_order(self._settings, window, name, inputs, folder.uri(OUTPUT)), self._settings)
        return name

    def _folder(self, window: Window, look: str) -> LookFolder:
        return LookFolder(self._files, self._settings.bucket, self._settings.endpoint, window, look)


def job_order(settings: Settings, window: Window, name: str, inputs: Mapping[str, str], output: str) -> JobOrder:
    """Return the order of a job with some inputs and an output."""
    return JobOrder(
        name=name,
        arguments=ARGUMENTS,
        inputs=inputs,
        manifests=frozenset({"captures", "labels"} & inputs.keys()),
        output=output,
        tags={"tidegate:endpoint": settings.endpoint, "tidegate:window": window.id},
    )


def job_name(endpoint: str, window: Window, look: str) -> str:
    """Return the name of the job that counts a window for a look; there can be only one of a name, ever."""
    digest = sha256(f"{endpoint} {window.start} {window.end} {look}".encode()).hexdigest()[:8]
    return f"{counting_job_prefix(endpoint)}{window.key.lower()}-{look}-{digest}"


def request_of(
    settings: Settings,
    window: Window,
    captures: Found,
    labels: Found | None,
    slots: Mapping[str, str],
    *,
    tells_of_labels: bool = True,
) -> dict[str, Any]:
    """Return what a job is asked: the fields of a `Reading`, which files are fresh, and whether it tells of labels."""
    outputs = settings.outputs
    return {
        "endpoint": settings.endpoint,
        "start": window.start,
        "end": window.end,
        "slices": list(settings.slices),
        "versions": dict(slots),
        "roles": outputs
        and {"probability": outputs.probability, "prediction": outputs.prediction, "threshold": outputs.threshold},
        "fresh": captures.fresh,
        "own": sorted(captures.written_within(window.start, window.end)),
        "fresh_labels": None if labels is None else labels.fresh,
        "tells_of_labels": tells_of_labels,
    }
