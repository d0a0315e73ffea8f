"""Which environments this checkout knows, to tell a typo from an environment that is not deployed."""

from __future__ import annotations

import difflib
from pathlib import Path

from tidegate.errors import OperatorError, UsageError
from tidegate.places import FOLDER, declared, is_local
from tidegate.target import up_command


def nothing_deployed(environment: str, looked_for: str, folder: Path = FOLDER) -> OperatorError:
    """Return what to tell the person who named an environment in which nothing is deployed."""
    names = declared(folder)
    if names and environment not in names:
        return UsageError(f"there is no environment {environment!r}", typo_hint(environment, folder))
    return OperatorError(
        f"environment {environment!r} has no deployed endpoint: nothing under {looked_for} in Parameter Store",
        _how_to_deploy(environment, folder) if names else "is the name right, and is this its account and region?",
    )


def typo_hint(environment: str, folder: Path = FOLDER) -> str:
    """Return which environments there are; empty when the name is among them, or none are known."""
    names = declared(folder)
    if not names or environment in names:
        return ""
    close = difflib.get_close_matches(environment, names, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    return f"{meant}environments/ has: {', '.join(names)}"


def _how_to_deploy(environment: str, folder: Path) -> str:
    if is_local(environment, folder):
        return f"start it with: {up_command(environment)}"
    return f"is this its account and region? deploy it with: npx cdk deploy -c env={environment} '**'"
