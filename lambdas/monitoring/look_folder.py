"""The folder that whoever counts a look of a window elsewhere finds its inputs in, and leaves the counts in."""

import json
from dataclasses import dataclass

from lambdas.contract import MONITORING_PREFIX
from lambdas.monitoring.gathering import Found
from lambdas.monitoring.ports import Files
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.windows import Window

COUNTS, REQUEST, BASELINE, OUTPUT = "counts.json", "request.json", "baseline.json", "output/"
_JSON = "application/json"


@dataclass(frozen=True)
class Failed:
    """Nothing was counted, and why."""

    reason: str


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

    def counts(self, by: str) -> WindowCounts | Failed:
        """Return what `by` has counted."""
        content = self._files.read(self.uri(OUTPUT + COUNTS))
        if content is None:
            return Failed(f"{by} completed and left no {COUNTS}")
        try:
            return WindowCounts.of_text(content)
        except ProfileError as error:
            return Failed(f"the {COUNTS} of {by} cannot be read: {error}")
