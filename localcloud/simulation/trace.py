"""A violation on disk: what was injected into which scenario, and which invariant did not hold."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.simulation.bugs import seeded
from localcloud.simulation.judge import Violation
from localcloud.simulation.scenarios import SCENARIOS
from localcloud.simulation.schedule import Schedule
from localcloud.simulation.story import Story
from localcloud.simulation.world import World

SCHEMA = 1


class TraceError(ValueError):
    """A file that is no trace of this version; the text says why."""


@dataclass(frozen=True)
class Trace:
    """A violation that can be looked at again.

    Parameters
    ----------
    schedule
        What is injected.
    bug
        The mistake that was put in on purpose, if any.
    violated
        The invariant that did not hold, and why, in words.
    """

    schedule: Schedule
    bug: str | None
    violated: str

    def write(self, folder: Path) -> Path:
        """Write the trace under a name of its own, with the policy for the reader and the run step by step."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"trace-{self._name()}.json"
        policy = SCENARIOS[self.schedule.scenario].policy.to_dict()
        story, _ = self.retell(self.bug)
        form = {
            "schema": SCHEMA,
            "bug": self.bug,
            "violated": self.violated,
            "policy": policy,
            "schedule": self.schedule.to_dict(),
            "story": story,
        }
        path.write_text(json.dumps(form, indent=1) + "\n")
        return path

    def _name(self) -> str:
        number = self.violated.partition(" (")[0].replace(" ", "-")
        return "-".join(filter(None, (self.bug, self.schedule.scenario, number)))

    def retell(self, bug: str | None) -> tuple[list[str], list[Violation]]:
        """Run it again, and return its story and what did not hold."""
        with seeded(bug):
            world = World(SCENARIOS[self.schedule.scenario])
            world.judge.record = story = Story(world.facts, world.start)
            world.inject(self.schedule)
            world.run()
        return story.lines, world.violations


def read(path: Path) -> Trace:
    """Read a trace.

    Raises
    ------
    TraceError
        When the file is not one, or is of another schema.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        if data["schema"] != SCHEMA:
            raise TraceError(f"{path} is of schema {data['schema']}; this version reads {SCHEMA}")
        return Trace(Schedule.from_dict(data["schedule"]), data["bug"], data["violated"])
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise TraceError(f"{path} is not a trace: {type(error).__name__}: {error}") from error


def shrunk(schedule: Schedule, number: int) -> Schedule:
    """Return the schedule without the parts that the violation of this invariant does not need."""
    for smaller in schedule.smaller():
        if any(violation.number == number for violation in _violations(smaller)):
            return shrunk(smaller, number)
    return schedule


def _violations(schedule: Schedule) -> list[Violation]:
    world = World(SCENARIOS[schedule.scenario])
    world.inject(schedule)
    world.run()
    return world.violations
