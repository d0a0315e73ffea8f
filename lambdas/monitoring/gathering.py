"""Which files hold a window's requests and labels."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lambdas.contract import CAPTURE_PREFIX, LABELS_PREFIX
from lambdas.monitoring.capture.reading import variant_of
from lambdas.monitoring.ports import Files, StoredFile
from lambdas.monitoring.windows import Horizon


@dataclass(frozen=True)
class Found:
    """Files of a look, below one prefix.

    Parameters
    ----------
    prefix
        What all keys begin with; what follows names a file in reports.
    files
        In the order in which they were written.
    fresh
        Names of those whose late lines are to be accounted for with this window, and when each was last written.
    """

    prefix: str
    files: tuple[StoredFile, ...]
    fresh: dict[str, float]

    @property
    def size(self) -> int:
        """Return the bytes of all."""
        return sum(file.size for file in self.files)

    def name(self, file: StoredFile) -> str:
        """Return what reports call a file."""
        return file.key.removeprefix(self.prefix)

    def written_within(self, start: float, end: float) -> frozenset[str]:
        """Return the names of those that were last written after `start` and until `end`."""
        return frozenset(self.name(file) for file in self.files if start < file.modified_at <= end)


def captures(
    files: Files, bucket: str, endpoint: str, hours: Iterable[str], horizon: Horizon, without: frozenset[str]
) -> Found:
    """Return the capture files of a look.

    Captures lie below ``capture/<endpoint>/``, to which SageMaker adds the endpoint and the variant, and the serving
    container's own capture a variant alone.

    Parameters
    ----------
    hours
        Folders of hours, such as ``2026/11/22/03/``.
    without
        Variants whose captures are left out.
    """
    prefix = f"{CAPTURE_PREFIX}/{endpoint}/"
    variants: list[str] = []
    for folder in files.folders(bucket, prefix):
        below = folder == f"{prefix}{endpoint}/"
        variants += files.folders(bucket, folder) if below else [folder]
    found = _below(files, bucket, variants, hours)
    return _taken(prefix, (file for file in found if variant_of(file.key) not in without), horizon)


def labels(files: Files, bucket: str, endpoint: str, hours: Iterable[str], horizon: Horizon) -> Found:
    """Return the label files of a look."""
    prefix = f"{LABELS_PREFIX}/{endpoint}/"
    return _taken(prefix, _below(files, bucket, [prefix], hours), horizon)


def _below(files: Files, bucket: str, folders: Iterable[str], hours: Iterable[str]) -> Iterator[StoredFile]:
    hours = list(hours)
    for folder in folders:
        for hour in hours:
            yield from files.below(bucket, folder + hour)


def _taken(prefix: str, found: Iterable[StoredFile], horizon: Horizon) -> Found:
    taken = sorted((each for each in found if horizon.takes(each.modified_at)), key=lambda f: (f.modified_at, f.key))
    fresh = {f.key.removeprefix(prefix): f.modified_at for f in taken if horizon.is_fresh(f.modified_at)}
    return Found(prefix, tuple(taken), fresh)
