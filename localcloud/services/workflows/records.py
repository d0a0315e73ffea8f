"""State machines, executions and map runs as records."""

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.services.workflows.definition import Definition, State
from localcloud.services.workflows.halt import Halt

RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED = "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"


@dataclass
class Machine:
    """A state machine as it is now; executions keep what they began with."""

    name: str
    arn: str
    role: str
    text: str
    definition: Definition
    created_at: float
    settings: dict[str, Any] = field(default_factory=dict)
    """Logging, tracing and encryption, as they were given."""
    revision: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def key(self) -> str | None:
        """Return the customer's key of its data."""
        found: str | None = self.settings.get("encryptionConfiguration", {}).get("kmsKeyId")
        return found


@dataclass
class MapRun:
    """A Map's executions, one for each item."""

    arn: str
    execution_arn: str
    machine_arn: str
    started_at: float
    stopped_at: float | None = None


@dataclass
class Execution:
    """An execution; whoever changes it holds `lock`."""

    arn: str
    name: str
    machine: Machine
    role: str
    definition: Definition
    given: str
    started_at: float
    halt: Halt
    map_run: MapRun | None = None
    status: str = RUNNING
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    stopped_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def input(self) -> Any:
        """Return what it was started with."""
        return json.loads(self.given)

    def context(self, state: str, retries: int, started: str) -> Mapping[str, Any]:
        """Return the context object, ``$$``, of one of its states."""
        return {
            "Execution": {
                "Id": self.arn,
                "Name": self.name,
                "Input": self.input,
                "RoleArn": self.role,
                "StartTime": started,
            },
            "State": {"Name": state, "RetryCount": retries},
            "StateMachine": {"Id": self.machine.arn, "Name": self.machine.name},
        }

    def end(self, status: str, at: float, *, error: str | None = None, cause: str | None = None) -> None:
        """Put down how it ended, unless it has ended."""
        with self.lock:
            if self.status == RUNNING:
                self.status, self.stopped_at, self.error, self.cause = status, at, error, cause


class Records:
    """All executions and map runs."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.executions: dict[str, Execution] = {}
        self.map_runs: dict[str, MapRun] = {}

    def of_machine(self, arn: str) -> list[Execution]:
        """Return a state machine's executions, but for those of Maps."""
        with self.lock:
            return [each for each in self.executions.values() if each.machine.arn == arn and each.map_run is None]

    def of_map_run(self, arn: str) -> list[Execution]:
        """Return the executions of a map run."""
        with self.lock:
            return [each for each in self.executions.values() if each.map_run and each.map_run.arn == arn]

    def begin_map_run(self, execution: Execution, state: State, at: float) -> MapRun:
        """Note that an execution's Map begins."""
        label = str(state.fields.get("Label") or uuid.uuid4().hex[:16])
        arn = f"{execution.machine.arn.replace(':stateMachine:', ':mapRun:')}/{label}:{uuid.uuid4()}"
        run = MapRun(arn, execution.arn, execution.machine.arn, at)
        with self.lock:
            self.map_runs[arn] = run
        return run

    def begin_item(self, execution: Execution, run: MapRun, item: Any, at: float, halt: Halt) -> Execution:
        """Note that an item's execution begins."""
        name = str(uuid.uuid4())
        label = run.arn.rpartition("/")[2].partition(":")[0]
        arn = f"{execution.machine.arn.replace(':stateMachine:', ':execution:')}/{label}:{name}"
        item_run = Execution(
            arn, name, execution.machine, execution.role, execution.definition, json.dumps(item), at, halt, run
        )
        with self.lock:
            self.executions[arn] = item_run
        return item_run
