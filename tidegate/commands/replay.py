"""replay: a violation that the simulation found, told again step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate.console import make_console
from tidegate.errors import UsageError

STILL_VIOLATED = 3


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    text = "run a trace of the simulation again and tell it step by step; status 3 while an invariant still breaks"
    parser = commands.add_parser("replay", help="tell a trace of the simulation step by step", description=text)
    parser.add_argument("trace", type=Path, help="file that `make simulate` left: build/simulation/trace-*.json")
    parser.add_argument("--bug", metavar="NAME", help="put this mistake into the engine, as for a trace that shows it")
    parser.set_defaults(run=lambda arguments: replay(arguments.trace, arguments.bug))


def replay(path: Path, bug: str | None) -> int:
    """Run a trace again, tell it, and return 3 when an invariant still breaks."""
    # The simulation is the local cloud's, which no other command needs.
    from localcloud.simulation.bugs import BUGS
    from localcloud.simulation.trace import TraceError, read

    if bug is not None and bug not in BUGS:
        raise UsageError(f"there is no mistake called {bug}", f"name one of {', '.join(sorted(BUGS))}")
    try:
        trace = read(path)
    except TraceError as error:
        raise UsageError(str(error), "give a file that `make simulate` has left in build/simulation") from error
    console = make_console()
    console.print(f"{trace.schedule}\nfound: {trace.violated}\n", soft_wrap=True)
    story, violations = trace.retell(bug)
    console.print("\n".join(story), soft_wrap=True)
    if violations:
        console.print(f"\nstill violated: {violations[0]}", soft_wrap=True)
        return STILL_VIOLATED
    hint = (
        f" It was found with the mistake {trace.bug} put in: --bug {trace.bug} puts it in again." if trace.bug else ""
    )
    console.print(f"\nevery invariant holds now.{hint if bug is None else ''}", soft_wrap=True)
    return 0
