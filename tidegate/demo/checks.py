"""The criteria of the demo: each passes or fails on what was seen, and says by what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from tidegate.demo import cause, judge_checks, routing
from tidegate.demo.case import PROMOTED, ROLLED_BACK, Case, Check, outcome
from tidegate.demo.observations import MODEL_ERROR, MODEL_FAILED, UNKNOWN, Request
from tidegate.demo.timeline import shares_at

ZERO_WITHIN_SECONDS = 30.0
LONGEST_BLIND_SECONDS = 3.0
LEAST_RATE_SHARE = 0.98
LAST_DUE_SECONDS = 1.0


def run(case: Case) -> list[Check]:
    """Judge every criterion."""
    return [criterion(case) for criterion in CRITERIA]


def good_promoted(case: Case) -> Check:
    """The good version is promoted."""
    return outcome(case, case.expected.good, PROMOTED)


def bad_rolled_back(case: Case) -> Check:
    """The bad version, which had traffic and failed some of it, is rolled back for that: its own alarm went off."""
    check = outcome(case, case.expected.bad, ROLLED_BACK)
    verdict = case.verdict(case.expected.bad)
    if not check.passed or verdict is None:
        return check
    doubts = cause.doubts(verdict, case.seen.endpoint)
    alarmed = f"and its own alarm went off; {cause.spared(verdict)}{cause.order(verdict)}"
    told = f"but {'; '.join(doubts)}" if doubts else alarmed
    return Check(check.name, not doubts, f"{check.detail}, {told}")


def good_took_every_step(case: Case) -> Check:
    """The good version's weights are the policy's steps, in order, none skipped."""
    verdict = case.verdict(case.expected.good)
    seen = [weight for _, weight in verdict.weights if weight > 0] if verdict else []
    rising = all(after > before for before, after in pairwise(seen))
    return Check(
        f"{case.expected.good} takes every step of the policy",
        rising and seen == list(case.expected.steps),
        f"weights seen: {_numbers(seen)}; the policy's: {_numbers(case.expected.steps)}",
    )


def good_serves_at_the_end(case: Case) -> Check:
    """At the end the endpoint is in service and sends everything to the good version."""
    last = case.seen.sightings[-1]
    serving = {version: share for version, share in shares_at(last, case.timeline).items() if share}
    passed = last.status == "InService" and list(serving) == [case.expected.good]
    told = ", ".join(f"{version} takes {share:g} %" for version, share in serving.items()) or "nothing takes traffic"
    return Check(f"{case.expected.good} serves alone at the end", passed, f"{last.status}, {told}")


def traffic_followed_weights(case: Case) -> Check:
    """In each stretch of unchanging weights each version answers its share, and no step is too short to tell."""
    stretches = routing.stretches(case.seen, case.timeline)
    judged = {stretch.shares.get(case.expected.good, 0.0) for stretch in stretches}
    missing = [f"{step:g} % was never held long enough" for step in case.expected.steps if step not in judged]
    problems = missing + [stray for stretch in stretches for stray in stretch.strays()]
    compared = f"{sum(stretch.requests for stretch in stretches):,} requests in {len(stretches)} stretches"
    detail = "; ".join(problems) or f"{compared}, within chance ({routing.SIGMAS:g} sigma + {routing.SLACK_REQUESTS})"
    return Check("each version's share of the requests agrees with its weight", not problems, detail)


def switching_failed_nothing(case: Case) -> Check:
    """Every failure is the bad model's own answer or was ordered, not a container's end or the platform's."""
    failures = [request for request in case.seen.requests if request.failure]
    on_purpose = [request for request in failures if request.on_purpose]
    bad, own = case.expected.bad, (MODEL_ERROR, MODEL_FAILED)
    others = [request for request in failures if not request.on_purpose]
    strange = [r for r in others if (r.failure, r.model_status, case.version(r)) != (*own, bad)]
    detail = (
        f"{len(failures)} failures: {len(others)} x {MODEL_ERROR} {MODEL_FAILED} answered by {bad}, "
        f"{len(on_purpose)} made on purpose"
    )
    ordered = len(case.seen.misfortunes)
    if len(on_purpose) > ordered:
        detail += f", though {ordered} were ordered"
    if strange:
        kinds = Counter(f"{_kind(request)} from {case.version(request)}" for request in strange)
        detail = "; ".join(f"{count} x {kind}" for kind, count in kinds.items()) + f" ({strange[0].detail[:160]})"
    passed = not strange and len(on_purpose) <= ordered
    return Check("no request is failed by the switching itself", passed, detail)


