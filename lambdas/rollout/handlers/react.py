"""Takes rollouts forward when something happens: an alarm, an endpoint's change, a command, a timer.

Calls: dynamodb GetItem, TransactWriteItems (PutItem); sagemaker DescribeEndpoint, UpdateEndpoint,
UpdateEndpointWeightsAndCapacities, InvokeEndpoint, DescribeEndpointConfig, CreateEndpointConfig, DeleteEndpointConfig,
DescribeModel, CreateModel, DeleteModel, AddTags (with both Creates), DescribeModelPackage; iam PassRole (with
CreateModel); cloudwatch DescribeAlarms, GetMetricData; application-autoscaling RegisterScalableTarget,
PutScalingPolicy, DeregisterScalableTarget; ssm GetParameter; sns Publish; sqs SendMessage to the timer queue, which it
also consumes.
"""

from typing import Any

from lambdas.contract import OPERATOR_EVENT_SOURCE, SLOTS, unhealthy_alarm
from lambdas.rollout.adapters.sqs import SqsTimers
from lambdas.rollout.approvals import poke
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import LeaseHeldError, PermanentError
from lambdas.rollout.handlers.batch import each_message
from lambdas.rollout.handlers.faults import report
from lambdas.rollout.handlers.times import epoch
from lambdas.rollout.handlers.wiring import begin, real_ports
from lambdas.rollout.operators import read_command, take_command
from lambdas.rollout.ports import Ports
from lambdas.rollout.sweeper import Fault

WHILE_HELD = 2.0
"""Another worker's cycle takes about this long; its look may have been before what happened now."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Look at the endpoint that an event or a timer is about."""
    ports, owner = real_ports(), begin(context)
    engine = Engine(ports, owner)
    if "Records" in event:
        return each_message(event, lambda message: _on_timer(engine, message))
    name = _take(ports, event)
    if name is not None:
        try:
            _run(engine, name, None)
        except LeaseHeldError:
            poke(ports, name, WHILE_HELD)
    return None


def _on_timer(engine: Engine, message: dict[str, Any]) -> None:
    try:
        _run(engine, message["endpoint"], message.get("due"))
    except LeaseHeldError:
        SqsTimers().repeat(message, WHILE_HELD)


def _run(engine: Engine, name: str, due: float | None) -> None:
    try:
        engine.run(name, due)
    except PermanentError as error:
        # The engine looks again by itself, and tells people of what keeps failing; the metric is for the first time.
        report([Fault(name, str(error))])


def _take(ports: Ports, event: dict[str, Any]) -> str | None:
    """Return the endpoint that an event is about; a command is made durable first."""
    source, detail = event.get("source"), event["detail"]
    if source == OPERATOR_EVENT_SOURCE:
        name, command = read_command(detail, event["id"], epoch(event["time"]))
        take_command(ports, name, command)
        return name
    if source == "aws.cloudwatch":
        return endpoint_of_alarm(detail["alarmName"])
    return str(detail["EndpointName"])


def endpoint_of_alarm(alarm: str) -> str | None:
    """Return the endpoint that a slot's composite alarm is about, or None for any other alarm."""
    suffixes = [unhealthy_alarm("", slot) for slot in SLOTS]
    return next((alarm.removesuffix(suffix) for suffix in suffixes if alarm.endswith(suffix)), None)
