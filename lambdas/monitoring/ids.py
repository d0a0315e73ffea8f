"""Which requests there were, for labels that name none: a window's ids are kept until its labels have come."""

from collections.abc import Iterable, Sequence

from lambdas.contract import MONITORING_PREFIX
from lambdas.monitoring.capture.lines import lines_of
from lambdas.monitoring.errors import MissingError
from lambdas.monitoring.ports import Files
from lambdas.monitoring.windows import Window


def keep(files: Files, bucket: str, endpoint: str, window: Window, ids: Sequence[str]) -> None:
    """Write down the ids of a window's requests."""
    files.write(bucket, _key(endpoint, window), "\n".join(ids).encode(errors="replace"), "text/plain")


def unknown(files: Files, bucket: str, endpoint: str, windows: Iterable[Window], ids: Iterable[str]) -> int:
    """Return how many of the ids no request in these windows has; 0 if it is not known of all of them who asked.

    One window's ids are in memory at a time, and those that are sought.
    """
    sought = set(ids)
    for window in windows:
        if not sought:
            return 0
        try:
            for line in lines_of(files.pieces(bucket, _key(endpoint, window))):
                sought.discard(line.decode(errors="replace"))
        except MissingError:
            return 0
    return len(sought)


def _key(endpoint: str, window: Window) -> str:
    return f"{MONITORING_PREFIX}/{endpoint}/{window.key}/ids.txt"
