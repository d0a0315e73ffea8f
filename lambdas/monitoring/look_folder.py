"""The folder that whoever counts a look of a window elsewhere finds its inputs in, and leaves the counts in."""

import json
from dataclasses import dataclass

from lambdas.contract import MONITORING_PREFIX
from lambdas.monitoring.errors import RetryableError
from lambdas.monitoring.gathering import Found
from lambdas.monitoring.ports import Files, JobView
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.windows import Window

COUNTS, REQUEST, BASELINE, OUTPUT = "counts.json", "request.json", "baseline.json", "output/"
_JSON = "application/json"


@dataclass(frozen=True)
class Failed:
    """Nothing was counted, and why."""

    reason: str


@dataclass(frozen=True)
class Statuses:
    """The statuses of what counts a look: those while it runs, that of success; and the service that gives them."""

    running: frozenset[str]
    done: str
    service: str


class LookFolder:
    """A look's folder.

    Parameters
    ----------
    files, bucket
        Where it lies.
    endpoint, window, look
        What it is about.
    """

    def __init__(self, files: Files, bucket: str, endpoint: str, window: Window, look: str) -> None:
        self._files = files
        self._bucket = bucket
        self._window = window
        self.key = f"{MONITORING_PREFIX}/{endpoint}/{window.key}/jobs/{look}/"

    def uri(self, name: str) -> str:
        """Return the URI of what lies in it."""
        return f"s3://{self._bucket}/{self.key}{name}"

    def write(self, name: str, text: str) -> str:
        """Write a file, and return its URI."""
        return self._files.write(self._bucket, f"{self.key}{name}", text.encode(), _JSON)

    def manifest(self, found: Found) -> str:
        """Return a manifest of files, as SageMaker reads it: a prefix, and what follows it."""
        prefix = f"s3://{self._bucket}/{found.prefix}"
        return json.dumps([{"prefix": prefix}, *(found.name(file) for file in found.files)])

    def result(self, by: str, view: JobView | None, statuses: Statuses) -> WindowCounts | Failed | None:
        """Return what `by`, which stands as `view` says, has counted; None while it runs.

        Raises
        ------
        RetryableError
            When it does not exist.
        """
        if view is None:
            raise RetryableError(f"{by} was to count window {self._window.id}, and cannot be found")
        if view.status in statuses.running:
            return None
        if view.status != statuses.done:
            reason = view.reason or f"{statuses.service} gives no reason"
            return Failed(f"{by} {view.status.lower().replace('_', ' ')}: {reason}")
        return self._counts(by)

    def _counts(self, by: str) -> WindowCounts | Failed:
        content = self._files.read(self.uri(OUTPUT + COUNTS))
        if content is None:
            return Failed(f"{by} completed and left no {COUNTS}")
        try:
            return WindowCounts.of_text(content)
        except ProfileError as error:
            return Failed(f"the {COUNTS} of {by} cannot be read: {error}")
