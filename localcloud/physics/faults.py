"""Failures that a test or a demonstration asks the local cloud for."""

import threading
from dataclasses import dataclass


@dataclass
class _Fault:
    times: int
    endpoint: str | None = None
    instance_type: str | None = None
    variant: str | None = None
    reason: str = ""
    seconds: float = 0.0

    def matches(self, endpoint: str, instance_types: set[str], variant: str | None = None) -> bool:
        """Whether the fault is meant for this provisioning, or answer, and not used up."""
        return (
            self.times > 0
            and self.endpoint in (None, endpoint)
            and (self.instance_type is None or self.instance_type in instance_types)
            and self.variant in (None, variant)
        )


class Faults:
    """Failures waiting for the next provisioning, or request, that they fit; each is used up after `times`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._capacity: list[_Fault] = []
        self._failures: list[_Fault] = []
        self._delays: list[_Fault] = []
        self._answers: list[_Fault] = []

    def insufficient_capacity(
        self, times: int = 1, *, instance_type: str | None = None, endpoint: str | None = None
    ) -> None:
        """Let the next `times` provisionings find no instances (of `instance_type`, when given)."""
        self._add(self._capacity, _Fault(times, endpoint, instance_type))

    def fail_update(self, reason: str, times: int = 1, *, endpoint: str | None = None) -> None:
        """Let the next `times` provisionings fail with `reason`."""
        self._add(self._failures, _Fault(times, endpoint, reason=reason))

    def slow_update(self, seconds: float, times: int = 1, *, endpoint: str | None = None) -> None:
        """Let the next `times` provisionings take `seconds` longer."""
        self._add(self._delays, _Fault(times, endpoint, seconds=seconds))

    def fail_answers(
        self, variant: str, times: int = 1, *, endpoint: str | None = None, reason: str = "a fault was asked for"
    ) -> None:
        """Let the next `times` requests that a variant gets by its weight be answered 500 with `reason`.

        The model is not asked: it is not its fault. Requests that name the variant (TargetVariant) are left alone.
        """
        self._add(self._answers, _Fault(times, endpoint, variant=variant, reason=reason))

    def clear(self) -> None:
        """Forget all failures that have not happened yet."""
        with self._lock:
            for waiting in (self._capacity, self._failures, self._delays, self._answers):
                waiting.clear()

    def take_failure(self, endpoint: str, instance_types: set[str]) -> str | None:
        """Return why this provisioning fails, if it shall."""
        if self._take(self._capacity, endpoint, instance_types) is not None:
            return (
                "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. "
                "Please retry using a different ML instance type or after some time."
            )
        failure = self._take(self._failures, endpoint, instance_types)
        return failure.reason if failure else None

    def take_delay(self, endpoint: str) -> float:
        """Return by how much this provisioning takes longer."""
        delay = self._take(self._delays, endpoint, set())
        return delay.seconds if delay else 0.0

    def take_answer(self, endpoint: str, variant: str) -> str | None:
        """Return the reason for which a request is not passed to its variant, if it shall not be."""
        if not self._answers:  # asked at every request
            return None
        fault = self._take(self._answers, endpoint, set(), variant)
        return fault.reason if fault else None

    def _add(self, waiting: list[_Fault], fault: _Fault) -> None:
        with self._lock:
            waiting.append(fault)

    def _take(
        self, waiting: list[_Fault], endpoint: str, instance_types: set[str], variant: str | None = None
    ) -> _Fault | None:
        with self._lock:
            for fault in waiting:
                if fault.matches(endpoint, instance_types, variant):
                    fault.times -= 1
                    return fault
        return None
