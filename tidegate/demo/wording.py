"""Sentences that the summary and the page have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lambdas.rollout.judge import Limits


def failed(count: int, on_purpose: int) -> str:
    """Return how many requests failed, and how many of them because the demo let them."""
    return f"{count:,} ({on_purpose:,} on purpose)" if on_purpose else f"{count:,}"


def about_the_judge(report: Mapping[str, Any]) -> list[tuple[float, str, str]]:
    """Return what the judge said, and what bad luck it had to see through: moment, version, sentence."""
    said = [
        (opinion["t"], rollout["version"], f"the judge: {opinion['text']}")
        for rollout in report["rollouts"]
        for opinion in rollout["judge"]
    ]
    struck = [
        (event["t"], event["version"], "a request is failed on purpose: it is not the version's fault")
        for event in report["events"]
        if event["kind"] == "bad_luck"
    ]
    return sorted(said + struck)


def judging(policy: Mapping[str, Any]) -> str:
    """Return what the policy's judge asks of a version; empty where there is none."""
    judge = policy.get("judge")
    if not judge:
        return ""
    evidence = f"evidence of {Limits().level:g}:1"
    return (
        f"The judge rolls back on {evidence} that the new version is worse than the live one, and lets a step pass on "
        f"{evidence} of each of these: {'; '.join(_not_worse(judge))}."
    )


def _not_worse(judge: Mapping[str, Any]) -> Iterator[str]:
    answers, times = judge.get("answers"), f"{judge['margin']:g} times the live version's share"
    yield f"5xx answers below {judge['tolerated_error_percent']:g} % or {times}"
    yield (
        f"requests slower than the live version's 99th percentile was below {judge['tolerated_slow_percent']:g} % "
        f"or {times}"
    )
    if answers:
        what = f"“{answers['field']}” of its answers" if answers.get("field") else "its answers"
        yield f"{what} to the same captured requests different in less than {answers['tolerated_percent']:g} %"
