"""The control routes: health, status, declared limits, and answers of custom resources' functions."""

import json
from collections.abc import Callable
from typing import Any

from localcloud.front.calls import Environ
from localcloud.front.protocols import Answer
from localcloud.services.callbacks import PATH as CALLBACK_PATH
from localcloud.services.callbacks import Callbacks

CONTROL_PATH = "/_localcloud/"
Report = Callable[[], Any]


class Control:
    """Answers what lies under ``/_localcloud/``; nothing there changes anything but a waiting callback.

    Parameters
    ----------
    callbacks
        URLs that functions answer to.
    reports
        What GET shows, by the last part of the path.
    """

    def __init__(self, callbacks: Callbacks, reports: dict[str, Report]) -> None:
        self._callbacks = callbacks
        self._reports = reports

    def answer(self, environ: Environ, body: bytes) -> Answer:
        """Answer a request."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path.startswith(CALLBACK_PATH):
            return self._take_callback(method, path.removeprefix(CALLBACK_PATH), body)
        report = self._reports.get(path.removeprefix(CONTROL_PATH))
        if report is None or method != "GET":
            return _json({"error": f"no such route; there are {sorted(self._reports)}"}, 404)
        return _json(report())

    def _take_callback(self, method: str, token: str, body: bytes) -> Answer:
        if method != "PUT":
            return _json({"error": "only PUT"}, 405)
        taken = self._callbacks.deliver(token, body)
        return _json({}) if taken else _json({"error": "nobody waits for this"}, 404)


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value, default=str).encode(), {"Content-Type": "application/json"})
