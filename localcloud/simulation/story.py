"""A run told step by step, for a person on call."""

from dataclasses import dataclass, field
from typing import Any

from lambdas.rollout.state import State
from localcloud.simulation.facts import Facts
from localcloud.simulation.schedule import Fault
from localcloud.simulation.store import Write


@dataclass
class Story:
    """Lines of time, who, and what; `told` may be called with each as it comes.

    Parameters
    ----------
    facts
        What has really happened.
    start
        The time from which seconds are counted.
    """

    facts: Facts
    start: float
    lines: list[str] = field(default_factory=list)
    _stands: str = ""

    def say(self, who: str, what: str) -> None:
        """Tell one thing."""
        self.lines.append(f"{self.facts.now - self.start:9.2f} s  {who:<12} {what}")

    def call(self, worker: str, name: str, arguments: tuple[Any, ...]) -> None:
        """Tell of a call that changes something."""
        self.say(worker, f"calls {name}({', '.join(_short(each) for each in arguments)})")

    def fault(self, worker: str, name: str, fault: Fault) -> None:
        """Tell of a fault that strikes."""
        self.say("FAULT", f"{fault.kind} strikes {name} of {worker}")

    def write(self, worker: str, write: Write) -> None:
        """Tell what has been decided, and where the rollout stands then."""
        for entry in write.entries:
            self.say(worker, f"{entry.kind}: {entry.text}")
        self._tell_state(worker, write.after)

    def _tell_state(self, worker: str, state: State) -> None:
        stands = _where(state)
        if stands != self._stands:
            self._stands = stands
            self.say(worker, f"  -> {stands}")

    def endpoint(self) -> None:
        """Tell how the endpoint is now."""
        endpoint = self.facts.cloud.endpoint
        if endpoint is None:
            self.say("endpoint", "is gone")
            return
        weights = ", ".join(
            f"{slot} {variant.current_weight:g}"
            + (f" (wants {variant.desired_weight:g})" if variant.desired_weight != variant.current_weight else "")
            for slot, variant in endpoint.variants.items()
        )
        why = f"; {endpoint.failure_reason}" if endpoint.failure_reason else ""
        self.say("endpoint", f"is {endpoint.status} on {endpoint.config.name}: weights {weights}{why}")


def _where(state: State) -> str:
    rollout = state.rollout
    if rollout is None:
        waiting = f", {state.queued.version} waits" if state.queued else ""
        return f"no rollout; {state.live.version} is live on {state.live.slot}{waiting}"
    flags = "".join(
        f", {name}" for name, is_set in (("paused", rollout.paused), ("aborted", rollout.abort_reason)) if is_set
    )
    return f"{rollout.phase} of {rollout.version}, step {rollout.step} ({rollout.weight} %){flags}"


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(
            f"{name}={each:g}" if isinstance(each, float) else f"{name}={each}" for name, each in value.items()
        )
    return str(getattr(value, "name", value))
