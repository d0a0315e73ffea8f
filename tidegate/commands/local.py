"""local up, down, status, logs, env, deploy, destroy, demo: AWS on this machine."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from tidegate import views
from tidegate.console import make_console
from tidegate.errors import OperatorError, UsageError
from tidegate.local import assembly, launch
from tidegate.local.control import Control
from tidegate.local.progress import DeployDisplay
from tidegate.local.state import Running, StateFolder
from tidegate.parser import output_option
from tidegate.places import LOCAL, LOCAL_ACCOUNT, declared, is_local, local_environments

FOLLOW_SECONDS = 0.5
LOG_LINES = 40


def add_to(commands: Any) -> None:
    """Add the commands to the parser."""
    parser = commands.add_parser("local", help="AWS on this machine: start, stop, deploy, demo")
    orders = parser.add_subparsers(required=True)
    _env_option(_add(orders, "up", "start the local cloud and deploy an environment to it", up))
    _env_option(_add(orders, "deploy", "synthesise and deploy an environment again", deploy))
    _add(orders, "destroy", "delete everything that is deployed; the local cloud goes on", destroy)
    env_help = "print the variables that make a shell use it: eval $(python -m tidegate local env)"
    output_option(_add(orders, "env", env_help, env))
    down_parser = _add(orders, "down", "delete everything that is deployed and stop the local cloud", down)
    down_parser.add_argument("--force", action="store_true", help="stop it without deleting first")
    output_option(_add(orders, "status", "show whether it runs, and what is deployed", status))
    logs_parser = _add(orders, "logs", "show the local cloud's log", logs)
    logs_parser.add_argument("--follow", "-f", action="store_true", help="go on showing what is written")
    logs_parser.add_argument("--lines", type=int, default=LOG_LINES, help="how many lines to begin with")
    _add_demo(orders)
    _add_demo_loop(orders)


def _add(orders: Any, name: str, help_text: str, run: Callable[[argparse.Namespace], int]) -> Any:
    parser = orders.add_parser(name, help=help_text)
    parser.set_defaults(run=run)
    return parser


def _env_option(parser: argparse.ArgumentParser) -> None:
    # Not $TIDEGATE_ENV's: that may name an environment of AWS.
    parser.add_argument(
        "--env", type=_local, default=LOCAL, help=f"environment with the account {LOCAL_ACCOUNT} (default: {LOCAL})"
    )


def _local(environment: str) -> str:
    """Refuse an environment that is to be deployed to AWS, or that there is not."""
    if is_local(environment):
        return environment
    why = "is not one of this machine" if environment in declared() else "is not declared"
    raise UsageError(
        f"environment {environment!r} {why}, so that it cannot be deployed to the local cloud",
        f"environments/ has for this machine (account {LOCAL_ACCOUNT}): {', '.join(local_environments())}",
    )


def _add_demo(orders: Any) -> None:
    parser = _add(orders, "demo", "roll a good version out, and a bad and a wrong one back; leaves a report", demo)
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder of the report")
    parser.add_argument("--quick", action="store_true", help="shorter quiet stretches around the rollouts")
    parser.add_argument("--picture", type=Path, help="also draw the run to this SVG file")


def _add_demo_loop(orders: Any) -> None:
    text = "let the weather drift, and see a better model be trained and take over; leaves a report"
    parser = _add(orders, "demo-loop", text, demo_loop)
    parser.add_argument("--output", type=Path, default=Path("build/demo-loop"), help="folder of the report")
    parser.add_argument("--picture", type=Path, help="also draw the run to this SVG file")


def up(arguments: argparse.Namespace) -> int:
    """Start the local cloud, deploy, and say how to use it."""
    console, folder = make_console(), StateFolder()
    running = folder.running()
    if running is None:
        with console.status("starting the local cloud"):
            running = launch.start(folder)
        console.print(f"local cloud started (process {running.pid}, log {folder.log})")
    else:
        console.print(f"local cloud runs already (process {running.pid})")
    _deploy(console, running, arguments.env)
    if arguments.env != LOCAL:
        console.print(f"\nto look at it: python -m tidegate list --env {arguments.env}")
    console.print("\nto use it from a shell: eval $(python -m tidegate local env), or:")
    _print_exports(console, running)
    return 0


def deploy(arguments: argparse.Namespace) -> int:
    """Deploy again."""
    _deploy(make_console(), _need_running(), arguments.env)
    return 0


def destroy(_: argparse.Namespace) -> int:
    """Delete what is deployed."""
    _destroy(make_console(), _need_running())
    return 0


def down(arguments: argparse.Namespace) -> int:
    """Delete what is deployed, and stop."""
    console, folder = make_console(), StateFolder()
    running = folder.running()
    if running is None:
        folder.forget()
        console.print("the local cloud is not running")
        return 0
    if not arguments.force:
        _destroy_or_offer_force(console, running)
    launch.stop(folder)
    console.print("local cloud stopped")
    return 0


def _destroy_or_offer_force(console: Console, running: Running) -> None:
    try:
        _destroy(console, running)
    except OperatorError as error:
        force = "stop it without deleting first: python -m tidegate local down --force"
        raise OperatorError(error.message, f"{error.hint}; {force}" if error.hint else force) from error


def status(arguments: argparse.Namespace) -> int:
    """Show whether it runs and what is deployed; the exit status is 1 when it does not run."""
    console, folder = make_console(), StateFolder()
    running = folder.running()
    stacks = Control(running).describe()["stacks"] if running else {}
    if arguments.output == "json":
        views.print_json(console, _status_value(running, stacks))
    elif running is None:
        console.print("the local cloud is not running; start it with: python -m tidegate local up")
    else:
        seconds = time.time() - running.started_at
        console.print(
            f"running for {seconds:.0f} s (process {running.pid}) at {running.environment['AWS_ENDPOINT_URL']}"
        )
        console.print(views.stacks_table(stacks))
    return 0 if running else 1


def _status_value(running: Running | None, stacks: Any) -> dict[str, Any]:
    if running is None:
        return {"running": False}
    url = running.environment["AWS_ENDPOINT_URL"]
    return {"running": True, "pid": running.pid, "url": url, "started_at": running.started_at, "stacks": stacks}


def env(arguments: argparse.Namespace) -> int:
    """Print the variables."""
    console, running = make_console(), _need_running()
    if arguments.output == "json":
        views.print_json(console, dict(running.environment))
    else:
        _print_exports(console, running)
    return 0


def logs(arguments: argparse.Namespace) -> int:
    """Show the log."""
    folder = StateFolder()
    if not folder.log.exists():
        raise OperatorError("no local cloud has run in this folder", "start it: python -m tidegate local up")
    print(launch.log_tail(folder, arguments.lines))
    if arguments.follow:
        _follow(folder)
    return 0


def _follow(folder: StateFolder) -> None:
    with folder.log.open(encoding="utf-8", errors="replace") as file:
        file.seek(0, 2)
        while folder.running() is not None:
            print(file.read(), end="", flush=True)
            time.sleep(FOLLOW_SECONDS)


def demo(arguments: argparse.Namespace) -> int:
    """Run the demo."""
    from tidegate.demo.run import run_demo  # its libraries load only when asked for

    return run_demo(arguments.output, quick=arguments.quick, picture=arguments.picture)


def demo_loop(arguments: argparse.Namespace) -> int:
    """Run the demo of the closed loop."""
    from tidegate.demo.loop.run import run_loop  # its libraries load only when asked for

    return run_loop(arguments.output, picture=arguments.picture)


def _need_running() -> Running:
    running = StateFolder().running()
    if running is None:
        raise OperatorError("the local cloud is not running in this folder", "start it: python -m tidegate local up")
    return running


def _deploy(console: Console, running: Running, environment: str) -> None:
    with console.status("synthesising the templates"):
        folder = assembly.synth(environment)
    with DeployDisplay(console, "deploying") as display:
        Control(running).deploy(str(folder), display.show)


def _destroy(console: Console, running: Running) -> None:
    with DeployDisplay(console, "destroying") as display:
        Control(running).destroy(display.show)


def _print_exports(console: Console, running: Running) -> None:
    for name, value in running.environment.items():
        console.print(f"export {name}={shlex.quote(value)}", soft_wrap=True, markup=False, highlight=False)
