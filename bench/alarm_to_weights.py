"""From an alarm's event to the call that takes the traffic away, warm, beyond the API's own time."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from rich.table import Table

from bench.cloud import ENDPOINT, ENVIRONMENT, Cloud
from bench.errors import BenchError
from bench.rounds import Tell
from bench.servers import BOOTSTRAP_MODEL
from bench.tape import WEIGHTS
from lambdas import contract
from lambdas.rollout.items import STATE_KEY, key
from tidegate import registry, settings
from tidegate.aws import connect

ROUNDS, WARM_UP, MOST_DISCARDED = 100, 5, 10
LIMIT_SECONDS = 0.25
PATIENCE_SECONDS = 30.0
_TABLE = contract.table_name(ENVIRONMENT)


class RolloutError(BenchError):
    """The rollout did not get where it is to be measured."""


@dataclass(frozen=True)
class Reaction:
    """One round: seconds from the event to the weight call's arrival, and those that the API itself took meanwhile."""

    whole: float
    api: float
    calls: tuple[str, ...]

    @property
    def ours(self) -> float:
        """What the way took beyond the API's own time."""
        return self.whole - self.api


@dataclass(frozen=True)
class Reactions:
    """All rounds."""

    rounds: tuple[Reaction, ...]

    @property
    def p99(self) -> float:
        """The 99th percentile of what is ours, in seconds."""
        return _percentiles([each.ours for each in self.rounds])[1]

    @property
    def over(self) -> list[str]:
        """The limit, if it is passed."""
        if self.p99 <= LIMIT_SECONDS:
            return []
        return [f"p99 beyond the API is {self.p99 * 1000:.0f} ms, and the limit {LIMIT_SECONDS * 1000:.0f} ms"]

    def table(self) -> Table:
        """Return what to print."""
        title = f"From the alarm's event to the weight call: {len(self.rounds)} warm rounds, milliseconds"
        table = Table(title=title, title_justify="left")
        for heading in ("", "p50", "p99", f"p99 of the limit ({LIMIT_SECONDS * 1000:.0f} ms)"):
            table.add_column(heading, justify="right" if heading else "left")
        for name, values in self._parts().items():
            p50, p99 = _percentiles(values)
            share = f"{p99 / LIMIT_SECONDS:.0%}" if name == "beyond the API" else ""
            table.add_row(name, f"{p50 * 1000:.0f}", f"{p99 * 1000:.0f}", share)
        return table

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        parts = {name: _percentiles(values) for name, values in self._parts().items()}
        return {
            "rounds": len(self.rounds),
            "limit_seconds": LIMIT_SECONDS,
            "seconds": {name: {"p50": p50, "p99": p99} for name, (p50, p99) in parts.items()},
            "calls_before_the_weight_call": list(self.rounds[-1].calls),
        }

    def _parts(self) -> Mapping[str, list[float]]:
        return {
            "in all": [each.whole for each in self.rounds],
            f"the API: {len(self.rounds[-1].calls)} calls before it": [each.api for each in self.rounds],
            "beyond the API": [each.ours for each in self.rounds],
        }


def measure(cloud: Cloud, tell: Tell, rounds: int = ROUNDS) -> Reactions:
    """Let the canary's alarm go off again and again; the rollout is put back to where it was in between."""
    tell("alarm to weights: rolling a version out")
    canary = _Canary(cloud)
    taken: list[Reaction] = []
    for _ in range(MOST_DISCARDED + rounds):
        tell(f"alarm to weights: {len(taken)} of {WARM_UP + rounds} rounds")
        taken += filter(None, [canary.react()])
        if len(taken) == WARM_UP + rounds:
            return Reactions(tuple(taken[WARM_UP:]))
    raise RolloutError("too many alarms were judged anew before anybody could react to them")


