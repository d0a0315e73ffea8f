"""Orders to the local cloud's process: deploy, destroy, describe, fault, stop. Answers come as lines of JSON."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from tidegate.errors import OperatorError
from tidegate.local.state import Running

TOKEN_HEADER = "X-Tidegate-Token"
DESCRIBE_SECONDS = 15.0
DEPLOY_SECONDS = 900.0

ShowProgress = Callable[[dict[str, Any]], None]


class Control:
    """Gives orders to a running local cloud.

    Parameters
    ----------
    running
        The local cloud.
    """

    def __init__(self, running: Running) -> None:
        self._running = running

    def describe(self) -> dict[str, Any]:
        """Return its stacks, its durations, and what else differs from AWS."""
        return self._last("describe", {}, DESCRIBE_SECONDS, lambda _: None)

    def deploy(self, assembly: str, progress: ShowProgress) -> dict[str, Any]:
        """Deploy a cloud assembly; `progress` is given each resource as it changes."""
        return self._last("deploy", {"assembly": assembly}, DEPLOY_SECONDS, progress)

    def destroy(self, progress: ShowProgress) -> dict[str, Any]:
        """Delete everything that was deployed."""
        return self._last("destroy", {}, DEPLOY_SECONDS, progress)

    def fail_answers(self, endpoint: str, variant: str, times: int, reason: str) -> None:
        """Let the next requests that a variant gets by its weight be answered 500 with `reason`; see `Faults`."""
        body = {"endpoint": endpoint, "variant": variant, "times": times, "reason": reason}
        self._last("fault", body, DESCRIBE_SECONDS, lambda _: None)

    def stop(self) -> None:
        """Ask the process to end."""
        self._last("stop", {}, DESCRIBE_SECONDS, lambda _: None)

    def _last(self, order: str, body: dict[str, Any], timeout: float, progress: ShowProgress) -> dict[str, Any]:
        for message in self._messages(order, body, timeout):
            if message["kind"] == "failed":
                raise OperatorError(message["text"], "see: python -m tidegate local logs")
            if message["kind"] == "done":
                result: dict[str, Any] = message["result"]
                return result
            progress(message)
        raise OperatorError(f"the local cloud ended while it was to {order}", "see: python -m tidegate local logs")

    def _messages(self, order: str, body: dict[str, Any], timeout: float) -> Iterator[dict[str, Any]]:
        request = urllib.request.Request(
            f"{self._running.control_url}/{order}",
            data=json.dumps(body).encode(),
            headers={TOKEN_HEADER: self._running.token, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                for line in answer:
                    yield json.loads(line)
        except (urllib.error.URLError, OSError) as error:
            raise OperatorError(
                f"the local cloud (process {self._running.pid}) does not answer: {error}",
                "see: python -m tidegate local logs; stop it with: python -m tidegate local down --force",
            ) from error
