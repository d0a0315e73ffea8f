"""rehearse: recorded traffic through a policy and its judge, beside other ways to roll out."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from lambdas.contract import SLOTS
from tidegate.commands.context import Context, open_context, show
from tidegate.console import make_console, make_error_console
from tidegate.errors import UsageError
from tidegate.rehearsal import cloudwatch, picture, recording, sources
from tidegate.rehearsal.outcomes import Outcome, Runs, rehearse
from tidegate.rehearsal.plans import Contender, guardrails_canary, guardrails_linear
from tidegate.rehearsal.recording import Recording
from tidegate.rehearsal.replay import End
from tidegate.rehearsal.rules import ArgoLike, Guardrails, KayentaLike
from tidegate.rehearsal.sources import Source
from tidegate.rehearsal.traffic import AsRecorded, AsStated, Version
from tidegate.rehearsal.words import NOTHING, minutes, of

DESCRIPTION = """put recorded traffic through rollout policies on a clock that does not wait: when would each have
rolled the new version back, how many requests would have been hurt, and how long does a good version take?"""
MAX_RUNS = 100_000
SEED = 1


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    text = "rehearse a rollout on recorded traffic, under several policies side by side"
    parser = commands.add_parser("rehearse", parents=[common], help=text, description=DESCRIPTION)
    policy_option(parser)
    recording_options(parser)
    group = parser.add_argument_group("the new version; left out: as recorded")
    group.add_argument("--new-errors", type=float, metavar="PERCENT", help="share of its requests that fail")
    group.add_argument("--new-slow", type=float, metavar="PERCENT", help="share of its requests that are slow")
    parser.add_argument("--alone", action="store_true", help="rehearse the policies alone, without what others do")
    runs_options(parser, runs=20)
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw it")
    parser.set_defaults(run=_run)


def policy_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that names policies."""
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="POLICY",
        help="a YAML file, or ENDPOINT:ENV of environments/; may be repeated (default: the endpoint's deployed one)",
    )


def recording_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the traffic comes from."""
    group = parser.add_argument_group("the traffic; without --metrics, the endpoint's own in CloudWatch")
    group.add_argument("--metrics", type=Path, metavar="FILE.csv", help="recording: at,slot,requests,errors,slow")
    group.add_argument("--hours", type=float, help="how far back CloudWatch is asked (default: 24)")
    group.add_argument(
        "--live-slot", choices=SLOTS, help="the live version's slot (default: the one with more requests)"
    )
    group.add_argument("--slow-ms", type=float, help="what is slow (default: the live version's 99th percentile)")
    group.add_argument("--save", type=Path, metavar="FILE.csv", help="keep what CloudWatch gave, for --metrics")


def runs_options(parser: argparse.ArgumentParser, runs: int) -> None:
    """Add the options that say how often chance is asked."""
    parser.add_argument("--runs", type=int, default=runs, help=f"draws of chance (default: {runs})")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed draws the same")


def _run(arguments: argparse.Namespace) -> int:
    check_runs(arguments.runs)
    found = [sources.find(each) for each in arguments.policy]
    context = open_context(arguments) if needs_account(arguments) else None
    recorded = recording_of(arguments, context)
    policies = found or [sources.deployed(_endpoint(context).endpoint)]
    version = _version(arguments, recorded)
    contenders = [each.contender(has_slow=recorded.has_slow) for each in policies]
    if not arguments.alone:
        contenders += others(policies[0])
    outcomes = rehearse(distinct(contenders), recorded, version, arguments.runs, arguments.seed, shown_progress)
    if arguments.plot:
        arguments.plot.parent.mkdir(parents=True, exist_ok=True)
        arguments.plot.write_text(picture.draw(recorded, outcomes), encoding="utf-8")
    console, as_json = make_console(), arguments.output == "json"
    show(console, [document(each) for each in outcomes], _table(outcomes), as_json=as_json)
    if not as_json:
        _tell(console, recorded, outcomes, arguments)
    return 0


def check_runs(runs: int) -> None:
    """Refuse a number of runs that says nothing or never ends."""
    if not 1 <= runs <= MAX_RUNS:
        raise UsageError(f"--runs: {runs} is not from 1 to {MAX_RUNS:,}", "write --runs 20")


def needs_account(arguments: argparse.Namespace) -> bool:
    """Return whether anything is read from where the endpoint is deployed."""
    return arguments.metrics is None or not arguments.policy


def _endpoint(context: Context | None) -> Context:
    assert context is not None
    return context


def recording_of(arguments: argparse.Namespace, context: Context | None) -> Recording:
    """Return the recording that the options name."""
    if arguments.metrics is not None:
        given = ("hours", "live_slot", "slow_ms", "save")
        if unused := [name for name in given if getattr(arguments, name) is not None]:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in unused)
            raise UsageError(
                f"{names}: only for what CloudWatch gives, and --metrics is given", "leave one of them out"
            )
        return recording.read(arguments.metrics)
    hours = 24.0 if arguments.hours is None else arguments.hours
    if not 0.1 <= hours <= cloudwatch.MAX_HOURS:
        raise UsageError(
            f"--hours: {hours:g} is not from 0.1 to {cloudwatch.MAX_HOURS}", "CloudWatch keeps minutes for 15 days"
        )
    account = _endpoint(context)
    recorded = cloudwatch.record(
        account.aws,
        account.endpoint.name,
        hours=hours,
        now=time.time(),
        live_slot=arguments.live_slot,
        slow_ms=arguments.slow_ms,
    )
    if arguments.save:
        recording.write(recorded, arguments.save)
    return recorded


def _version(arguments: argparse.Namespace, recorded: Recording) -> Version | None:
    given = {name: getattr(arguments, name) for name in ("new_errors", "new_slow")}
    for name, value in given.items():
        if value is not None and not 0 <= value <= 100:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option}: {value:g} is not a percentage", f"write {option} 2 for 2 %")
    if arguments.new_slow is not None and not recorded.has_slow:
        raise UsageError(
            f"--new-slow: {arguments.new_slow:g}, but {recorded.source} says nothing of slow requests",
            "give a recording with a column slow, or leave --new-slow out",
        )
    if any(value is not None for value in given.values()):
        return AsStated(recorded, *(None if value is None else value / 100 for value in given.values()))
    return AsRecorded(recorded) if recorded.new.requests else None


def others(source: Source) -> list[Contender]:
    """Return what others would do: their rule on their own steps, or on this policy's where they have none."""
    plan = source.contender(has_slow=True).plan
    free = type(plan)(plan.steps)
    alarm = source.alarm
    both = (f"{alarm}, over both fleets",)
    return [
        Contender("SageMaker guardrails, canary", guardrails_canary(), Guardrails(alarm), both),
        Contender("SageMaker guardrails, linear", guardrails_linear(), Guardrails(alarm), both),
        Contender("Argo-like", free, ArgoLike(), ("success rate below 0.95 in more than 3 periods",)),
        Contender("Kayenta-like", free, KayentaLike(), ("Mann-Whitney at 98 % every 5 periods, peeked",)),
    ]


