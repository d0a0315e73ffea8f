"""drift: what the monitor found in the latest windows of an endpoint's traffic."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from lambdas.monitoring.settings import Settings
from tidegate import drift, drift_report, drift_views, loop_settings
from tidegate.commands.context import Context, open_context
from tidegate.drift import MOST_WINDOWS, Window
from tidegate.errors import OperatorError, UsageError

_HELP = "show what has drifted in the latest windows of traffic, or what was found in one of them"
_WINDOW = "say in words what was found in this window, and what to do; its name is its start (UTC): 2026-11-22T17:32Z"
WINDOWS = 10
REPORTS = Path("build")
"""Where reports go whose file is not named: it is in no commit."""

_OWN_NAME = Path()


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("drift", parents=[common], help=_HELP, description=_HELP)
    parser.add_argument("--window", metavar="ID", help=_WINDOW)
    parser.add_argument(
        "--report",
        nargs="?",
        type=Path,
        const=_OWN_NAME,
        metavar="FILE",
        help=f"save the report of the window (default: the latest that has one) to a file (default: below {REPORTS}/)",
    )
    parser.add_argument(
        "--limit", type=_limit, default=WINDOWS, metavar="N", help=f"so many of the last windows (default: {WINDOWS})"
    )
    parser.set_defaults(run=lambda arguments: run(open_context(arguments), arguments, time.time()))


def _limit(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST_WINDOWS:
        raise argparse.ArgumentTypeError(f"it is {text!r}: give a whole number from 1 to {MOST_WINDOWS}")
    return int(text)


def run(context: Context, arguments: argparse.Namespace, now: float) -> int:
    """Show the latest windows or one of them, or save its report; `now` is in epoch seconds."""
    settings = loop_settings.monitoring(context.aws, context.endpoint)
    if arguments.window is None and arguments.report is None:
        return overview(context, settings, arguments.limit, now)
    if settings is None:
        raise OperatorError(*_undeclared(context))
    found = _chosen(context, arguments.window, with_page=arguments.report is not None)
    if arguments.report is not None:
        return save(context, found, arguments.report)
    steps = drift_report.next_steps(context.aws, found)
    context.show(drift_views.window_document(found, steps), drift_views.window(found, steps))
    return 0


def overview(context: Context, settings: Settings | None, limit: int, now: float) -> int:
    """Show the latest windows, and when the next is due."""
    name = context.endpoint.name
    if settings is None:
        document = drift_views.windows_document(name, None, None, ())
        context.show(document, "; ".join(_undeclared(context)))
        return 0
    windows = drift.windows(context.aws, context.endpoint, limit)
    due = drift.next_due(context.aws, context.endpoint, settings, now)
    told = drift_views.due_text(due, now)
    table = drift_views.windows_table(windows) if windows else Text(f"no window of {name} has been looked at yet")
    context.show(drift_views.windows_document(name, settings, due, windows), Group(table, told))
    return 0


def _undeclared(context: Context) -> tuple[str, str]:
    endpoint = context.endpoint
    return f"{endpoint.name} is not monitored for drift", loop_settings.how_to_declare(endpoint, "monitoring")


def save(context: Context, found: Window, path: Path) -> int:
    """Save a window's report."""
    own = path == _OWN_NAME
    target = REPORTS / f"drift-{context.endpoint.name}-{found.key}.html" if own else path
    drift_report.save(context.aws, found, target, with_folder=own)
    document = drift_views.window_document(found, {}) | {"saved": str(target)}
    context.show(document, f"the report of {found.id} is saved: {target}")
    return 0


def _chosen(context: Context, name: str | None, *, with_page: bool) -> Window:
    known = drift.windows(context.aws, context.endpoint)
    if name is None:
        chosen = next((each for each in reversed(known) if each.page or not with_page), None)
    else:
        chosen = next((each for each in known if each.is_called(name)), None)
    if chosen is not None:
        return chosen
    hint = f"list them: {context.endpoint.command('drift')}"
    forms = "a window is named by its start in UTC, such as 2026-11-22T17:32, 2026-11-22T17:32Z or 2026-11-22T17:32:00Z"
    if name is None:
        raise OperatorError(f"no window of {context.endpoint.name} has a report yet", hint)
    latest = f"the latest is {known[-1].id}" if known else "none has been looked at yet"
    raise UsageError(
        f"{context.endpoint.name} has no window {name!r} among the last {MOST_WINDOWS}; {latest}", f"{forms}; {hint}"
    )
