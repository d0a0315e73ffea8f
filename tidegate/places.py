"""Where environments live: those that are declared here, and which of them are for this machine, never for AWS."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "environments"
LOCAL = "local"
LOCAL_ACCOUNT = "123456789012"
"""The local cloud's account. AWS gives it to nobody: its documentation uses it in examples."""

_ACCOUNT = re.compile(r"""^account:\s*["']?(\d+)["']?\s*(?:#.*)?$""", re.MULTILINE)


def declared(folder: Path = FOLDER) -> list[str]:
    """Return the environments that the checkout declares; none where there is only the installed package."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def is_local(environment: str, folder: Path = FOLDER) -> bool:
    """Return whether an environment is deployed in the local cloud: `local` always, others by their file's account."""
    return environment == LOCAL or (environment in declared(folder) and account(environment, folder) == LOCAL_ACCOUNT)


def local_environments(folder: Path = FOLDER) -> list[str]:
    """Return the environments that are for the local cloud."""
    return sorted({LOCAL, *(name for name in declared(folder) if is_local(name, folder))})


def account(environment: str, folder: Path = FOLDER) -> str:
    """Return the account that a declared environment's file names; empty where the caller's account is taken."""
    found = _ACCOUNT.search((folder / f"{environment}.yaml").read_text(encoding="utf-8"))
    return found[1] if found else ""
