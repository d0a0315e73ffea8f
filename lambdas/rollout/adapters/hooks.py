"""Functions of the user's that are asked whether a rollout may go on."""

import json
from collections.abc import Mapping
from typing import Any

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import PermanentError
from lambdas.rollout.policy import Hook
from lambdas.rollout.ports import Answer

DECISIONS = ("go", "no-go", "wait")
_LONGEST_REASON = 500


class LambdaHooks:
    """Implements `lambdas.rollout.ports.Hooks`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("lambda")

    def ask(self, hook: Hook, question: Mapping[str, Any]) -> Answer:
        """Return the function's answer; one that is none of the three decisions is an error."""
        with translated():
            answer = self._client().invoke(FunctionName=hook.function, Payload=json.dumps(question).encode())
            payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise PermanentError(f"{hook.function} failed: {payload.decode(errors='replace')[:_LONGEST_REASON]}")
        return _read(hook, payload)


def _read(hook: Hook, payload: bytes) -> Answer:
    try:
        said = json.loads(payload)
        decision, reason = said["decision"], str(said.get("reason") or "")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        shown = payload.decode(errors="replace")[:200]
        raise PermanentError(f'{hook.function} answered {shown}; it must answer {{"decision": ...}}') from error
    if decision not in DECISIONS:
        raise PermanentError(f"{hook.function} decided {decision!r}; it must be one of {', '.join(DECISIONS)}")
    return Answer(decision, reason[:_LONGEST_REASON])
