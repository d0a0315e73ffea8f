"""A warm `react` invocation at rest: how much of it is AWS calls, the Lambda service, and ours."""

import json
from functools import partial
from typing import Any

from bench import react_calls
from bench.cloud import Cloud
from bench.comparison import Comparison
from bench.errors import BenchError
from bench.repeated_calls import repetition
from bench.rounds import Rounds, Tell, seconds_of, take_turns

ROUNDS = 7
TIMES = 8
WHOLE, CALLS, EMPTY = "warm react at rest", "its AWS calls by boto3 alone", "react with nothing to do"
GROUP = "React, share of a warm invocation"


class InvocationError(BenchError):
    """A function failed."""


def invoke(client: Any, name: str, event: dict[str, Any]) -> None:
    """Invoke a function and require success."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    said = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        raise InvocationError(f"{name} failed: {said}")


def measure(cloud: Cloud, tell: Tell) -> list[Comparison]:
    """Compare an invocation with the same AWS calls, and with an invocation that makes none."""
    tell("react: recording its AWS calls")
    react, client = cloud.functions["react"], cloud.client("lambda")
    calls = react_calls.record(cloud)
    repeat = repetition(cloud, react, calls)
    measures = {
        WHOLE: partial(seconds_of, partial(invoke, client, react.name, react_calls.AT_REST)),
        CALLS: partial(seconds_of, repeat),
        EMPTY: partial(seconds_of, partial(invoke, client, react.name, react_calls.NOTHING_TO_DO)),
    }
    rounds = take_turns(ROUNDS, TIMES, measures, lambda text: tell(f"react: {text}"))
    return _comparisons(rounds, len(calls))


def _comparisons(rounds: Rounds, calls: int) -> list[Comparison]:
    details = {f"{name}, milliseconds": rounds.median(name) * 1000 for name in rounds.values}
    both = rounds.combine(lambda each: (each[CALLS] + each[EMPTY]) / each[WHOLE])
    cases = [
        (f"its {calls} AWS calls", rounds.ratios(CALLS, WHOLE), f"its {calls} AWS calls, as boto3 alone makes them"),
        ("being invoked at all", rounds.ratios(EMPTY, WHOLE), "what any invocation costs, with nothing to do"),
        ("both together", both, "these two together; what is left is ours: deciding, encoding, logging"),
    ]
    return [
        Comparison(
            group=GROUP,
            subject=subject,
            peer=WHOLE,
            style="share",
            rounds=ratios,
            meaning=f"Of a warm react on an endpoint at rest, {{ratio}} is {what}.",
            details=details,
        )
        for subject, ratios, what in cases
    ]
