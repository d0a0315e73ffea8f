"""Shows a deployment as it goes: a moving line on a terminal, a line now and then without one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.text import Text

QUIET_SECONDS = 5.0
STACK_TYPE = "AWS::CloudFormation::Stack"


class DeployDisplay:
    """Shows progress messages; a context.

    Parameters
    ----------
    console
        Where to.
    what
        What is being done (``deploying``).
    now
        Steady clock, in seconds.
    """

    def __init__(self, console: Console, what: str, now: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._what = what
        self._now = now
        self._started = self._said = now()
        self._status = Status(what, console=console)
        self._finished: Counter[str] = Counter()

    def __enter__(self) -> DeployDisplay:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._status.stop()
        if kind is None:
            resources, seconds = sum(self._finished.values()), self._now() - self._started
            stacks = ", ".join(self._finished) or "nothing to do"
            self._console.print(f"{self._what}: {resources} resources in {seconds:.1f} s ({stacks})")

    def show(self, message: Mapping[str, Any]) -> None:
        """Take one progress message: a resource (or stack) and what happened to it."""
        status, resource = message["status"], message["logical_id"]
        if status.endswith("_COMPLETE") and message["type"] != STACK_TYPE:
            self._finished[message["stack"]] += 1
        line = f"{message['stack']}: {resource} {status.lower().replace('_', ' ')}"
        if status.endswith("_FAILED"):
            self._console.print(Text(f"{line}: {message['reason']}", style="red"), soft_wrap=True)
        self._status.update(Text(f"{self._what} {line}"))
        if not self._console.is_terminal and self._now() - self._said >= QUIET_SECONDS:
            self._said = self._now()
            self._console.print(Text(f"{self._what} {line}"), soft_wrap=True)
