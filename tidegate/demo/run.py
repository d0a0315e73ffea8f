"""Runs the demo: sets it up, tells its story under traffic, and writes what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from lambdas import contract
from tidegate.aws import Aws, connect
from tidegate.console import make_console
from tidegate.demo import function_log, html, models, picture, report
from tidegate.demo.asking import Ask, AskFrontDoor, AskSageMaker, runtime_client
from tidegate.demo.bad_luck import BadLuck
from tidegate.demo.case import Expectation
from tidegate.demo.display import Display
from tidegate.demo.models import BAD, GOOD, WRONG, Models
from tidegate.demo.observations import Observations
from tidegate.demo.openloop import WallPace
from tidegate.demo.recorder import Recorder
from tidegate.demo.report import Setting
from tidegate.demo.story import QUICK, Story, Timing
from tidegate.demo.summary import print_summary
from tidegate.demo.traffic import RATE, Sender, Traffic, weather
from tidegate.front_door import api_key, front_door
from tidegate.live import VersionsByConfig
from tidegate.local import assembly, launch
from tidegate.local.control import Control
from tidegate.local.progress import DeployDisplay
from tidegate.local.state import Running, StateFolder
from tidegate.settings import EndpointSettings, find_endpoint

CLOUD_FOLDER = "cloud"
CLIENT = "demo"
"""The client of environments/local.yaml whose API key the traffic brings."""

STREAM = (
    "The traffic is the daily weather of Bellevue, Nebraska (NOAA, public domain), days 8,000 to 12,000 in a circle: "
    "no model was trained on them, and all lie before the drift that the data set's authors planted from day 12,000 on."
)
Result = TypeVar("Result")


@dataclass
class SetUp:
    """The parts of the set-up, timed.

    Parameters
    ----------
    console
        Where its progress is shown.
    seconds
        How long each part took.
    """

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, action: Callable[[], Result]) -> Result:
        """Do a part of the set-up and say how long it took."""
        started = time.monotonic()
        result = action()
        self.seconds[name] = round(time.monotonic() - started, 1)
        self.console.print(f"{name}: {self.seconds[name]:.1f} s")
        return result

    def prepare(self) -> tuple[Models, Path]:
        """Train the models and synthesise the templates, side by side."""
        with ThreadPoolExecutor(2) as pool, self.console.status("training models, synthesising templates"):
            trained = pool.submit(self.timed, "train the models", models.train)
            synthesised = pool.submit(self.timed, "synthesise the templates", assembly.synth)
            return trained.result(), synthesised.result()

    @contextmanager
    def cloud(self, folder: StateFolder) -> Iterator[Running]:
        """Run a local cloud for as long as the context lasts."""
        launch.stop(folder)
        try:
            yield self.timed("start the local cloud", lambda: launch.start(folder, with_parent=True))
        finally:
            launch.stop(folder)

    def deploy(self, control: Control, templates: Path) -> None:
        """Deploy the templates."""
        with DeployDisplay(self.console, "deploying") as display:
            self.timed("deploy", lambda: control.deploy(str(templates), display.show))


def run_demo(output: Path, *, quick: bool = False, picture: Path | None = None) -> int:
    """Run the demo and return 0 if all versions ended as they should, else 1."""
    console = make_console()
    set_up = SetUp(console)
    trained, templates = set_up.prepare()
    with set_up.cloud(StateFolder(output / CLOUD_FOLDER)) as running:
        control = Control(running)
        set_up.deploy(control, templates)
        aws = connect(running.environment)
        endpoint = find_endpoint(aws, "local", None)
        seen = _observe(console, running, aws, endpoint, trained, QUICK if quick else Timing())
        described = control.describe()
        setting = Setting(
            declared=described["durations"],
            simulated=described["differences"],
            stream=STREAM,
            policy=endpoint.policy,
            limits=alarm_limits(aws, endpoint.name),
            set_up_seconds=set_up.seconds,
        )
    return _conclude(console, output, seen, endpoint, setting, picture)


def _observe(
    console: Console,
    running: Running,
    aws: Aws,
    endpoint: EndpointSettings,
    trained: Models,
    timing: Timing,
) -> Observations:
    pace, stream = WallPace(), weather()
    seen = Observations(started=pace.now(), endpoint=endpoint.name, rate=RATE)
    versions = VersionsByConfig(aws, models.by_content(aws, trained.by_digest()))
    sender = Sender(_way_in(running, aws, endpoint), stream, seen.requests.append, pace)
    bad_luck = BadLuck(Control(running).fail_answers, endpoint, seen)
    with (
        Recorder(aws, endpoint, seen, versions, pace),
        Traffic(sender, pace) as traffic,
        Display(console, seen) as display,
    ):
        Story(aws, endpoint, trained, seen, show=display.show, bad_luck=bad_luck, pace=pace, timing=timing).tell()
    seen.handed_out, seen.traffic_ended = traffic.handed_out, traffic.ended
    function_log.explain(aws, endpoint, seen.requests)
    return seen


def _way_in(running: Running, aws: Aws, endpoint: EndpointSettings) -> Ask:
    """Return how the traffic reaches the model: as applications do, through the front door where there is one."""
    door = front_door(aws, endpoint)
    if door is None:
        return AskSageMaker(runtime_client(running.environment), endpoint.name)
    return AskFrontDoor(door.url, api_key(aws, endpoint, CLIENT))


def alarm_limits(aws: Aws, endpoint: str) -> dict[str, float]:
    """Return what the slots' alarms allow (both slots have the same)."""
    slot = contract.BOOTSTRAP_SLOT
    by_name = {
        contract.error_rate_alarm(endpoint, slot): ("error_percent", 1.0),
        # ModelLatency is in microseconds.
        contract.latency_alarm(endpoint, slot): ("p99_ms", 1000.0),
    }
    answer = aws.cloudwatch.describe_alarms(AlarmNames=list(by_name))
    found: dict[str, float] = {}
    for alarm in answer["MetricAlarms"]:
        name, unit = by_name[alarm["AlarmName"]]
        found[name] = alarm["Threshold"] / unit
    return found


def _conclude(
    console: Console,
    output: Path,
    seen: Observations,
    endpoint: EndpointSettings,
    setting: Setting,
    drawing: Path | None,
) -> int:
    expected = Expectation(GOOD, BAD, WRONG, endpoint.step_weights)
    found: dict[str, Any] = report.build(seen, expected, setting)
    report.write(output, found, seen)
    page = html.write(output, found, report.read_dots(output))
    if drawing is not None:
        picture.write(output, drawing)
    console.print()
    print_summary(console, found)
    console.print(f"\nreport: {page}  ({output / report.REPORT_NAME}, {output / report.REQUESTS_NAME})", soft_wrap=True)
    return 0 if found["passed"] else 1
