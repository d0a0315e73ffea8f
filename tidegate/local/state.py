"""The folder `.tidegate`: what is known of the local cloud that runs for this folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(".tidegate")


@dataclass(frozen=True)
class Running:
    """A local cloud that runs.

    Parameters
    ----------
    pid
        Its process.
    started_at
        Epoch seconds.
    environment
        Variables that make boto3, the AWS CLI and the SDKs talk to it.
    control_url
        Where it takes orders.
    token
        What an order must carry, so that no web page can give one.
    """

    pid: int
    started_at: float
    environment: Mapping[str, str]
    control_url: str
    token: str


class StateFolder:
    """The folder and its files.

    Parameters
    ----------
    path
        The folder; `.tidegate` of the current directory unless said otherwise.
    """

    def __init__(self, path: Path = FOLDER) -> None:
        self.path = path.resolve()

    @property
    def log(self) -> Path:
        """Log of the local cloud's process."""
        return self.path / "localcloud.log"

    @property
    def work(self) -> Path:
        """Where the local cloud keeps its files while it runs."""
        return self.path / "work"

    @property
    def lock(self) -> Path:
        """File that a running local cloud holds locked."""
        return self.path / "lock"

    @property
    def _state(self) -> Path:
        return self.path / "local.json"

    def make(self) -> None:
        """Make the folder."""
        self.path.mkdir(parents=True, exist_ok=True)

    def clear_work(self) -> None:
        """Empty the working files of what an earlier run left."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()

    def write(self, running: Running) -> None:
        """Note a local cloud that is ready."""
        text = json.dumps(asdict(running), indent=2)
        fresh = self._state.with_suffix(".new")
        # It holds the token that orders must carry.
        fresh.touch(mode=0o600)
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(self._state)

    def forget(self) -> None:
        """Note that none runs."""
        self._state.unlink(missing_ok=True)

    def running(self) -> Running | None:
        """Return the local cloud that runs; a note that a dead one left counts for nothing."""
        noted = self._read()
        if noted is None or not process_alive(noted.pid):
            return None
        return noted

    def _read(self) -> Running | None:
        try:
            data: dict[str, Any] = json.loads(self._state.read_text(encoding="utf-8"))
            return Running(**data)
        except (OSError, ValueError, TypeError):
            return None


def process_alive(pid: int) -> bool:
    """Return whether a process of that id runs and is the local cloud's, as far as this system can tell."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    return _is_ours(pid)


def _is_ours(pid: int) -> bool:
    # Ids are used again: after a restart of the machine this one may be anybody's.
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    return b"tidegate.local.daemon" in command
