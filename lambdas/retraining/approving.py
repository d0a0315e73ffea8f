"""Whether a registered version is approved by rule. Pure."""

import math

from lambdas.contract import PACKAGE_APPROVED, PACKAGE_PENDING
from lambdas.retraining.decision import FAULT, NOTICE, Approve, Decision, Turn
from lambdas.retraining.said import Approved, Conclusion, Live
from lambdas.retraining.settings import AUTOMATIC, Settings
from lambdas.retraining.state import Approval, Run

EVIDENCE = 0.05
"""Highest probability of a gain as large by chance at which it counts as evidence."""


def consider(turn: Turn, run: Run, conclusion: Conclusion, text: str) -> Decision:
    """Approve what a run has registered if the rule allows it; else leave it to people, who are told how."""
    why_not = _against(turn.settings, conclusion) or _overtaken(turn.live, run.champion.key)
    if why_not or conclusion.package_arn is None:
        return _left(turn, conclusion.version, run.id, f"{text} It waits for a person: {why_not}.").decided()
    reason = (
        f"Approved by rule after {run.id}: better than {run.champion.version} by {_points(conclusion.gain)} of "
        f"accuracy (at least {_points(turn.settings.least_gain)}{_chance(conclusion)}), checks passed, signature "
        "unchanged"
    )
    approval = Approval(conclusion.package_arn, conclusion.version, run.id, run.champion.key, reason)
    turn = turn.having(approval=approval).saying("approving", f"{text} {reason}.", run.id)
    return turn.decided(Approve(approval))


def _against(settings: Settings, found: Conclusion) -> str:
    if found.doubts:
        return f"what it has learnt may not be true: {'; '.join(found.doubts)}"
    if settings.approval != AUTOMATIC:
        return f"approval is {settings.approval} here"
    if found.signature_change:
        return "its inputs or outputs are others than the live version's, so that clients must be looked at first"
    if not found.checks_passed:
        return "its checks did not pass"
    if not found.better or found.gain < settings.least_gain:
        return f"its gain of {_points(found.gain)} is not shown to be {_points(settings.least_gain)} or more"
    if found.p_value is None or math.isnan(found.p_value):
        return "nothing says how likely its gain is by chance (it has no p-value)"
    return f"its gain may be chance (p = {found.p_value:.3f})" if found.p_value > EVIDENCE else ""


def _overtaken(live: Live, champion: str) -> str:
    if live.champion.key != champion:
        return f"{live.champion.version} has gone live since, with which it was not compared"
    return f"{live.rolling_out} is being rolled out just now" if live.rolling_out else ""


def go_on(turn: Turn) -> Decision:
    """Approve what is to be approved, unless that has been overtaken meanwhile."""
    approval = turn.state.approval
    if approval is None:
        return turn.decided()
    if why_not := _overtaken(turn.live, approval.champion):
        text = f"{approval.version} is not approved by rule after all: {why_not}."
        return _left(turn.having(approval=None), approval.version, approval.run, text).decided()
    return turn.decided(Approve(approval))


def approved(turn: Turn, said: Approved) -> Decision:
    """Take in what became of approving."""
    approval = turn.state.approval
    if approval is None or approval.package_arn != said.package_arn:
        return turn.decided()
    if said.problem:
        text = f"{approval.version} could not be approved: {said.problem}"
        turn = turn.having(approval=None).telling(FAULT, turn.state.name, text)
        return _left(turn, approval.version, approval.run, text).decided()
    turn = turn.having(approval=None)
    if said.stood:
        text = f"{approval.version} is left as somebody decided meanwhile: {said.stood}."
        return turn.saying("approval", text, approval.run, status=said.stood).decided()
    text = f"{approval.version} is approved. {approval.reason}. Its rollout starts by itself."
    turn = turn.saying("approval", text, approval.run, status=PACKAGE_APPROVED, package_arn=approval.package_arn)
    return turn.telling(NOTICE, f"{turn.state.name}: approved {approval.version}", text).decided()


def _left(turn: Turn, version: str, run: str, text: str) -> Turn:
    settings = turn.settings
    command = (
        f"python -m tidegate approve --env {settings.environment} --endpoint {settings.endpoint} --version {version}"
    )
    told = f"{text}\n\nTo have it rolled out: {command}"
    turn = turn.saying("approval", text, run, status=PACKAGE_PENDING)
    return turn.telling(NOTICE, f"{turn.state.name}: {version} waits for approval", told)


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"


def _chance(found: Conclusion) -> str:
    if found.p_value is None:
        return ""
    return ", p < 0.0001" if found.p_value < 0.0001 else f", p = {found.p_value:.4f}"
