"""What bad luck needs to strike."""

from __future__ import annotations

from datetime import UTC, datetime

from tidegate.demo.observations import Request
from tidegate.rollouts import AuditEntry

EVIDENCE = {"periods": 2, "period_seconds": 10, "min_requests": 10, "error_rate_percent": 5}


def first_step(rollout: str, at: float, weight: int = 10) -> AuditEntry:
    """Return the entry about a weight that has been verified (`lambdas.rollout.forward`)."""
    moment = datetime.fromtimestamp(at, UTC).isoformat()
    return AuditEntry(f"AUDIT#{rollout}#2", moment, rollout, "BAKE", "weight", "Takes it.", {"weight": weight})


def answered(at: float, variant: str = "green") -> Request:
    """Return a request that a variant answered."""
    return Request(due=at - 0.01, sent=at - 0.01, done=at, variant=variant)
