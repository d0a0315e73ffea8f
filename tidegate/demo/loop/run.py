"""Runs the demo of the loop: sets it up, sends the weather, and writes what was seen."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.text import Text

from tidegate import labels, live, registry
from tidegate.aws import Aws, connect
from tidegate.console import make_console
from tidegate.demo.asking import AskSageMaker, runtime_client
from tidegate.demo.display import Display
from tidegate.demo.loop import beginning, page, report, story
from tidegate.demo.loop.report import Setting
from tidegate.demo.loop.seen import LoopSeen
from tidegate.demo.loop.stream import RATE, inference_id, weather
from tidegate.demo.loop.truth import Truth
from tidegate.demo.loop.watch import LoopWatch
from tidegate.demo.observations import Observations
from tidegate.demo.openloop import WallPace
from tidegate.demo.recorder import Recorder
from tidegate.demo.run import CLOUD_FOLDER, SetUp
from tidegate.demo.traffic import Sender, Traffic
from tidegate.live import NameVersion, VersionsByConfig
from tidegate.local import assembly
from tidegate.local.control import Control
from tidegate.local.state import Running, StateFolder
from tidegate.settings import EndpointSettings, find_endpoint

ENVIRONMENT = "loop"
ASSEMBLY = Path("build/cdk.out.loop")


def run_loop(output: Path, picture: Path | None = None) -> int:
    """Run the demo of the loop and return 0 if the loop closed as it should, else 1."""
    console = make_console()
    set_up = SetUp(console)
    with console.status("synthesising templates"):
        templates = set_up.timed("synthesise the templates", lambda: assembly.synth(ENVIRONMENT, ASSEMBLY))
    with set_up.cloud(StateFolder(output / CLOUD_FOLDER)) as running:
        control = Control(running)
        set_up.deploy(control, templates)
        aws = connect(running.environment)
        endpoint = find_endpoint(aws, ENVIRONMENT, None)
        with console.status("waiting for the monitor's first run, and for a window to begin"):
            set_up.timed("wait for a window to begin", lambda: beginning.wait(aws, endpoint, WallPace()))
        seen = _observe(console, running, aws, endpoint)
        described = control.describe()
    setting = Setting(described["durations"], described["differences"], set_up.seconds)
    return _conclude(console, output, report.build(seen, setting), picture)


def _observe(console: Console, running: Running, aws: Aws, endpoint: EndpointSettings) -> LoopSeen:
    pace, stream = WallPace(), weather()
    traffic = Observations(started=pace.now(), endpoint=endpoint.name, rate=RATE)
    seen = LoopSeen(traffic)
    versions = VersionsByConfig(aws, _named(aws, endpoint))
    ask = AskSageMaker(runtime_client(running.environment), endpoint.name, inference_id)
    sender = Sender(ask, stream, traffic.requests.append, pace)
    truth = Truth(stream, traffic.requests, partial(labels.put, aws, endpoint), pace)
    with (
        Recorder(aws, endpoint, traffic, versions, pace),
        LoopWatch(aws, endpoint, seen, truth),
        Traffic(sender, pace, RATE) as sending,
        Display(console, traffic, seen.news) as display,
    ):
        story.tell(seen, display.show, pace, len(stream.rows))
    traffic.handed_out, traffic.ended = sending.handed_out, sending.ended
    return seen


def _named(aws: Aws, endpoint: EndpointSettings) -> NameVersion:
    """Name versions by the registry, and the model that the template brought by its file."""
    first = beginning.champion(aws, endpoint)
    by_registry = live.by_registry(lambda: registry.packages(aws, endpoint.name))

    def name(url: str) -> str:
        found = by_registry(url)
        return first if found == live.BOOTSTRAP else found

    return name


def _conclude(console: Console, output: Path, found: dict[str, Any], picture: Path | None) -> int:
    path = report.write(output, found)
    shown = page.write(output, found)
    if picture is not None:
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_text(page.standalone_svg(found), encoding="utf-8")
    console.print()
    console.print(Group(*(_check(check) for check in found["checks"])))
    console.print(f"\nreport: {shown}  ({path})", soft_wrap=True)
    return 0 if found["passed"] else 1


def _check(check: dict[str, Any]) -> Text:
    outcome = ("pass  ", "green") if check["passed"] else ("FAIL  ", "bold red")
    return Text.assemble(outcome, check["name"], (f"  ({check['detail']})", "dim"))
