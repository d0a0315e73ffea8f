"""The files of a trained version, and their archive as SageMaker takes it: the same bytes for the same content."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .dataset import Days
from .signature import signature
from .versions import Trained

MODEL = "model.onnx"
SIGNATURE = "signature.json"
CARD = "model_card.json"
BASELINE = "baseline.json"
ARCHIVE = "model.tar.gz"


def files(trained: Trained, days: Days) -> dict[str, bytes]:
    """Return the files of a trained version by name; `days` is the whole data set."""
    content = {
        MODEL: trained.model.SerializeToString(deterministic=True),
        SIGNATURE: as_json(signature(days)),
        CARD: as_json(trained.card),
    }
    return content if trained.baseline is None else content | {BASELINE: (trained.baseline.text() + "\n").encode()}


def as_json(content: Mapping[str, Any]) -> bytes:
    """Return JSON as it is written to files: readable, and ending in a line break."""
    return (json.dumps(content, indent=2) + "\n").encode()


def archive(content: Mapping[str, bytes]) -> bytes:
    """Return a tar.gz of files: sorted, and without times or owners."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(content):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content[name]), 0o644
            tar.addfile(entry, io.BytesIO(content[name]))
    return gzip.compress(buffer.getvalue(), compresslevel=9, mtime=0)


def write(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write files into a folder, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in content.items():
        partial = folder / f".{name}.partial"
        partial.write_bytes(body)
        partial.replace(folder / name)
