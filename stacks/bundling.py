"""What assets are made from, put together without Docker in build/, the same from the same input.

The Lambda asset is one folder: `lambdas/` under its own import path beside its dependencies, which pip unpacks (no code
of theirs runs). Only wheels of pure Python are taken, so that the folder runs on Lambda's Python and on this machine's.
"""

import gzip
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

RUNTIME_VERSION = "3.14"
"""Python of the Lambda runtime."""

AWS_SERVICES = (
    "appconfig",
    "appconfigdata",
    "application-autoscaling",
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "events",
    "kinesis",
    "kms",
    "lambda",
    "s3",
    "sagemaker",
    "sagemaker-runtime",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
)
"""Services that the functions call; botocore's models of all others are left out, which are most of its size."""

MODEL_ARCHIVE = "model.tar.gz"
BASELINE = "baseline.json"
"""What a model was trained on, beside the model and no part of it."""

SIGNATURE = "signature.json"
"""What a model takes and gives, one of its files."""

_FORMAT = "1"
"""Part of every digest: raise it when what is built from the same input changes."""

_IN_EVERY_JOB = ("lambdas/__init__.py", "lambdas/contract.py", "model_containers/__init__.py")
_COUNTING = "lambdas/monitoring"
_ONLY_ON_LAMBDA = ("adapters", "handlers")
_NOT_IN_JOBS = ("__pycache__", "data")
"""Folders of a container that its image does without: the data are what the repository's own models are built from."""

_INSTALL_NOISE = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


class BundlingError(RuntimeError):
    """The Lambda asset could not be built."""


def bundle_functions(root: Path, install: Callable[[Path, Path], None] | None = None) -> Path:
    """Return the folder of the Lambda asset, built if its input has changed.

    Parameters
    ----------
    root
        The repository's folder.
    install
        Puts the packages of a requirements file into a folder; pip when None.
    """
    requirements = root / "lambdas" / "requirements.txt"
    sources = sorted((root / "lambdas").rglob("*.py"))
    digest = _digest([requirements, *sources], root)
    packages = _packages(root, requirements, install or _pip_install)
    return _once(root / "build" / "lambda" / digest, lambda folder: _assemble(folder, packages, sources, root))


def archive_model(folder: Path, build: Path) -> Path:
    """Return the tar.gz of a model, in a folder of `build` named for the model's content.

    That is the folder's own ``model.tar.gz`` where it has one, else its files packed, byte for byte the same for the
    same files.
    """
    if not folder.is_dir():
        raise BundlingError(f"there is no model in {folder}; name a folder with the model's files as bootstrap.folder")
    ready = folder / MODEL_ARCHIVE
    files = [ready] if ready.is_file() else _model_files(folder)
    target = build / "bootstrap" / _digest(files, folder)
    return _once(target, lambda new: _write_archive(new / MODEL_ARCHIVE, files, folder)) / MODEL_ARCHIVE


def unpack_signature(archive: Path, build: Path) -> Path | None:
    """Return a model's statement of what it takes, out of its tar.gz; None when it has none.

    Parameters
    ----------
    archive
        As `archive_model` returns it.
    build
        Folder that it is put below.
    """
    with tarfile.open(archive) as files:
        found = next((each for each in files.getnames() if each.removeprefix("./") == SIGNATURE), None)
        content = files.extractfile(found) if found is not None else None
        if content is None:
            return None
        text = content.read()
    folder = build / "signatures" / hashlib.sha256(text).hexdigest()[:32]
    return _once(folder, lambda new: _write(new / SIGNATURE, text)) / SIGNATURE


def gather_job(container: str, root: Path) -> Path:
    """Return the build context of a job's image, gathered if its content has changed.

    It is laid out as the repository is and holds what the image needs: the container's folder and what is counted by
    the same code on Lambda. So no other file of the repository makes another image.

    Parameters
    ----------
    container
        Folder below model_containers/.
    root
        The repository's folder.

    Raises
    ------
    BundlingError
        When the container has no Dockerfile.
    """
    folder = root / "model_containers" / container
    if not (folder / "Dockerfile").is_file():
        raise BundlingError(f"there is no {folder / 'Dockerfile'}, and jobs run in its image")
    files = [*(root / name for name in _IN_EVERY_JOB), *_counting(root), *_container_files(folder)]
    target = root / "build" / "jobs" / f"{container}-{_digest(files, root)}"
    return _once(target, lambda new: _copy(files, root, new))


def _counting(root: Path) -> Iterator[Path]:
    for path in sorted((root / _COUNTING).rglob("*.py")):
        if not set(path.relative_to(root / _COUNTING).parts) & set(_ONLY_ON_LAMBDA):
            yield path


def _container_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_file() and not set(inner.parts) & set(_NOT_IN_JOBS) and not inner.match("pipeline*.json"):
            yield path


def _model_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / BASELINE)


def _packages(root: Path, requirements: Path, install: Callable[[Path, Path], None]) -> Path:
    def unpack(folder: Path) -> None:
        install(requirements, folder)
        _prune(folder)

    return _once(root / "build" / "lambda" / f"packages-{_digest([requirements], root)}", unpack)


def _assemble(folder: Path, packages: Path, sources: Iterable[Path], root: Path) -> None:
    shutil.copytree(packages, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    _copy(sources, root, folder)


def _copy(files: Iterable[Path], root: Path, folder: Path) -> None:
    for file in files:
        target = folder / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _digest(files: Iterable[Path], base: Path) -> str:
    digest = hashlib.sha256(repr((_FORMAT, RUNTIME_VERSION, AWS_SERVICES)).encode())
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(base).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()[:20]


def _once(target: Path, build: Callable[[Path], None]) -> Path:
    """Build `target` unless it exists; it appears whole or not at all, also when two builds race."""
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as scratch:
        folder = Path(scratch) / "content"
        folder.mkdir()
        build(folder)
        try:
            folder.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    return target


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _pip_install(requirements: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(folder), "--require-hashes", "--no-deps", "-r", str(requirements)]
    command += ["--only-binary=:all:", "--platform", "any", "--python-version", RUNTIME_VERSION]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BundlingError(
            f"pip could not install {requirements}:\n{done.stderr.strip()}\n"
            "It needs a package index (see `pip config list`) and wheels of pure Python."
        )


def _prune(folder: Path) -> None:
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    for metadata in folder.glob("*.dist-info"):
        for name in _INSTALL_NOISE:
            (metadata / name).unlink(missing_ok=True)
    data = folder / "botocore" / "data"
    for entry in data.iterdir() if data.is_dir() else ():
        if entry.is_dir() and entry.name not in AWS_SERVICES:
            shutil.rmtree(entry)


def _write_archive(path: Path, files: list[Path], base: Path) -> None:
    """Neither gzip's header nor any member carries a time, an owner or a mode of the machine."""
    if files == [base / MODEL_ARCHIVE]:
        shutil.copyfile(base / MODEL_ARCHIVE, path)
        return
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for file in files:
            member = tarfile.TarInfo(file.relative_to(base).as_posix())
            member.size, member.mode = file.stat().st_size, 0o644
            with file.open("rb") as content:
                archive.addfile(member, content)
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
