"""Labels: what really happened, told afterwards, so that accuracy can be measured and a model retrained.

They lie in S3 as Model Monitor's ground truth does: JSON lines that name the request by its inference id.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lambdas import contract
from tidegate.aws import Aws
from tidegate.errors import UsageError
from tidegate.settings import EndpointSettings

LINES_A_FILE = 50_000
LONGEST_ID = 64
"""SageMaker takes no longer InferenceId."""
LONGEST_LABEL = 256
ID_COLUMN, LABEL_COLUMN = "inference_id", "label"
_FORMS = 'CSV with the columns inference_id,label, or JSON lines {"inference_id": "...", "label": ...}'


@dataclass(frozen=True)
class Label:
    """What the answer to a request should have been.

    Parameters
    ----------
    inference_id
        The ``InferenceId`` that the caller gave with the request (or the capture's event id).
    label
        The truth, as text: ``1``, ``0``, ``sunny``.
    """

    inference_id: str
    label: str


def put(aws: Aws, endpoint: EndpointSettings, labels: Sequence[Label], at: datetime) -> list[str]:
    """Store labels; return the URIs of the files written.

    A file's name begins with the time, for of two labels of a request the one that was told later counts, and jobs that
    read the files have only their names to go by. Then comes a digest of what it holds; the same labels put twice count
    once.

    Parameters
    ----------
    aws, endpoint
        Where.
    labels
        At least one.
    at
        Now, in UTC.
    """
    folder = f"{contract.LABELS_PREFIX}/{endpoint.name}/{at:%Y/%m/%d/%H}"
    uris = []
    for part in batched_labels(labels):
        body = "".join(_line(label) for label in part).encode()
        key = f"{folder}/{at:%M%S}-{hashlib.sha256(body).hexdigest()[:32]}.jsonl"
        aws.s3.put_object(Bucket=endpoint.artefact_bucket, Key=key, Body=body, ContentType="application/jsonlines")
        uris.append(f"s3://{endpoint.artefact_bucket}/{key}")
    return uris


def read(text: str, name: str) -> list[Label]:
    """Return the labels that a file holds: CSV with a header, or JSON lines.

    Raises
    ------
    UsageError
        When a line cannot be read or two lines contradict each other; it names the line.
    """
    start = text.lstrip()[:1]
    if start == "[":
        raise UsageError(f"{name} is a JSON array", f"write each of its objects on a line of its own: {_FORMS}")
    rows = _from_json(text, name) if start == "{" else _from_csv(text, name)
    known: dict[str, tuple[int, Label]] = {}
    for number, label in rows:
        _check(label, name, number)
        first, other = known.setdefault(label.inference_id, (number, label))
        if other.label != label.label:
            raise UsageError(
                f"{name}: lines {first} and {number} label {label.inference_id!r} {other.label!r} and {label.label!r}",
                "a request has one label: remove the wrong line",
            )
    if not known:
        raise UsageError(f"{name} holds no labels", f"it should be {_FORMS}")
    return [label for _, label in known.values()]


def batched_labels(labels: Iterable[Label]) -> Iterator[Sequence[Label]]:
    """Yield labels in parts that each make one file."""
    waiting = iter(labels)
    while part := [label for _, label in zip(range(LINES_A_FILE), waiting, strict=False)]:
        yield part


def _line(label: Label) -> str:
    record = {
        "groundTruthData": {"data": label.label, "encoding": "CSV"},
        "eventMetadata": {"eventId": label.inference_id},
        "eventVersion": "0",
    }
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"


def _from_csv(text: str, name: str) -> Iterator[tuple[int, Label]]:
    reader = csv.DictReader(io.StringIO(text))
    header = reader.fieldnames or []
    missing = [column for column in (ID_COLUMN, LABEL_COLUMN) if column not in header]
    if missing:
        raise UsageError(
            f"{name} has no column {' and no column '.join(missing)}; its first line is {','.join(header)[:80]!r}",
            f"it should be {_FORMS}",
        )
    for row in reader:
        yield reader.line_num, Label((row[ID_COLUMN] or "").strip(), (row[LABEL_COLUMN] or "").strip())


def _from_json(text: str, name: str) -> Iterator[tuple[int, Label]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, _from_json_line(line, name, number)


def _from_json_line(line: str, name: str, number: int) -> Label:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"{name}, line {number} is not JSON", line) from error
    if not isinstance(record, dict):
        raise _unreadable(f"{name}, line {number} is not a JSON object", line)
    missing = [field for field in (ID_COLUMN, LABEL_COLUMN) if field not in record]
    if missing:
        raise _unreadable(f"{name}, line {number} has no {' and no '.join(missing)}", line)
    for field in (ID_COLUMN, LABEL_COLUMN):
        if isinstance(record[field], bool) or not isinstance(record[field], str | int | float):
            raise _unreadable(f"{name}, line {number}: the {field} is neither text nor a number", line)
    return Label(str(record[ID_COLUMN]), str(record[LABEL_COLUMN]))


def _unreadable(what: str, line: str) -> UsageError:
    return UsageError(f"{what}: {line[:80]!r}", f"it should be {_FORMS}")


def _check(label: Label, name: str, number: int) -> None:
    where = f"{name}, line {number}"
    _check_length(f"{where}: the inference id", label.inference_id, LONGEST_ID, "as SageMaker's InferenceId")
    _check_length(f"{where}: the label", label.label, LONGEST_LABEL, "leave requests without a label out")


def _check_length(what: str, text: str, longest: int, hint: str) -> None:
    if not 0 < len(text) <= longest:
        raise UsageError(
            f"{what} {text[:80]!r} has {len(text)} characters", f"it must have 1 to {longest} characters: {hint}"
        )
