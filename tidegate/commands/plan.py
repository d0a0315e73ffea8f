"""plan: what a rollout will be able to see at this traffic, before it starts."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tidegate.commands.context import open_context, show
from tidegate.commands.rehearse import policy_option, recording_of, recording_options
from tidegate.console import make_console
from tidegate.errors import RefusedError, UsageError
from tidegate.rehearsal import sources
from tidegate.rehearsal.foresight import (
    BLIND_RATIO,
    SLOW_SHARE,
    Expected,
    Foresight,
    Sight,
    expected_of,
    foresee,
)
from tidegate.rehearsal.sources import Source
from tidegate.rehearsal.words import minutes, percent

DESCRIPTION = """how long does each step need, at this traffic, to see a version that is so many times as bad as
the live one, and to be sure of a good one? Status 3 when the plan cannot see anything."""
ERRORS_PERCENT = 0.1
SHOWN_RATIOS = (1.5, 2.0, 3.0, 10.0)
WANTED_RATIO = 2.0


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    text = "how long each step needs to see a bad version at this traffic"
    parser = commands.add_parser("plan", parents=[common], help=text, description=DESCRIPTION)
    policy_option(parser)
    group = parser.add_argument_group("the traffic, as you say it")
    group.add_argument("--rps", type=float, metavar="N", help="requests a second")
    group.add_argument(
        "--errors", type=float, metavar="PERCENT", help=f"share that fails on the live version ({ERRORS_PERCENT:g})"
    )
    recording_options(parser)
    parser.add_argument(
        "--see",
        type=float,
        default=WANTED_RATIO,
        metavar="RATIO",
        help=f"how bad a version to warn of ({WANTED_RATIO:g})",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    if len(arguments.policy) > 1:
        raise UsageError(f"--policy: {len(arguments.policy)} policies are given", "plan them one by one")
    found = [sources.find(each) for each in arguments.policy]
    needs = not found or (arguments.rps is None and arguments.metrics is None)
    context = open_context(arguments) if needs else None
    if arguments.rps is not None:
        expected = _said(arguments)
    else:
        expected = expected_of(recording_of(arguments, context))
    if not found:
        assert context is not None
        found = [sources.deployed(context.endpoint)]
    return _answer(found[0], expected, arguments)


def _check(arguments: argparse.Namespace) -> None:
    if not 1 < arguments.see <= 1000:
        raise UsageError(
            f"--see: {arguments.see:g} times as bad is not worse", "write a ratio above 1, such as --see 2"
        )
    if arguments.rps is None:
        if arguments.errors is not None:
            raise UsageError(f"--errors: {arguments.errors:g}, but --rps is not given", "add --rps, or leave it out")
        return
    if not 0 < arguments.rps < math.inf:
        raise UsageError(f"--rps: {arguments.rps:g} is no traffic", "write requests a second, such as --rps 50")
    if arguments.metrics is not None:
        raise UsageError("--rps and --metrics both say what the traffic is", "leave one of them out")
    if arguments.errors is not None and not 0 < arguments.errors < 100:
        raise UsageError(
            f"--errors: {arguments.errors:g} is not a share above 0 and below 100 %",
            "of a version that never fails write what you would not notice, such as --errors 0.01",
        )


def _said(arguments: argparse.Namespace) -> Expected:
    errors = (ERRORS_PERCENT if arguments.errors is None else arguments.errors) / 100
    return Expected(arguments.rps, errors, SLOW_SHARE, source="as said")


def _answer(source: Source, expected: Expected, arguments: argparse.Namespace) -> int:
    if source.policy.judge is None:
        raise RefusedError(
            f"{source.name} has no judge: {source.alarm} is all that can see a bad version",
            "add judge: to its rollout: (docs/policies.md), and plan again",
        )
    if expected.per_second <= 0:
        raise RefusedError(f"{expected.source}: there were no requests", "a plan needs traffic: say it with --rps")
    sight = foresee(source.policy, expected, source.period_seconds, arguments.see)
    console, as_json = make_console(), arguments.output == "json"
    show(console, document(source, expected, sight), _table(sight), as_json=as_json)
    if not as_json:
        _tell(console, source, expected, sight)
    if not sight.blind:
        return 0
    if as_json:
        return RefusedError.exit_status
    raise RefusedError(
        f"{source.name} cannot see anything at this traffic: not even a version {BLIND_RATIO:g} times as bad, "
        "before it takes all of it",
        "raise the weights of its steps or judge.horizon_seconds, or let people decide (approval: true)",
    )


def _table(sight: Foresight) -> Table:
    table = Table(box=None, pad_edge=False)
    ratios = _ratios(sight)
    for name in ("step", "watched", "metric"):
        table.add_column(name, no_wrap=True)
    for name in (*(f"sees x{ratio:g}" for ratio in ratios), "sure of a good one"):
        table.add_column(name, justify="right")
    for each in sight.steps:
        watched = f"{minutes(each.step.seconds)}, waits {minutes(each.patience_seconds)}"
        for index, metric in enumerate(each.sights):
            first = (f"{each.step.weight:g} %", watched) if index == 0 else ("", "")
            times = [*(metric.seconds(ratio) for ratio in ratios), metric.trust_seconds]
            table.add_row(*first, metric.metric, *(_marked(time, each.patience_seconds) for time in times))
    return table


def _ratios(sight: Foresight) -> list[float]:
    return sorted({*SHOWN_RATIOS, sight.wanted_ratio})


def _marked(seconds: float, patience: float) -> str:
    return minutes(seconds) if seconds <= patience else f"({minutes(seconds)})"


def _tell(console: Console, source: Source, expected: Expected, sight: Foresight) -> None:
    slow = "" if expected.slow is None else f", {percent(expected.slow)} slow"
    lines = [
        f"\npolicy: {source.name}; traffic: {expected.source}: {expected.per_second:.3g} requests a second, "
        f"{percent(expected.errors)} of them 5xx{slow}",
        "Each time is what this step's traffic alone would take, on average; in brackets: longer than it waits. "
        "Evidence adds up over the steps.",
    ]
    if expected.quietest is not None:
        slower = (
            "no evidence at all"
            if not expected.quietest
            else f"{expected.per_second / expected.quietest:.2g} times as long"
        )
        lines.append(f"In the quietest hour ({expected.quietest:.3g} requests a second): {slower}.")
    lines += [f"warning: {each}" for each in sight.warnings]
    console.print("\n".join(lines), soft_wrap=True)


def document(source: Source, expected: Expected, sight: Foresight) -> dict[str, Any]:
    """Return what each step can see, and what goes unseen."""
    return {
        "policy": source.name,
        "traffic": {
            "requests_per_second": expected.per_second,
            "quietest_hour_per_second": expected.quietest,
            "errors": expected.errors,
            "slow": expected.slow,
        },
        "steps": [
            {
                "weight": each.step.weight,
                "bake_seconds": each.step.seconds,
                "patience_seconds": each.patience_seconds,
                "metrics": [_metric(metric, _ratios(sight)) for metric in each.sights],
            }
            for each in sight.steps
        ],
        "warnings": sight.warnings,
        "blind": sight.blind,
    }


def _metric(sight: Sight, ratios: Sequence[float]) -> dict[str, Any]:
    return {
        "metric": sight.metric,
        "seconds_to_see": {f"{ratio:g}": _finite(sight.seconds(ratio)) for ratio in ratios},
        "seconds_to_trust": _finite(sight.trust_seconds),
    }


def _finite(seconds: float) -> float | None:
    return round(seconds, 1) if math.isfinite(seconds) else None
