"""Which captures and labels a run is trained on: lists of objects in SageMaker's ``ManifestFile`` format.

Such a file is a JSON array: first ``{"prefix": "s3://bucket/"}``, then keys below it (S3DataSource in SageMaker's API
reference). Keys carry the hour of what is in them, ``.../YYYY/MM/DD/HH/...``, and are listed day by day, the latest
first, so that of too many the oldest are left out.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lambdas.contract import CAPTURE_PREFIX, LABELS_PREFIX
from lambdas.retraining.ports import Files

MOST_OBJECTS = 5_000
"""Of each kind; a job downloads them one by one."""

_HOUR = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{2})/[^/]+$")


@dataclass(frozen=True)
class Manifest:
    """Objects of a time, the oldest first; `cut` when there were more than are listed."""

    bucket: str
    keys: tuple[str, ...]
    size: int = 0
    cut: bool = False

    @property
    def content(self) -> bytes:
        """The manifest file."""
        return json.dumps([{"prefix": f"s3://{self.bucket}/"}, *self.keys]).encode()

    def said(self, what: str) -> str:
        """Return what it holds, for a person."""
        more = f", the newest; older ones were left out because {MOST_OBJECTS:,} are the most" if self.cut else ""
        return f"{len(self.keys):,} files of {what} ({self.size / 1e6:.1f} MB){more}"


def captures(files: Files, bucket: str, endpoint: str, since: float, until: float) -> Manifest:
    """Return what was captured of every variant, and by the containers themselves.

    To the folder that it is given SageMaker adds endpoint and variant; the containers' captures lie beside that.
    """
    prefix = f"{CAPTURE_PREFIX}/{endpoint}/"
    variants: list[str] = []
    for folder in files.folders(bucket, prefix):
        variants += files.folders(bucket, folder) if folder == f"{prefix}{endpoint}/" else [folder]
    return _listed(files, bucket, variants, since, until)


def labels(files: Files, bucket: str, endpoint: str, since: float, until: float) -> Manifest:
    """Return the labels that came in a time: they follow what they are about."""
    return _listed(files, bucket, [f"{LABELS_PREFIX}/{endpoint}/"], since, until)


def _listed(files: Files, bucket: str, prefixes: list[str], since: float, until: float) -> Manifest:
    first, last = datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(until, UTC)
    found: list[tuple[str, str, int]] = []
    cut, day = False, last.date()
    while day >= first.date() and not cut:
        for prefix in prefixes:
            for stored in files.objects(bucket, f"{prefix}{day:%Y/%m/%d}/"):
                hour = _HOUR.search(stored.key)
                if hour and f"{first:%Y%m%d%H}" <= "".join(hour.groups()) <= f"{last:%Y%m%d%H}":
                    found.append(("".join(hour.groups()), stored.key, stored.size))
        cut = len(found) > MOST_OBJECTS
        day -= timedelta(days=1)
    kept = sorted(found)[-MOST_OBJECTS:]
    return Manifest(bucket, tuple(key for _, key, _ in kept), sum(size for *_, size in kept), cut)