class _Canary:
    """An endpoint with a canary at its first step, which can be brought there again."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._table, self._sagemaker = cloud.client("dynamodb"), cloud.client("sagemaker")
        self._alarms = cloud.client("cloudwatch")
        self._key = {name: {"S": value} for name, value in key(ENDPOINT, STATE_KEY).items()}
        self._start()
        self._item = self._wait_until_baking()
        self._weights = self._weights_now()
        # A part, because a composite alarm that is set by hand is judged anew at once.
        self._alarm = contract.error_rate_alarm(ENDPOINT, self._item["rollout"]["M"]["slot"]["S"])
        self._leave_nothing_but_the_alarms()

    def react(self) -> Reaction | None:
        """Let the alarm go off, wait for the weight call, and put everything back.

        None when there was no such call, because CloudWatch had judged the alarm by its metric again meanwhile.
        """
        self._cloud.ask("quiet")
        self._table.put_item(TableName=_TABLE, Item=self._item)
        self._cloud.ask("start")
        self._set_alarm("ALARM")
        noted = self._cloud.ask("weights")
        self._table.delete_item(TableName=_TABLE, Key=self._key)
        self._set_alarm("OK")
        self._put_weights_back()
        return _reaction(noted)

    def _start(self) -> None:
        aws = connect(self._cloud.environment)
        endpoint = settings.find_endpoint(aws, ENVIRONMENT, ENDPOINT.removesuffix(f"-{ENVIRONMENT}"))
        package = registry.register(aws, endpoint, model=BOOTSTRAP_MODEL, version="99.0.0").package
        registry.decide(aws, package, "Approved")

    def _wait_until_baking(self) -> dict[str, Any]:
        for _ in _waiting("the rollout to bake"):
            item: dict[str, Any] = self._table.get_item(TableName=_TABLE, Key=self._key)["Item"]
            rollout = item["rollout"].get("M", {})
            if rollout.get("phase") == {"S": "BAKE"} and "NULL" in item["lease_owner"]:
                return item
        raise RolloutError("unreachable")

    def _leave_nothing_but_the_alarms(self) -> None:
        """Keep the sweeper, timers and other events from looking at the endpoint as well."""
        events, functions = self._cloud.client("events"), self._cloud.client("lambda")
        for rule in events.list_rules()["Rules"]:
            if "AlarmStates" not in rule["Name"]:
                events.disable_rule(Name=rule["Name"])
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    def _set_alarm(self, state: str) -> None:
        self._alarms.set_alarm_state(AlarmName=self._alarm, StateValue=state, StateReason="as the benchmark wants it")

    def _weights_now(self) -> list[dict[str, Any]]:
        """Return the weights once they are what is wanted."""
        for _ in _waiting("the endpoint to be in service"):
            shown = self._sagemaker.describe_endpoint(EndpointName=ENDPOINT)
            if shown["EndpointStatus"] == "InService":
                break
        variants = shown["ProductionVariants"]
        return [{"VariantName": each["VariantName"], "DesiredWeight": each["CurrentWeight"]} for each in variants]

    def _put_weights_back(self) -> None:
        if self._weights_now() != self._weights:
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=ENDPOINT, DesiredWeightsAndCapacities=self._weights
            )
        if self._weights_now() != self._weights:
            raise RolloutError(f"{ENDPOINT} cannot be brought back to the canary's first step")


def _waiting(what: str) -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)
    raise RolloutError(f"waited {PATIENCE_SECONDS:g} s in vain for {what}")


def _reaction(noted: Mapping[str, Any]) -> Reaction | None:
    arrived = next((call["began"] for call in noted["calls"] if call["name"] == WEIGHTS), None)
    if arrived is None or not noted["event_at"]:
        return None
    before = [call for call in noted["calls"] if call["began"] < arrived]
    return Reaction(arrived - noted["event_at"], _covered(before, arrived), tuple(call["name"] for call in before))


def _covered(calls: list[Mapping[str, Any]], end: float) -> float:
    """Return the time during which at least one of the calls was being handled; one may not have ended yet."""
    covered, until = 0.0, 0.0
    for call in calls:
        ended = min(call["ended"] or end, end)
        covered += max(0.0, ended - max(call["began"], until))
        until = max(until, ended)
    return covered


def _percentiles(values: list[float]) -> tuple[float, float]:
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]
