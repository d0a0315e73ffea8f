"""judge aa: how often this policy would roll back a version that is no different, on this very traffic."""

from __future__ import annotations

import argparse
from typing import Any

from tidegate.commands.context import open_context, show
from tidegate.commands.rehearse import (
    check_runs,
    needs_account,
    policy_option,
    recording_of,
    recording_options,
    runs_options,
    shown_progress,
)
from tidegate.console import make_console
from tidegate.errors import UsageError
from tidegate.rehearsal import sources
from tidegate.rehearsal.outcomes import Runs, aa, upper_bound
from tidegate.rehearsal.plans import Contender, Plan
from tidegate.rehearsal.recording import Recording
from tidegate.rehearsal.replay import End
from tidegate.rehearsal.words import minutes, percent

AA = """divide the live version's recorded traffic at random into a new and a live one, at the policy's weights, many
times: whatever is rolled back then is a false alarm"""


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("judge", help="check the judge on an endpoint's own traffic")
    checks = parser.add_subparsers(metavar="check", required=True)
    text = "how often would a version that is no different be rolled back?"
    check = checks.add_parser("aa", parents=[common], help=text, description=AA)
    policy_option(check)
    recording_options(check)
    runs_options(check, runs=200)
    check.set_defaults(run=_aa)


def _aa(arguments: argparse.Namespace) -> int:
    check_runs(arguments.runs)
    if len(arguments.policy) > 1:
        raise UsageError(f"--policy: {len(arguments.policy)} policies are given", "check them one by one")
    found = [sources.find(each) for each in arguments.policy]
    context = open_context(arguments) if needs_account(arguments) else None
    recorded = recording_of(arguments, context)
    if not found:
        assert context is not None
        found = [sources.deployed(context.endpoint)]
    contender = found[0].contender(has_slow=recorded.has_slow)
    runs = aa(contender, recorded, arguments.runs, arguments.seed, _longest(contender.plan, recorded), shown_progress)
    show(make_console(), document(runs), _words(contender, recorded, runs), as_json=arguments.output == "json")
    return 0


def _longest(plan: Plan, recorded: Recording) -> int:
    """Return for how many periods a rollout is followed: as long as its steps take, waiting for evidence included."""
    least = sum(step.seconds for step in plan.steps)
    if recorded.seconds < least:
        raise UsageError(
            f"{recorded.source}: it holds {minutes(recorded.seconds)}, and the policy's steps take {minutes(least)}",
            "record for longer (--hours), or check a shorter policy",
        )
    longest = least + plan.horizon_seconds * (len(plan.steps) - 1)
    return min(int(longest // recorded.period_seconds) + 1, len(recorded.periods))


def _words(contender: Contender, recorded: Recording, runs: Runs) -> str:
    false, promoted = runs.of(End.ROLLED_BACK), runs.of(End.PROMOTED)
    lines = [
        f"false alarms: {len(false)} of {runs.count} ({percent(len(false) / runs.count)}; with 95 % confidence below "
        f"{percent(upper_bound(len(false), runs.count))})",
        f"promoted:     {len(promoted)} of {runs.count}, "
        f"after {minutes(runs.typical_seconds(End.PROMOTED))} in the median",
        f"undecided:    {runs.count - len(false) - len(promoted)} of {runs.count}",
        f"traffic:      {recorded.source}: {recorded.live.requests:,} requests of the live version, "
        f"{recorded.live.errors:,} failed",
        f"policy:       {contender.name}: {'; '.join(contender.notes)}",
    ]
    lines += [f"  rolled back after {minutes(run.seconds)}: {run.reason}" for run in false[:5]]
    return "\n".join(lines)


def document(runs: Runs) -> dict[str, Any]:
    """Return how often it was rolled back although it is no different."""
    false = runs.of(End.ROLLED_BACK)
    return {
        "runs": runs.count,
        "false_alarms": len(false),
        "share": len(false) / runs.count,
        "share_below": upper_bound(len(false), runs.count),
        "promoted": len(runs.of(End.PROMOTED)),
        "promoted_seconds": runs.typical_seconds(End.PROMOTED),
        "undecided": runs.count - len(false) - len(runs.of(End.PROMOTED)),
        "reasons": [{"seconds": run.seconds, "reason": run.reason} for run in false],
    }
