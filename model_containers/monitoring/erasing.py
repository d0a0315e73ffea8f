"""A SageMaker Processing job that takes a subject's rows out of what was written down of predictions.

Below ``<root>/processing/input`` it finds ``request/request.json`` (``{"schema": 1, "subject": ...}``) and the folder
``audit`` with Parquet files. Each file that has such rows it writes without them, under the same name, below
``<root>/processing/output/erased``: uploaded to where it came from, it takes the place of the other. A file of which
no row is left is written as well, without rows. What was done is in ``<root>/processing/output/report/report.json``,
and what went wrong in ``<root>/output/message``.

Whom the rows are about is in a file, and no argument of the job: jobs and their arguments are never deleted.
"""

import json
import logging
import os
from dataclasses import asdict, dataclass, field
from hashlib import file_digest
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from .errors import JobError
from .job import DEFAULT_ROOT, ROOT_VARIABLE, message_of, write_text

SCHEMA = 1
SUBJECT = "subject"
_PARQUET = b"PAR1"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Changed:
    """A file that was written anew: how many rows it lost and has left, and what SHA-256 it has now."""

    name: str
    erased: int
    left: int
    sha256: str


@dataclass
class Report:
    """What was done. Mutable: it grows with each file.

    Parameters
    ----------
    files, rows
        How many were looked at.
    changed
        Files that were written anew.
    unreadable
        Names of files that are no Parquet, of which nobody can say whom they are about.
    """

    files: int = 0
    rows: int = 0
    changed: list[Changed] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps({"schema": SCHEMA, **asdict(self)})


def run(root: Path | None = None) -> int:
    """Run the job; return the exit status."""
    root = root or Path(os.environ.get(ROOT_VARIABLE, DEFAULT_ROOT))
    outputs = root / "processing" / "output"
    try:
        report = erase(root / "processing" / "input", outputs / "erased")
        write_text(outputs / "report" / "report.json", report.text())
    except Exception as error:  # whatever it was, the message says so
        known = isinstance(error, (JobError, OSError))
        _log.exception("the job failed", exc_info=None if known else error)
        write_text(root / "output" / "message", message_of(error, known=known))
        return 1
    _log.info("%d files with %d rows looked at; %d written anew", report.files, report.rows, len(report.changed))
    return 0


def erase(inputs: Path, erased: Path) -> Report:
    """Write the files that name the subject without its rows.

    Raises
    ------
    JobError
        When an input is missing, or a file that was written is not what it should be.
    """
    subject = _subject(inputs / "request" / "request.json")
    audit = inputs / "audit"
    if not audit.is_dir():
        raise JobError(f"{audit} is no folder; give the job its input `audit`")
    erased.mkdir(parents=True, exist_ok=True)
    report = Report()
    for path in sorted(each for each in audit.rglob("*") if each.is_file()):
        _take(path, path.relative_to(audit), erased, subject, report)
    return report


def _subject(path: Path) -> str:
    try:
        request = json.loads(path.read_bytes())
        subject = request["subject"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise JobError(f'{path} is not {{"schema": {SCHEMA}, "subject": ...}}; give the job its input') from error
    if request.get("schema") != SCHEMA or not isinstance(subject, str) or not subject:
        raise JobError(f"{path} has another schema than {SCHEMA}, or no subject; use the image of the same version")
    return subject


def _take(path: Path, name: Path, erased: Path, subject: str, report: Report) -> None:
    report.files += 1
    try:
        with path.open("rb") as file:
            if file.read(len(_PARQUET)) != _PARQUET:
                raise PolarsError("it is no Parquet")
        rows, about = _counted(path, subject)
    except PolarsError as error:
        _log.warning("%s cannot be read: %s", name, error)
        report.unreadable.append(name.as_posix())
        return
    report.rows += rows
    if about:
        report.changed.append(_write(path, name, erased, subject, rows - about))
        _log.info("%s: %d of %d rows erased", name, about, rows)


def _counted(path: Path, subject: str) -> tuple[int, int]:
    """Return how many rows a file has, and how many are about the subject; no other column is read."""
    scan = pl.scan_parquet(path, hive_partitioning=False)
    if SUBJECT not in scan.collect_schema():
        return scan.select(pl.len()).collect().item(), 0
    about = (pl.col(SUBJECT) == subject).fill_null(False).sum()
    counted = scan.select(pl.len().alias("rows"), about.alias("about")).collect()
    return int(counted["rows"].item()), int(counted["about"].item())


def _write(path: Path, name: Path, erased: Path, subject: str, left: int) -> Changed:
    target = erased / name
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = pl.read_parquet(path, hive_partitioning=False)
    # Rows about nobody are kept: of null, an equality says neither yes nor no.
    rows.filter(pl.col(SUBJECT).ne_missing(pl.lit(subject))).write_parquet(target, compression="snappy")
    if _counted(target, subject) != (left, 0):
        raise JobError(f"{name} is not what it should be without the subject's rows; nothing was replaced")
    with target.open("rb") as file:
        return Changed(name.as_posix(), rows.height - left, left, file_digest(file, "sha256").hexdigest())
