"""Windows that are too large for one machine: parts of their files are counted side by side, and then merged.

A state machine runs a Processing job for each part and a function that merges what they have counted. It reads the
parts from ``parts.json``, a list of requests for jobs. All that an execution reads lies in a folder named for its
content: should two runs find different files and both write what is to be done, the execution that was started first
goes on undisturbed, and the other is not started.
"""

import json
from collections.abc import Mapping
from hashlib import sha256

from lambdas.contract import counting_job_prefix
from lambdas.monitoring.gathering import Found
from lambdas.monitoring.jobs import job_name, job_order, request_of
from lambdas.monitoring.look_folder import BASELINE, COUNTS, OUTPUT, REQUEST, Failed, LookFolder, Statuses
from lambdas.monitoring.parts import number_of_parts, parts_of
from lambdas.monitoring.ports import Executions, Files
from lambdas.monitoring.processing import request_for
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.settings import Settings
from lambdas.monitoring.windows import Window

MOST_PARTS = 500
"""The names of that many jobs, and what becomes of them, fit where they must: 63 characters, and 256 KiB of state."""

MOST_LABEL_BYTES = 2_000_000_000
"""Every part holds all labels in memory, about twice their files' size: half of the 8 GiB of the usual machine."""

_STATUSES = Statuses(frozenset({"RUNNING", "PENDING_REDRIVE"}), "SUCCEEDED", "Step Functions")


class CountingExecutions:
    """Executions that count an endpoint's windows in parts.

    Parameters
    ----------
    executions, files
        Where executions run, and where their files lie.
    settings
        Of the endpoint.
    """

    def __init__(self, executions: Executions, files: Files, settings: Settings) -> None:
        self._executions = executions
        self._files = files
        self._settings = settings

    def exists(self, window: Window, look: str) -> bool:
        """Return whether a look's execution has been started."""
        name = job_name(self._settings.endpoint, window, look)
        return bool(self._machine) and self._executions.look(self._machine, name) is not None

    def result(self, window: Window, look: str) -> WindowCounts | Failed | None:
        """Return what the execution of a look has counted; None while it runs.

        Raises
        ------
        RetryableError
            When there is no such execution.
        """
        name = job_name(self._settings.endpoint, window, look)
        view = self._executions.look(self._machine, name)
        return self._folder(window, look).result(f"execution {name}", view, _STATUSES)

    def refusal(self, captures: Found, labels: Found | None) -> Failed | None:
        """Return why files cannot be counted in parts; None if they can."""
        job = self._settings.job
        assert job is not None
        number = number_of_parts(captures, job.large_window_bytes, job.parallel_jobs)
        if number > MOST_PARTS:
            return Failed(
                f"the window's {captures.size} bytes of captures would be {number} parts, and at most {MOST_PARTS} can "
                "be counted: raise job.large_window_megabytes, or make windows shorter (window_minutes)"
            )
        if labels is not None and labels.size > MOST_LABEL_BYTES:
            return Failed(
                f"every part of the window would hold {labels.size} bytes of labels in memory, and can hold "
                f"{MOST_LABEL_BYTES}: make windows shorter (window_minutes), or expect labels sooner "
                "(label_delay_windows)"
            )
        return None

    def start(
        self,
        window: Window,
        look: str,
        baseline: Baseline,
        captures: Found,
        labels: Found | None,
        slots: Mapping[str, str],
    ) -> str:
        """Start a look's execution unless it has been started, and return its name."""
        job = self._settings.job
        assert job is not None
        parts = parts_of(captures, number_of_parts(captures, job.large_window_bytes, job.parallel_jobs))
        plan = _Plan(self._settings, self._folder(window, look), window, look, parts, labels, slots)
        plan.write(baseline)
        name = job_name(self._settings.endpoint, window, look)
        self._executions.start(
            self._machine,
            name,
            {
                "bucket": self._settings.bucket,
                "parts_key": plan.parts_key,
                "folder": plan.key,
                "parts": len(parts),
                "counts_key": f"{self._folder(window, look).key}{OUTPUT}{COUNTS}",
                "parallel_jobs": job.parallel_jobs,
            },
        )
        return name

    @property
    def _machine(self) -> str:
        job = self._settings.job
        return job.state_machine or "" if job is not None else ""

    def _folder(self, window: Window, look: str) -> LookFolder:
        return LookFolder(self._files, self._settings.bucket, self._settings.endpoint, window, look)


class _Plan:
    """What an execution is to read."""

    def __init__(
        self,
        settings: Settings,
        folder: LookFolder,
        window: Window,
        look: str,
        parts: list[Found],
        labels: Found | None,
        slots: Mapping[str, str],
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._window = window
        self._captures = [folder.manifest(part) for part in parts]
        self._labels = None if labels is None else folder.manifest(labels)
        self._requests = [
            # All parts read the same labels, and only one of them tells what is wrong with these.
            json.dumps(request_of(settings, window, part, labels, slots, tells_of_labels=number == 0))
            for number, part in enumerate(parts)
        ]
        content = json.dumps([window.id, look, self._labels, self._captures, self._requests])
        self._digest = sha256(content.encode()).hexdigest()[:8]
        self._own = f"parts-{self._digest}/"

    @property
    def key(self) -> str:
        """Return the key of the folder with the parts' folders."""
        return f"{self._folder.key}{self._own}"

    @property
    def parts_key(self) -> str:
        """Return the key of the list of parts."""
        return f"{self.key}parts.json"

    def write(self, baseline: Baseline) -> None:
        """Write it, the list of parts last."""
        shared = {"baseline": self._write(f"baseline-{baseline.id}/{BASELINE}", baseline.text())}
        if self._labels is not None:
            shared["labels"] = self._write("labels.manifest", self._labels)
        job = self._settings.job
        assert job is not None
        requests = []
        for number, (captures, request) in enumerate(zip(self._captures, self._requests, strict=True)):
            inputs = {
                **shared,
                "request": self._write(f"{number}/request/{REQUEST}", request),
                "captures": self._write(f"{number}/captures.manifest", captures),
            }
            output = self._folder.uri(f"{self._own}{number}/{OUTPUT}")
            order = job_order(self._settings, self._window, self._name(number), inputs, output)
            requests.append(request_for(order, job))
        self._write("parts.json", json.dumps(requests))

    def _name(self, number: int) -> str:
        """Return the name of a part's job, to which the state machine adds a hyphen and a digit for each attempt."""
        prefix = counting_job_prefix(self._settings.endpoint)
        return f"{prefix}{self._window.key.lower()}-{self._digest}-{number}"

    def _write(self, name: str, text: str) -> str:
        return self._folder.write(f"{self._own}{name}", text)
