"""An answer of a batch, from who asks for which key to what is kept under it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

from lambdas.contract import TABLE_EXPIRY
from lambdas.inference.audit import Prediction, line
from lambdas.inference.batch import keyed
from lambdas.inference.flags import Switches, switched_off
from lambdas.inference.identity import Caller
from lambdas.inference.ports import Ports
from lambdas.inference.problems import Problem
from lambdas.inference.settings import FrontDoor
from lambdas.rollout.errors import TidegateError

SOURCE = "batch"
_OK, _CRASHED = 200, 500
_LONGEST_SENT = 3 * keyed.LONGEST_KEY
"""A character of ASCII has at most three in an address."""


@dataclass(frozen=True)
class KeyedCall:
    """A request for the answer under a key.

    Parameters
    ----------
    id
        By which the caller and the audit know it.
    caller, on_behalf_of
        Who asks, and in whose name, where they say.
    sent
        The key as it stands in the address.
    """

    id: str
    caller: Caller
    on_behalf_of: str | None
    sent: str


@dataclass(frozen=True)
class KeyedAnswer:
    """What a batch has answered.

    Parameters
    ----------
    body
        ``{"prediction": ...}`` as JSON.
    version, model
        The version that answered, and what tells its model from any other.
    at
        When the batch was decided on, in epoch seconds.
    """

    body: str
    version: str
    model: str
    at: float

    @property
    def time(self) -> str:
        """The time as HTTP's headers have it (RFC 9110, 5.6.7)."""
        return formatdate(self.at, usegmt=True)


def key_of(sent: str) -> str:
    """Return the key that stands in an address.

    API Gateway's REST APIs hand path parameters over as they were sent, percent-encoded; a stroke within a key comes as
    ``%2F`` and parts nothing. (https://github.com/middleapi/standard-server/pull/93 has captures of it.)

    Raises
    ------
    Problem
        When there can be no answer under it.
    """
    key = unquote(sent) if len(sent) <= _LONGEST_SENT else ""
    if not keyed.usable(key):
        raise Problem("invalid-request", f"no row has such a key; send {keyed.WANTED}, percent-encoded")
    return key


class KeyedAnswers:
    """Answers requests for what batches have answered.

    Parameters
    ----------
    settings
        How the endpoint's front door behaves.
    ports
        Everything outside.
    """

    def __init__(self, settings: FrontDoor, ports: Ports) -> None:
        self._settings = settings
        self._ports = ports

    def find(self, call: KeyedCall) -> KeyedAnswer:
        """Return the answer.

        Raises
        ------
        Problem
            When there is none.
        """
        at, began = self._ports.now(), self._ports.clock()
        found: KeyedAnswer | None = None
        key, status = "", _CRASHED
        try:
            key = key_of(call.sent)
            self._check_open(self._ports.flags.latest())
            self._check_may(call.caller)
            found = self._found(key)
            status = _OK
        except Problem as problem:
            status = problem.status
            raise
        finally:
            self._audit(call, key, found, status, at, began)
        return found

    def _check_open(self, switches: Switches) -> None:
        if not switches.front_door:
            raise switched_off(f"the front door of {self._settings.endpoint} has")

    def _check_may(self, caller: Caller) -> None:
        batch = self._settings.batch
        if batch is None or caller.client not in batch.readers:
            detail = f"{caller.client} may not ask for answers by key; have it added to batch.serve.clients"
            raise Problem("forbidden", detail)

    def _found(self, key: str) -> KeyedAnswer:
        try:
            item = self._ports.table.get(keyed.partition(self._settings.endpoint, key), keyed.SORT_KEY)
        except TidegateError as error:
            self._ports.log.warning(f"an answer could not be looked up: {error}")
            detail = "the table of answers cannot be read just now; try again later"
            raise Problem("unavailable", detail, headers={"Retry-After": "1"}) from error
        # DynamoDB deletes what has expired within days, and until then shows it.
        if item is None or item[TABLE_EXPIRY] <= self._ports.now():
            raise Problem("not-found", "no batch has answered a row of this key, or it was too long ago")
        return _read(item)

    def _audit(
        self, call: KeyedCall, key: str, found: KeyedAnswer | None, status: int, at: float, began: float
    ) -> None:
        settings = self._settings.audit
        if settings is None:
            return
        prediction = Prediction(
            id=call.id,
            at=at,
            endpoint=self._settings.endpoint,
            client=call.caller.client,
            caller=call.on_behalf_of or call.caller.client,
            # Who erases a subject gives its key.
            subject=key or None,
            status=status,
            latency_ms=(self._ports.clock() - began) * 1000,
            model_version=found.version if found else "",
            model_key=found.model if found else "",
            answer_source=SOURCE if found else "",
            rows=1,
            output=[json.loads(found.body)["prediction"]] if found else None,
        )
        self._ports.log.record(line(prediction, settings))


def _read(item: Mapping[str, Any]) -> KeyedAnswer:
    body = f'{{"prediction":{item["answer"]}}}'
    return KeyedAnswer(body, str(item["version"]), str(item["model"]), float(item["at"]))