def nothing_after_zero(case: Case) -> Check:
    """No request sent after a rolled back version's weight was seen at zero reaches it."""
    both = (case.expected.bad, case.expected.wrong)
    found = [_reached_after_zero(case, version) for version in both]
    told = "; ".join(f"{version}: {detail}" for version, (_, detail) in zip(both, found, strict=True))
    return Check(f"after zero weight no request reaches {' or '.join(both)}", all(passed for passed, _ in found), told)


def _reached_after_zero(case: Case, version: str) -> tuple[bool, str]:
    verdict = case.verdict(version)
    if verdict is None or verdict.zero_weight_at is None:
        return False, "its weight was never seen to fall to zero after its alarm or the abort"
    later = [request for request in case.seen.requests if request.sent > verdict.zero_weight_at]
    reached = [request for request in later if case.version(request) == version]
    return not reached and bool(later), f"{len(reached)} of the {len(later):,} requests sent after it did"


def alarm_to_zero(case: Case) -> Check:
    """The bad version's weight is zero soon after the alarm."""
    verdict = case.verdict(case.expected.bad)
    name = f"from the alarm of {case.expected.bad} to zero weight within {ZERO_WITHIN_SECONDS:.0f} s"
    if verdict is None or verdict.alarm_at is None or verdict.to_zero is None:
        return Check(name, False, "no alarm, or no fall to zero weight after it, was seen")
    first = "alarm" if verdict.trigger_at == verdict.alarm_at else "abort, which came first"
    return Check(name, 0 <= verdict.to_zero <= ZERO_WITHIN_SECONDS, f"{verdict.to_zero:.2f} s from the {first}")


def every_answer_attributed(case: Case) -> Check:
    """Each request is known to have been answered by a version."""
    lost = sum(1 for request in case.seen.requests if case.version(request) == UNKNOWN)
    return Check("every request is attributed to a version", lost == 0, f"{lost} of {len(case.seen.requests)} are not")


def load_was_steady(case: Case) -> Check:
    """The traffic kept its rate to the end and none of it is missing, so that the numbers mean what they say."""
    requests, seen = case.seen.requests, case.seen
    seconds = (max(r.due for r in requests) - min(r.due for r in requests)) if requests else 0.0
    rate = (len(requests) - 1) / seconds if seconds else 0.0
    # Sent, not due: a generator that fell behind would have made fewer calls than it owed.
    unsent = sum(1 for request in requests if request.sent - request.due > 1.0)
    kept = rate >= LEAST_RATE_SHARE * seen.rate and unsent <= (1 - LEAST_RATE_SHARE) * len(requests)
    silent = seen.traffic_ended - max((request.due for request in requests), default=0.0)
    passed = kept and len(requests) == seen.handed_out and silent <= LAST_DUE_SECONDS
    detail = (
        f"{rate:.1f} of {seen.rate:g} req/s over {seconds:.0f} s, last due {max(silent, 0.0):.2f} s before its end; "
        f"{len(requests):,} of {seen.handed_out:,} have an outcome; {unsent} left more than 1 s late"
    )
    return Check("the traffic kept its rate", passed, detail)


def never_blind(case: Case) -> Check:
    """The endpoint was looked at often enough to see what is claimed."""
    moments = [sighting.at for sighting in case.seen.sightings]
    gap = max((after - before for before, after in pairwise(moments)), default=float("inf"))
    errors = len(case.seen.observer_errors)
    detail = f"{len(moments)} looks, the longest gap {gap:.2f} s, {errors} failed looks"
    return Check("the endpoint was watched throughout", gap <= LONGEST_BLIND_SECONDS, detail)


def _kind(request: Request) -> str:
    return request.failure if request.model_status is None else f"{request.failure} {request.model_status}"


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values) or "none"


CRITERIA: tuple[Callable[[Case], Check], ...] = (
    good_promoted,
    judge_checks.bad_luck_forgiven,
    bad_rolled_back,
    judge_checks.wrong_rolled_back,
    judge_checks.wrong_found_at_first_step,
    good_took_every_step,
    good_serves_at_the_end,
    traffic_followed_weights,
    switching_failed_nothing,
    nothing_after_zero,
    alarm_to_zero,
    every_answer_attributed,
    load_was_steady,
    never_blind,
)
