"""Step Functions' API."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from localcloud.clock import Clock
from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.paging import page
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.jobs.job_service import JobService
from localcloud.services.role_access import RoleAccess
from localcloud.services.workflows import descriptions
from localcloud.services.workflows.definition import parse
from localcloud.services.workflows.errors import RUNTIME
from localcloud.services.workflows.halt import Halt
from localcloud.services.workflows.interpreter import MOST_BYTES, Interpreter
from localcloud.services.workflows.permissions import READ, START, Permissions
from localcloud.services.workflows.records import ABORTED, FAILED, RUNNING, Execution, Machine, Records
from localcloud.services.workflows.tasks import Tasks

Params = Mapping[str, Any]
Item = TypeVar("Item")
_DEFAULT_PAGE = 100
_SECONDS_TO_CLOSE = 3.0
_SETTINGS = ("loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
_WRITTEN = dict.fromkeys(("definition", "roleArn", *_SETTINGS), ANY)
_CREATED = {**_WRITTEN, "name": ANY, "tags": ANY, "type": OneOf("STANDARD")}
_STARTED = dict.fromkeys(("stateMachineArn", "name", "input", "traceHeader"), ANY)
_LISTED = dict.fromkeys(("stateMachineArn", "mapRunArn", "statusFilter", "maxResults", "nextToken"), ANY)


class WorkflowService(Service):
    """State machines and their executions.

    Parameters
    ----------
    jobs
        Where jobs of tasks run.
    roles
        Opens sessions of the state machines' roles.
    permissions
        What Step Functions asks of roles and callers.
    clock
        Time.
    account, region
        For ARNs.
    longest_pause
        Upper bound on pauses before retries, in seconds.
    """

    name: ClassVar[str] = "stepfunctions"

    def __init__(
        self,
        jobs: JobService,
        roles: RoleAccess,
        permissions: Permissions,
        clock: Clock,
        *,
        account: str,
        region: str,
        longest_pause: float,
    ) -> None:
        self._jobs = jobs
        self._roles = roles
        self._permissions = permissions
        self._clock = clock
        self._prefix = f"arn:aws:states:{region}:{account}:stateMachine:"
        self._longest_pause = longest_pause
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._machines: dict[str, Machine] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self._records = Records()
        self._threads: list[threading.Thread] = []

    @operation("CreateStateMachine")
    def create_state_machine(self, params: Params) -> dict[str, Any]:
        """Create a state machine; the same one again is success."""
        refuse_others("CreateStateMachine", params, _CREATED)
        arn = self._prefix + params["name"]
        machine = self._new(arn, params)
        with self._lock:
            known = self._machines.setdefault(arn, machine)
            if known is not machine and (known.text, known.role, known.settings) != (
                machine.text, machine.role, machine.settings
            ):  # fmt: skip
                raise AwsError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
            self._tags.setdefault(arn, {each["key"]: each["value"] for each in params.get("tags") or []})
        return {"stateMachineArn": arn, "creationDate": descriptions.machine(known)["creationDate"]}

    def _new(self, arn: str, params: Params) -> Machine:
        definition = parse(params["definition"])
        settings = {name: params[name] for name in _SETTINGS if name in params}
        self._permissions.check_role(params["roleArn"], definition, logs=_logs(settings))
        name = arn.removeprefix(self._prefix)
        return Machine(name, arn, params["roleArn"], params["definition"], definition, self._clock.now(), settings)

    @operation("UpdateStateMachine")
    def update_state_machine(self, params: Params) -> dict[str, Any]:
        """Change a state machine; executions that have begun go on with what they began with."""
        refuse_others("UpdateStateMachine", params, {**_WRITTEN, "stateMachineArn": ANY})
        with self._lock:
            old = self._machine(params["stateMachineArn"])
            kept = {"definition": old.text, "roleArn": old.role, **old.settings}
            new = self._new(old.arn, {**kept, **params})
            new.created_at = old.created_at
            self._machines[old.arn] = new
        now = descriptions.machine(Machine(**{**vars(new), "created_at": self._clock.now()}))["creationDate"]
        return {"updateDate": now, "revisionId": new.revision}

    @operation("DescribeStateMachine")
    def describe_state_machine(self, params: Params) -> dict[str, Any]:
        """Describe a state machine."""
        return descriptions.machine(self._machine(params["stateMachineArn"]))

    @operation("DeleteStateMachine")
    def delete_state_machine(self, params: Params) -> dict[str, Any]:
        """Delete a state machine, and stop its executions; that there is none is success."""
        arn = params["stateMachineArn"]
        with self._lock:
            self._machines.pop(arn, None)
            self._tags.pop(arn, None)
        for execution in self._records.of_machine(arn):
            execution.halt.stop()
        return {}

    @operation("StartExecution")
    def start_execution(self, params: Params) -> dict[str, Any]:
        """Begin an execution; the same one again, while it runs, is success."""
        refuse_others("StartExecution", params, _STARTED)
        given = params.get("input") or "{}"
        _check_input(given)
        with self._lock:
            machine = self._machine(params["stateMachineArn"])
            self._permissions.check_caller(machine, START)
            name = params.get("name") or str(uuid.uuid4())
            arn = f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}"
            known = self._records.executions.get(arn)
            if known is None:
                known = self._begin(machine, arn, name, given)
            elif known.status != RUNNING or known.given != given:
                raise AwsError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return {"executionArn": arn, "startDate": descriptions.execution(known)["startDate"]}

    def _begin(self, machine: Machine, arn: str, name: str, given: str) -> Execution:
        halt, now = Halt(self._closed, machine.definition.seconds), self._clock.now()
        execution = Execution(arn, name, machine, machine.role, machine.definition, given, now, halt)
        self._records.executions[arn] = execution
        thread = threading.Thread(target=self._run, args=(execution,), name=f"execution {name}", daemon=True)
        self._threads = [*(each for each in self._threads if each.is_alive()), thread]
        thread.start()
        return execution

    def _run(self, execution: Execution) -> None:
        machine = execution.machine
        with self._roles.open(execution.role, execution.name) as session:
            principal = session.credentials.principal
            refusal = self._permissions.role_refusal(principal, machine)
            if refusal is not None:
                execution.end(FAILED, self._clock.now(), error=RUNTIME, cause=refusal)
                return
            interpreter = Interpreter(
                self._records,
                Tasks(session, self._jobs),
                lambda: self._permissions.map_refusal(principal, machine),
                self._clock,
                lambda parent: Halt(self._closed, parent=parent),
                self._longest_pause,
            )
            interpreter.run(execution)

    @operation("StopExecution")
    def stop_execution(self, params: Params) -> dict[str, Any]:
        """Stop an execution; its jobs are stopped, its functions are waited for."""
        execution = self._execution(params["executionArn"])
        now = self._clock.now()
        execution.end(ABORTED, now, error=params.get("error"), cause=params.get("cause"))
        execution.halt.stop()
        return {"stopDate": descriptions.execution(execution)["stopDate"]}

    @operation("DescribeExecution")
    def describe_execution(self, params: Params) -> dict[str, Any]:
        """Describe an execution."""
        refuse_others("DescribeExecution", params, {"executionArn": ANY, "includedData": OneOf("ALL_DATA")})
        execution = self._execution(params["executionArn"])
        self._permissions.check_caller(execution.machine, READ)
        return descriptions.execution(execution)

    @operation("ListExecutions")
    def list_executions(self, params: Params) -> dict[str, Any]:
        """List the executions of a state machine or a map run, the newest first."""
        refuse_others("ListExecutions", params, _LISTED)
        machine, run = params.get("stateMachineArn"), params.get("mapRunArn")
        if bool(machine) == bool(run):
            raise AwsError("ValidationException", "One of stateMachineArn and mapRunArn must be given")
        if run and run not in self._records.map_runs:
            raise AwsError("ResourceNotFound", f"Map run does not exist: '{run}'")
        found = self._records.of_map_run(run) if run else self._records.of_machine(self._machine(str(machine)).arn)
        wanted = params.get("statusFilter")
        chosen = [each for each in reversed(found) if wanted in (None, each.status)]
        return _page("executions", chosen, params, descriptions.execution_summary)

    @operation("ListMapRuns")
    def list_map_runs(self, params: Params) -> dict[str, Any]:
        """List the map runs of an execution."""
        arn = self._execution(params["executionArn"]).arn
        runs = [each for each in list(self._records.map_runs.values()) if each.execution_arn == arn]
        return _page("mapRuns", runs, params, descriptions.map_run)

    @operation("TagResource")
    def tag_resource(self, params: Params) -> dict[str, Any]:
        """Tag a state machine."""
        self._tags_of(params).update({each["key"]: each["value"] for each in params["tags"]})
        return {}

    @operation("UntagResource")
    def untag_resource(self, params: Params) -> dict[str, Any]:
        """Remove tags of a state machine."""
        for key in params["tagKeys"]:
            self._tags_of(params).pop(key, None)
        return {}

    @operation("ListTagsForResource")
    def list_tags(self, params: Params) -> dict[str, Any]:
        """List the tags of a state machine."""
        return {"tags": [{"key": key, "value": value} for key, value in self._tags_of(params).items()]}

    def running(self) -> list[str]:
        """Return the names of the executions that have not ended, but for those of Maps."""
        with self._records.lock:
            found = list(self._records.executions.values())
        return [each.name for each in found if each.status == RUNNING and each.map_run is None]

    def close(self) -> None:
        """Begin nothing more, and wait a little for what goes on."""
        self._closed.set()
        deadline = time.monotonic() + _SECONDS_TO_CLOSE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _machine(self, arn: str) -> Machine:
        with self._lock:
            found = self._machines.get(arn)
        if found is not None:
            return found
        if any(arn.startswith(f"{known}:") for known in self._machines):
            raise NotSimulatedError(f"versions and aliases of state machines ({arn})")
        raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")

    def _execution(self, arn: str) -> Execution:
        found = self._records.executions.get(arn)
        if found is None:
            raise AwsError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return found

    def _tags_of(self, params: Params) -> dict[str, str]:
        if params["resourceArn"] not in self._tags:
            raise AwsError("ResourceNotFound", f"Resource not found: '{params['resourceArn']}'")
        return self._tags[params["resourceArn"]]


def _logs(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("loggingConfiguration", {}).get("level", "OFF") != "OFF")


def _check_input(given: str) -> None:
    try:
        json.loads(given)
    except ValueError as error:
        raise AwsError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error
    if len(given.encode()) > MOST_BYTES:
        raise AwsError("ValidationException", f"input is longer than {MOST_BYTES} bytes")


def _page(
    key: str, items: Sequence[Item], params: Params, describe: Callable[[Item], dict[str, Any]]
) -> dict[str, Any]:
    chosen, token = page(items, params.get("nextToken"), int(params.get("maxResults") or _DEFAULT_PAGE))
    answer: dict[str, Any] = {key: [describe(item) for item in chosen]}
    return {**answer, "nextToken": token} if token else answer
