"""Takes rollouts forward when something happens: an alarm, an endpoint's change, a command, a timer.

Calls: dynamodb GetItem, Query, TransactWriteItems (PutItem); sagemaker DescribeEndpoint, UpdateEndpoint,
UpdateEndpointWeightsAndCapacities, InvokeEndpoint, DescribeEndpointConfig, CreateEndpointConfig, DeleteEndpointConfig,
DescribeModel, CreateModel, DeleteModel, AddTags (with both Creates), DescribeModelPackage, ListModelPackages; iam
PassRole (with CreateModel); cloudwatch DescribeAlarms, GetMetricData; application-autoscaling RegisterScalableTarget,
PutScalingPolicy, DeregisterScalableTarget; lambda InvokeFunction on the hooks of the policies; ssm GetParameter; sns
Publish; sqs SendMessage to the timer queue, which it also consumes.
"""

from typing import Any

from lambdas.contract import OPERATOR_EVENT_SOURCE, endpoint_of_alarm
from lambdas.rollout.adapters.sqs import SqsTimers
from lambdas.rollout.approvals import poke
from lambdas.rollout.crew import side_by_side
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import LeaseHeldError, PermanentError
from lambdas.rollout.handlers.batch import each_message, named_endpoints
from lambdas.rollout.handlers.faults import report
from lambdas.rollout.handlers.times import epoch
from lambdas.rollout.handlers.wiring import begin, real_ports
from lambdas.rollout.operators import read_command, take_command
from lambdas.rollout.ports import Ports
from lambdas.rollout.sweeper import Fault

WHILE_HELD = 2.0
"""Another worker's cycle takes about this long; its look may have been before what happened now."""

NEWS_SECONDS = 30.0
"""An alarm's event that is older may be about a version that is gone."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Look at the endpoint that an event or a timer is about."""
    ports, owner = real_ports(), begin(context)
    if "Records" in event:
        return _on_timers(ports, owner, event)
    name = _take(ports, event)
    if name is not None:
        try:
            _report(_run(Engine(ports, owner), name, None))
        except LeaseHeldError:
            poke(ports, name, WHILE_HELD)
    return None


def _on_timers(ports: Ports, owner: str, event: dict[str, Any]) -> dict[str, Any]:
    """Look at the endpoints of a batch of timers side by side, so that none waits for another's calls."""
    # Two timers of one endpoint must not take one lease for theirs.
    engines = [Engine(ports, f"{owner}-{number}") for number in range(len(event["Records"]))]
    faults: list[Fault] = []
    if len(engines) > 1:
        ports.alarms.expect(named_endpoints(event))
    answer = each_message(event, lambda message: faults.extend(_on_timer(engines.pop(), message)), side_by_side)
    _report(faults)
    return answer


def _on_timer(engine: Engine, message: dict[str, Any]) -> list[Fault]:
    try:
        return _run(engine, message["endpoint"], message.get("due"))
    except LeaseHeldError:
        SqsTimers().repeat(message, WHILE_HELD)
        return []


def _run(engine: Engine, name: str, due: float | None) -> list[Fault]:
    try:
        engine.run(name, due)
    except PermanentError as error:
        # The engine looks again by itself, and tells people of what keeps failing; the metric is for the first time.
        return [Fault(name, str(error))]
    return []


def _report(faults: list[Fault]) -> None:
    if faults:
        report(faults)


def _take(ports: Ports, event: dict[str, Any]) -> str | None:
    """Return the endpoint that must be looked at before all others, if any; a command is made durable first."""
    source, detail = event.get("source"), event["detail"]
    if source == OPERATOR_EVENT_SOURCE:
        name, command = read_command(detail, event["id"], epoch(event["time"]))
        take_command(ports, name, command)
        return name
    if source == "aws.cloudwatch":
        return _take_alarm(ports, event)
    # Endpoints change by the hundred when as many roll out: in the timers' batches their alarms are read together.
    poke(ports, detail["EndpointName"])
    return None


def _take_alarm(ports: Ports, event: dict[str, Any]) -> str | None:
    """Return the endpoint that an alarm is about; what the event says counts while it is news and cannot be read."""
    alarm, state = event["detail"]["alarmName"], event["detail"].get("state", {})
    if state.get("value") == "ALARM" and ports.clock.now() - epoch(event["time"]) < NEWS_SECONDS:
        ports.alarms.hear(alarm, state.get("reason", ""))
    return endpoint_of_alarm(alarm)
