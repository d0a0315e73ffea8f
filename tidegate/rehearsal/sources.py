"""Where a rehearsed policy comes from: a file, an endpoint of an environment's file, or what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lambdas.rollout.policy import Policy, PolicyError
from tidegate.environments import typo_hint
from tidegate.errors import UsageError
from tidegate.places import FOLDER
from tidegate.rehearsal.plans import Alarm, Contender, left_out, plan_of
from tidegate.rehearsal.recording import DEFAULT_PERIOD
from tidegate.rehearsal.rules import Ours
from tidegate.settings import EndpointSettings

_FORMS = "give an environment's file, a file with rollout: (and alarms:), or ENDPOINT:ENV such as rain:prod"


class Source:
    """A policy that was found, with its alarm.

    Parameters
    ----------
    name
        Names it.
    policy
        The policy.
    alarm
        The alarm on the share of 5xx answers.
    period_seconds
        Length of the periods in which the endpoint's metrics come.
    """

    def __init__(self, name: str, policy: Policy, alarm: Alarm, period_seconds: int = DEFAULT_PERIOD) -> None:
        self.name, self.policy, self.alarm, self.period_seconds = name, policy, alarm, period_seconds

    def contender(self, *, has_slow: bool) -> Contender:
        """Return it with the engine's own rule."""
        judging = self.policy.judge
        notes = [f"{self.alarm}", "judged" if judging else "no judge: in this policy, so its alarms alone decide"]
        if passed_over := left_out(self.policy):
            notes.append(f"not rehearsed: {', '.join(passed_over)}")
        limits = judging.limits if judging else None
        return Contender(self.name, plan_of(self.policy), Ours(self.alarm, limits, has_slow), tuple(notes))


def find(text: str) -> Source:
    """Return the policy that ``--policy`` names.

    Raises
    ------
    UsageError
        When there is none, or it cannot work.
    """
    path = Path(text)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return _in_file(path, None)
    endpoint, _, environment = text.partition(":")
    if not environment:
        raise UsageError(f"--policy: {text!r} is neither a YAML file nor ENDPOINT:ENV", _FORMS)
    file = FOLDER / f"{environment}.yaml"
    if not file.is_file():
        raise UsageError(f"--policy: there is no environment {environment!r}", typo_hint(environment) or _FORMS)
    return _in_file(file, endpoint)


def deployed(settings: EndpointSettings) -> Source:
    """Return the policy of a deployed endpoint."""
    evidence = settings.evidence
    given = {"percent": evidence.get("error_rate_percent"), "min_requests": evidence.get("min_requests")}
    # A deployment tells how many periods its alarms look at, not how many of them must be bad.
    periods = {"bad": evidence["periods"], "of": evidence["periods"]} if "periods" in evidence else {}
    alarm = Alarm(**{name: value for name, value in given.items() if value is not None}, **periods)
    return Source(settings.name, settings.rollout_policy, alarm, evidence.get("period_seconds", DEFAULT_PERIOD))


def _in_file(path: Path, endpoint: str | None) -> Source:
    data = _load(path)
    if "endpoints" in data:
        chosen = _endpoint(path, data["endpoints"], endpoint)
        return _source(f"{chosen.get('name')}:{data.get('environment', path.stem)}", path, chosen)
    return _source(path.stem, path, data if "rollout" in data else {"rollout": data})


def _load(path: Path) -> Mapping[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"--policy: {path} cannot be read: {error}", _FORMS) from error
    if not isinstance(data, Mapping):
        raise UsageError(f"--policy: {path} holds {type(data).__name__}, not a mapping", _FORMS)
    return data


def _endpoint(path: Path, endpoints: Any, wanted: str | None) -> Mapping[str, Any]:
    entries = endpoints if isinstance(endpoints, list) else []
    found = {str(each.get("name")): each for each in entries if isinstance(each, Mapping)}
    if wanted is None and len(found) == 1:
        return next(iter(found.values()))
    if wanted in found:
        return found[wanted]
    problem = f"has no endpoint {wanted!r}" if wanted else f"has {len(found)} endpoints"
    ways = " or ".join(f"--policy {name}:{path.stem}" for name in found) or _FORMS
    raise UsageError(f"--policy: {path} {problem}", f"give {ways}")


def _source(name: str, path: Path, data: Mapping[str, Any]) -> Source:
    try:
        policy = Policy.from_dict(data.get("rollout"))
    except PolicyError as error:
        message = f"--policy: {path}: rollout.{error.field}: {error.value!r} is not allowed; {error.allowed}"
        raise UsageError(message, error.way_out) from error
    return Source(name, policy, _alarm(path, data.get("alarms") or {}), _period(path, data.get("fleet")))


def _period(path: Path, fleet: Any) -> int:
    period = fleet.get("metrics_period_seconds", DEFAULT_PERIOD) if isinstance(fleet, Mapping) else DEFAULT_PERIOD
    if isinstance(period, bool) or not isinstance(period, int) or period < 1:
        raise UsageError(
            f"--policy: {path}: fleet.metrics_period_seconds: {period!r} is not a number of seconds", "write 10 or 60"
        )
    return period


def _alarm(path: Path, alarms: Any) -> Alarm:
    names = {
        "percent": "error_rate_percent",
        "min_requests": "min_requests",
        "bad": "bad_periods",
        "of": "of_periods",
    }
    if not isinstance(alarms, Mapping):
        raise UsageError(
            f"--policy: {path}: alarms: {alarms!r} is not a mapping", f"its fields are {', '.join(names.values())}"
        )
    given: dict[str, Any] = {field: alarms[name] for field, name in names.items() if name in alarms}
    for field, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            name = names[field]
            raise UsageError(f"--policy: {path}: alarms.{name}: {value!r} is not a number", "write a number from 0")
    return Alarm(**given)
