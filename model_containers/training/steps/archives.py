"""Reads a model out of its archive, which is not trusted: two files by name, and never more than they may hold."""

import hashlib
import json
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .job import StepError

MODEL, SIGNATURE = "model.onnx", "signature.json"
MOST_BYTES = 2 * 1024**3
"""Of each file; an ONNX file cannot be larger."""


@dataclass(frozen=True)
class Packed:
    """A model as it is registered: the ONNX file's bytes, its signature, and the digest of the archive they lay in.

    A model that no archive holds yet has no digest.
    """

    onnx: bytes
    signature: dict[str, Any]
    archive_sha256: str | None = None

    @property
    def columns(self) -> list[str]:
        """Names of the input columns, in order."""
        return [column["name"] for column in self.signature["columns"]]

    def tensor_of(self, output: str) -> str:
        """Return the ONNX output behind an output's name.

        Raises
        ------
        StepError
            If there is no such output.
        """
        tensors = {each["name"]: each["tensor"] for each in self.signature["outputs"]}
        if output not in tensors:
            raise StepError(
                f"the model has no output {output!r}, only {sorted(tensors)}; name its outputs in the endpoint's "
                "monitoring settings and in the baseline as signature.json does"
            )
        return str(tensors[output])


def read(folder: Path) -> Packed:
    """Read the one ``*.tar.gz`` of a folder.

    Raises
    ------
    StepError
        If there is not exactly one, it is damaged, or it lacks what a model needs.
    """
    found = sorted(folder.glob("*.tar.gz"))
    if len(found) != 1:
        raise StepError(f"{folder} holds {len(found)} archives (*.tar.gz); it must be exactly one model's")
    try:
        digest, files = _files(found[0])
        signature = json.loads(files[SIGNATURE])
        packed = Packed(files[MODEL], signature, digest)
        if not packed.columns or not signature["outputs"]:
            raise KeyError("columns")
    except KeyError as error:
        raise StepError(
            f"{found[0].name} has no {error}; a model that is retrained needs {MODEL} and a {SIGNATURE} with columns"
        ) from error
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, TypeError) as error:
        raise StepError(f"{found[0].name} cannot be read: {error}; register the model again") from error
    return packed


def _files(archive: Path) -> tuple[str, dict[str, bytes]]:
    """Return an archive's digest and the files that are wanted of it, both of the same open file."""
    wanted: dict[str, bytes] = {}
    with archive.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        opened.seek(0)
        _unpack(archive.name, opened, wanted)
    return digest, wanted


def _unpack(archive: str, opened: BinaryIO, wanted: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=opened, mode="r|gz") as members:
        for member in members:
            name = member.name.removeprefix("./")
            if name not in (MODEL, SIGNATURE):
                continue
            if not member.isreg() or member.size > MOST_BYTES:
                raise StepError(f"{archive}: {name} is no plain file of at most {MOST_BYTES} bytes; pack it again")
            content = members.extractfile(member)
            wanted[name] = content.read() if content else b""