def distinct(contenders: list[Contender]) -> list[Contender]:
    """Refuse policies of one name, which nobody could tell apart."""
    names = [each.name for each in contenders]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--policy: two policies are called {twice!r}", "give each once, in files of different names")
    return contenders


def shown_progress(things: Iterable[Any], count: int, text: str) -> Iterator[Any]:
    """Go through things and show how far it is, where errors are shown."""
    yield from track(things, text, total=count, console=make_error_console(), transient=True)


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    if outcomes[0].new is not None:
        for name in ("new version:\nrolled back", "\nafter", "answered\nby it", "requests\nhurt"):
            table.add_column(name, justify="right")
    for name in ("good version:\npromoted", "\nafter", "rolled back\nby mistake"):
        table.add_column(name, justify="right")
    for outcome in outcomes:
        cells = [outcome.contender.name]
        if outcome.new is not None:
            cells += [*_ended(outcome.new, End.ROLLED_BACK), f"{outcome.new.taken:,.0f}", f"{outcome.new.hurt:,.0f}"]
        good = outcome.good
        cells += [*_ended(good, End.PROMOTED), of(len(good.of(End.ROLLED_BACK)), good.count)]
        table.add_row(*cells)
    return table


def _ended(runs: Runs, end: End) -> tuple[str, str]:
    return of(len(runs.of(end)), runs.count), minutes(runs.typical_seconds(end))


def _tell(console: Console, recorded: Recording, outcomes: list[Outcome], arguments: argparse.Namespace) -> None:
    lines = [
        f"\ntraffic: {recorded.source}: {minutes(recorded.seconds)} in periods of {recorded.period_seconds} s; "
        f"live {_rates(recorded, recorded.live)}; new {_rates(recorded, recorded.new)}",
        f"Times and counts are medians of {arguments.runs} draws (seed {arguments.seed}). "
        "A period's number of requests is as recorded, divided by weight; "
        "which of them are bad is drawn from the version's own.",
        "A request is hurt when it failed or was slow and the live version's would not have been.",
    ]
    lines += [f"{each.contender.name}: {'; '.join(each.contender.notes)}" for each in outcomes if each.contender.notes]
    lines += [
        f"{each.contender.name}, in the new version's median run: {each.new.shown.end.value}"
        f"{f': {each.new.shown.reason}' if each.new.shown.reason else ''}"
        for each in outcomes
        if each.new is not None
    ]
    if outcomes[0].new is None:
        lines.append("The recording has no new version: --new-errors 2 rehearses one that fails 2 % of its requests.")
    if arguments.plot:
        lines.append(f"picture: {arguments.plot}")
    console.print("\n".join(lines), soft_wrap=True)


def _rates(recorded: Recording, answered: recording.Answered) -> str:
    if not answered.requests:
        return NOTHING
    slow = f", {100 * answered.slow / answered.requests:.2g} % slow" if recorded.has_slow else ""
    return f"{answered.requests:,} requests, {100 * answered.errors / answered.requests:.2g} % 5xx{slow}"


def document(outcome: Outcome) -> dict[str, Any]:
    """Return what became of a contender."""
    return {
        "policy": outcome.contender.name,
        "notes": list(outcome.contender.notes),
        "new": _runs(outcome.new) if outcome.new else None,
        "good": _runs(outcome.good),
    }


def _runs(runs: Runs) -> dict[str, Any]:
    shown = runs.shown
    return {
        "runs": runs.count,
        "rolled_back": len(runs.of(End.ROLLED_BACK)),
        "rolled_back_seconds": runs.typical_seconds(End.ROLLED_BACK),
        "promoted": len(runs.of(End.PROMOTED)),
        "promoted_seconds": runs.typical_seconds(End.PROMOTED),
        "asks": len(runs.of(End.ASKS)),
        "unfinished": len(runs.of(End.UNFINISHED)),
        "requests": runs.taken,
        "hurt": round(runs.hurt, 1),
        "typical": {"end": shown.end.value, "seconds": shown.seconds, "reason": shown.reason, "weights": shown.weights},
    }
