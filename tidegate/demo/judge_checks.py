"""The criteria about the judge: bad luck is forgiven, and wrong answers are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log

from lambdas.rollout.judge import Limits
from tidegate.demo import cause, measure
from tidegate.demo.bad_luck import TIMES
from tidegate.demo.case import PROMOTED, ROLLED_BACK, Case, Check, outcome
from tidegate.demo.observations import Request
from tidegate.demo.opinions import ANSWERS, ERRORS, PROMOTE, ROLLBACK
from tidegate.demo.verdicts import Verdict

FOUND_WITHIN_SECONDS = 60.0
CLOCK_SECONDS = 1.0
"""Events that are read off different clocks may seem to come in the wrong order by so much."""

SURE = log(Limits().level)


def bad_luck_forgiven(case: Case) -> Check:
    """The good version is promoted though some of its requests failed at the first step, and the judge counted them."""
    good = case.expected.good
    name = f"{TIMES} failures that are not its fault do not stop {good}"
    verdict = case.verdict(good)
    if verdict is None:
        return Check(name, False, "it was never approved")
    problems = [*_bad_luck(case, verdict), *_not_forgiven(verdict)]
    said = verdict.said(PROMOTE)
    told = f"the judge: {said.text}" if said else "the judge never said that it may go on"
    return Check(name, not problems, "; ".join([*problems, told]))


def _bad_luck(case: Case, verdict: Verdict) -> Iterator[str]:
    """Say in what the failures that were ordered are not what they should have been."""
    ordered = len(case.seen.misfortunes)
    met = [request for request in case.seen.requests if request.on_purpose]
    if ordered != TIMES:
        yield f"{ordered} were ordered"
    if len(met) != ordered:
        yield f"{len(met)} requests met with one of the {ordered} that were ordered"
    elsewhere = len(met) - sum(1 for request in _at_first_step(verdict) if request.on_purpose)
    if elsewhere:
        yield f"{elsewhere} of them not at its first step"


def _at_first_step(verdict: Verdict) -> Sequence[Request]:
    rises = [at for at, weight in verdict.weights if weight > 0]
    since, until = (*rises, verdict.ended_at, verdict.ended_at)[:2]
    # A change of the weights is seen a moment after it was made.
    return [r for r in verdict.canary if since - CLOCK_SECONDS <= r.done <= until]


def _not_forgiven(verdict: Verdict) -> Iterator[str]:
    if verdict.outcome != PROMOTED:
        yield f"it ended {verdict.outcome}"
    if verdict.alarm_at is not None:
        yield "its alarm went off"
    said = verdict.said(PROMOTE)
    finding = said.findings.get(ERRORS) if said else None
    if said is None or finding is None:
        yield "the judge is not on record with its errors"
        return
    if finding.bad < TIMES:
        yield f"the judge had counted only {finding.bad} of them"
    if finding.assurance < SURE:
        yield "the judge was not sure of it"
    rises = [at for at, weight in verdict.weights if weight > 0]
    if len(rises) > 1 and rises[1] < said.at - CLOCK_SECONDS:
        yield "it was given more traffic before the judge had said so"


def wrong_rolled_back(case: Case) -> Check:
    """The wrong version, which failed nothing and whose alarm kept silent, is rolled back for its answers."""
    check = outcome(case, case.expected.wrong, ROLLED_BACK)
    verdict = case.verdict(case.expected.wrong)
    if not check.passed or verdict is None:
        return check
    doubts = [*_not_by_its_answers(verdict), *_not_silent(verdict), *_not_wrong(case, verdict)]
    said = verdict.said(ROLLBACK)
    told = f"but {'; '.join(doubts)}" if doubts else "and no alarm went off"
    words = f"; the judge: {said.text}" if said else ""
    return Check(check.name, not doubts, f"{check.detail}, {told}{words}")


def _not_by_its_answers(verdict: Verdict) -> Iterator[str]:
    if cause.judged_by(verdict) != ANSWERS:
        yield f"the engine's reason was not its answers: {verdict.abort_reason or 'it noted none'}"
    said = verdict.said(ROLLBACK)
    finding = said.findings.get(ANSWERS) if said else None
    if finding is None:
        yield "the judge is not on record with it"
    elif finding.harm < SURE or not finding.bad:
        yield f"the judge's numbers do not say so: {finding.text}"
    if verdict.aborted_at is not None:
        yield from cause.without_traffic(verdict, verdict.aborted_at)


def _not_silent(verdict: Verdict) -> Iterator[str]:
    if verdict.alarm_at is not None:
        yield "its alarm went off"
    failed = sum(1 for request in verdict.canary if request.failure)
    if failed:
        yield f"it failed {failed} of its {len(verdict.canary)} requests"


def _not_wrong(case: Case, verdict: Verdict) -> Iterator[str]:
    """Hold its answers, as the clients got them, against what the weather did."""
    live = [request for request in verdict.requests if case.version(request) == case.expected.good]
    own, others = (measure.totals(requests)["right_share"] for requests in (verdict.canary, live))
    if own is None or others is None or own >= others:
        beside = f"{case.expected.good} in {others or 0:.0%}"
        yield f"it was right about the rain in {own or 0:.0%} of its answers, and {beside}"


def wrong_found_at_first_step(case: Case) -> Check:
    """The wrong version never gets more than the first step's weight, and not for long."""
    wrong, first = case.expected.wrong, case.expected.steps[0]
    name = f"{wrong} is found out at its first step, within {FOUND_WITHIN_SECONDS:.0f} s"
    verdict = case.verdict(wrong)
    rises = [(at, weight) for at, weight in verdict.weights if weight > 0] if verdict else []
    if verdict is None or verdict.zero_weight_at is None or not rises:
        return Check(name, False, "it was not seen to have traffic and then none")
    seconds, highest = verdict.zero_weight_at - rises[0][0], max(weight for _, weight in rises)
    passed = highest <= first and seconds <= FOUND_WITHIN_SECONDS
    clients = f"{len(verdict.canary)} requests of clients got its answers"
    return Check(name, passed, f"{seconds:.1f} s of traffic, never more than {highest:g} %; {clients}")
