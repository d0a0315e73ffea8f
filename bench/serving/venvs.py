"""Each peer's own virtual environment, made on demand from its lock: ``build/bench/peers/<name>``."""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError
from stacks.config import ROOT

PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = ROOT / "build" / "bench" / "peers"
PATIENCE_SECONDS = 600
_STAMP = ".lock-digest"
_LAST_LINES = 4


class InstallError(BenchError):
    """A peer could not be installed."""


def python(name: str, locks: Path = PEERS, from_source: Sequence[str] = ()) -> Path:
    """Return the interpreter of a peer's environment, after making it where it is missing or the lock has changed.

    Parameters
    ----------
    name
        Of the peer and its lock.
    locks
        Folder of the lock.
    from_source
        Packages that have no wheels, and may be built.

    Raises
    ------
    InstallError
        With the installer's last words.
    """
    folder, lock = ENVIRONMENTS / name, locks / f"{name}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = folder / _STAMP
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest:
        uv = str(Path(sys.executable).with_name("uv"))
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        interpreter = str(folder / "bin" / "python")
        install = [uv, "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
        built = [word for package in from_source for word in ("--no-binary", package)]
        _run([*install, *built, "--python", interpreter, "--requirement", str(lock)])
        stamp.write_text(digest, encoding="utf-8")
    return folder / "bin" / "python"


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"does not install: {error}") from error
    if done.returncode:
        said = " ".join(done.stderr.split("\n")[-_LAST_LINES:]).strip()
        raise InstallError(f"does not install: {said or f'status {done.returncode}'}")
