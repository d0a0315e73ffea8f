"""What events say to the controller. Pure."""

from collections.abc import Mapping
from typing import Any

from lambdas.contract import BATCH_COMMAND_DETAIL_TYPE
from lambdas.inference.batch.said import Look, Said, StopWanted, Wanted
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import OPERATOR, SCHEDULE, Wish
from lambdas.monitoring.times import epoch, minute
from lambdas.rollout.errors import PermanentError

_LONGEST_NAME, _LONGEST_PLACE, _LONGEST_REASON = 128, 1024, 500


def read_event(event: Mapping[str, Any], plan: Plan, now: float) -> Said | None:
    """Return what an event says; None of a command that is another endpoint's.

    A schedule says ``{"batch": {"id": ..., "time": ...}}``; what neither commands nor schedules anything, the change of
    a job's state or the minute's sweep, asks for a look, for an event's own word is never enough.
    """
    if "batch" in event:
        return Wanted(_scheduled(event["batch"] or {}, plan, now))
    if event.get("detail-type") != BATCH_COMMAND_DETAIL_TYPE:
        return Look()
    detail = event["detail"]
    return _commanded(event, detail, plan) if detail.get("endpoint") == plan.endpoint else None


def _scheduled(told: Mapping[str, Any], plan: Plan, now: float) -> Wish:
    at = epoch(told["time"]) if told.get("time") else now
    place = str(told.get("input") or plan.batch.input or "")
    return Wish(
        # The same event may come twice, and so may the same minute of a schedule that gives no id.
        id=str(told.get("id") or f"schedule-{minute(at)}")[:_LONGEST_NAME],
        input=plan.located(place),
        content_type=str(told.get("content_type") or plan.batch.content_type),
        trigger=SCHEDULE,
        by="the schedule",
        at=at,
    )


def _commanded(event: Mapping[str, Any], detail: Mapping[str, Any], plan: Plan) -> Said:
    identity = str(detail.get("id") or event["id"])[:_LONGEST_NAME]
    by = str(detail.get("by") or "an operator")[:_LONGEST_NAME]
    reason = str(detail.get("reason") or "")[:_LONGEST_REASON]
    if detail["command"] == "stop":
        return StopWanted(identity, by, reason)
    if detail["command"] != "start":
        raise PermanentError(f"there is no batch command {detail['command']!r}; there are start and stop")
    return Wanted(
        Wish(
            id=identity,
            input=plan.located(str(detail.get("input") or plan.batch.input or "")[:_LONGEST_PLACE]),
            content_type=str(detail.get("content_type") or plan.batch.content_type)[:_LONGEST_NAME],
            trigger=OPERATOR,
            by=by,
            at=epoch(event["time"]),
            reason=reason,
        )
    )
