"""A SageMaker Processing job that counts a window's captures.

Below ``<root>/processing/input`` it finds ``request/request.json``, ``baseline/baseline.json``, and the folders
``captures`` and, where there are labels, ``labels``. It writes ``<root>/processing/output/counts.json``. What goes
wrong is in ``<root>/output/message``, of which SageMaker shows the first KB as the job's exit message.
"""

import logging
import os
import traceback
from pathlib import Path

from lambdas.monitoring.capture.labels import Labels
from lambdas.monitoring.capture.lines import lines_of
from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.times import stamp

from .counting import WindowCounter
from .errors import JobError
from .request import Request

ROOT_VARIABLE, DEFAULT_ROOT = "SM_ROOT", "/opt/ml"
MESSAGE_BYTES = 1024
_PIECE = 1024 * 1024

_log = logging.getLogger(__name__)


def run(root: Path | None = None) -> int:
    """Run the job; return the exit status."""
    root = root or Path(os.environ.get(ROOT_VARIABLE, DEFAULT_ROOT))
    try:
        counts = count(root / "processing" / "input")
        write_text(root / "processing" / "output" / "counts.json", counts.text())
    except Exception as error:  # whatever it was, the message says so
        known = isinstance(error, (JobError, ProfileError, OSError))
        _log.exception("the job failed", exc_info=None if known else error)
        write_text(root / "output" / "message", message_of(error, known=known))
        return 1
    _log.info(
        "%d requests with %d rows counted; %d refused, %d late",
        counts.requests,
        counts.rows,
        counts.malformed.total,
        counts.late,
    )
    return 0


def count(inputs: Path) -> WindowCounts:
    """Count the window that the inputs are about.

    Raises
    ------
    JobError
        When an input is missing.
    ProfileError
        When the baseline cannot be read.
    """
    request = Request.read(inputs / "request" / "request.json")
    baseline = _baseline(inputs / "baseline" / "baseline.json")
    labels = _labels(inputs / "labels", request)
    reading = Reading(
        baseline=baseline,
        start=request.start,
        end=request.end,
        labels=None if labels is None else labels.values,
        slices=request.slices,
        versions=request.versions or {},
        fresh=request.fresh,
        own=None if request.own is None else frozenset(request.own),
        roles=request.roles,
    )
    counts = WindowCounts.of(baseline, request.endpoint, stamp(request.start), stamp(request.end))
    captures = inputs / "captures"
    if not captures.is_dir():
        raise JobError(f"{captures} is no folder; give the job its input `captures`")
    counter = WindowCounter(counts, reading)
    for path in _files(captures):
        with path.open("rb") as file:
            told = counter.count(file, path.relative_to(captures).as_posix())
        _log.info("%s: %s", path.name, told)
    counter.finish()
    if labels is not None and request.tells_of_labels:
        counts.malformed.merge(labels.refused)
    return counts


def _baseline(path: Path) -> Baseline:
    try:
        return Baseline.of_text(path.read_bytes())
    except OSError as error:
        raise JobError(f"{path} cannot be read ({error.strerror}); give the job its input `baseline`") from error


def _labels(folder: Path, request: Request) -> Labels | None:
    """Return labels, the latest file's last; None where the job was given none."""
    if not folder.is_dir():
        return None
    fresh, labels = request.fresh_labels, Labels()
    named = [(path.relative_to(folder).as_posix(), path) for path in _files(folder)]
    for name, path in sorted(named, key=lambda each: ((fresh or {}).get(each[0], 0.0), each[0])):
        with path.open("rb") as file:
            pieces = iter(lambda: file.read(_PIECE), b"")
            labels.read_file(lines_of(pieces), name, fresh=fresh is None or name in fresh)
    return labels


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def message_of(error: Exception, *, known: bool) -> str:
    """Return what SageMaker shows of an error; of one that nobody foresaw with its kind."""
    told = str(error) if known else "".join(traceback.format_exception_only(error)).strip()
    return told.encode()[:MESSAGE_BYTES].decode(errors="ignore")


def write_text(path: Path, text: str) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
