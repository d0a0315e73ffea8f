"""A run's input and output as lists of objects: what is left, what has changed, and how both are written down. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lambdas.inference.batch.state import Run
from lambdas.rollout.errors import PermanentError

_SHOWN = 3
SUFFIX = ".out"


@dataclass(frozen=True)
class Stored:
    """An object as S3 lists it."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class Input:
    """What a run answers: objects below a prefix of a bucket, as they were when it began."""

    bucket: str
    prefix: str
    objects: tuple[Stored, ...]

    @property
    def rows_in(self) -> tuple[Stored, ...]:
        """The objects that hold anything; the others have no rows, and get no output."""
        return tuple(each for each in self.objects if each.size)


def input_of(uri: str, found: Iterable[Stored]) -> Input:
    """Return the input below a URI; what consoles make for folders is none."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return Input(bucket, prefix, tuple(each for each in found if not each.key.endswith("/")))


def written(recorded: Input) -> bytes:
    """Return the document that says what a run answers."""
    return json.dumps(asdict(recorded)).encode()


def read(content: bytes) -> Input:
    """Read the document back."""
    try:
        data = json.loads(content)
        return Input(data["bucket"], data["prefix"], tuple(Stored(**each) for each in data["objects"]))
    except (KeyError, TypeError, ValueError) as error:
        raise PermanentError(f"the list of a run's input cannot be read: {type(error).__name__}: {error}") from error


def left(recorded: Input, outputs: Mapping[str, Stored], folder: str) -> list[Stored]:
    """Return the objects that have no output below `folder`."""
    return [each for each in recorded.rows_in if output_key(recorded, each, folder) not in outputs]


def output_key(recorded: Input, each: Stored, folder: str) -> str:
    """Return where Batch Transform puts the answer to an object."""
    return f"{folder}{each.key[len(recorded.prefix) :]}{SUFFIX}"


def changed(recorded: Input, present: Iterable[Stored]) -> str:
    """Return in words which objects are not what they were; empty when all are. What came later is not meant."""
    now = {each.key: each.etag for each in present}
    found = [
        f"s3://{recorded.bucket}/{each.key} {'is gone' if each.key not in now else 'has another content'}"
        for each in recorded.objects
        if now.get(each.key) != each.etag
    ]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def transform_manifest(recorded: Input, objects: Sequence[Stored]) -> bytes:
    """Return the manifest by which a job is told which objects to answer."""
    paths = [each.key[len(recorded.prefix) :] for each in objects]
    return json.dumps([{"prefix": f"s3://{recorded.bucket}/{recorded.prefix}"}, *paths]).encode()


def run_manifest(
    run: Run,
    endpoint: str,
    recorded: Input,
    outputs: Mapping[str, Stored],
    folder: str,
    served: Mapping[str, Any] | None = None,
) -> bytes:
    """Return what a run leaves for whoever reads its answers: what was answered, by what, and where that is.

    `served` is what became of answers that can be asked for by key; None where they cannot be.
    """
    model = run.model
    objects = []
    for each in recorded.objects:
        output = outputs.get(output_key(recorded, each, folder))
        objects.append(
            {
                "input": each.key,
                "etag": each.etag,
                "bytes": each.size,
                "output": output and output.key,
                "output_bytes": output.size if output else 0,
            }
        )
    document = {
        "endpoint": endpoint,
        "run": run.id,
        "model": model and model.shown,
        "input": run.wish.input,
        "content_type": run.wish.content_type,
        "jobs": run.attempt,
        "bytes": run.bytes,
        "rows": served and served["rows"],
        "objects": objects,
        "served": served,
    }
    return json.dumps(document, indent=1).encode()
