"""Events as EventBridge delivers them, and what a target makes of them."""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jsonpath_ng.parser import parse as parse_path

Event = dict[str, Any]
_PLACEHOLDER = re.compile(r"<([^<>]+)>")


def new_event(
    account: str, region: str, source: str, detail_type: str, detail: Mapping[str, Any], resources: list[str], at: float
) -> Event:
    """Return a fresh event."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": list(resources),
        "detail": dict(detail),
    }


def target_input(target: Mapping[str, Any], event: Event, rule_arn: str) -> str:
    """Return what a target gets of an event: a fixed input, a part, a transformation, or all of it."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath") is not None:
        return json.dumps(_find(target["InputPath"], event))
    if target.get("InputTransformer"):
        return _transformed(target["InputTransformer"], event, rule_arn)
    return json.dumps(event)


def _find(path: str, event: Event) -> Any:
    # A hyphen is no operator in EventBridge's paths: $.detail-type is a plain name.
    quoted = re.sub(r"\.([A-Za-z_][\w-]*-[\w-]*)", r"['\1']", path)
    found = parse_path(quoted).find(event)
    return found[0].value if found else None


def _transformed(transformer: Mapping[str, Any], event: Event, rule_arn: str) -> str:
    values: dict[str, Any] = {name: _find(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
    values["aws.events.event.json"] = event
    values["aws.events.event"] = event
    values["aws.events.rule-arn"] = rule_arn
    values["aws.events.rule-name"] = rule_arn.rsplit("/", 1)[-1]
    values["aws.events.event.ingestion-time"] = event["time"]
    template = transformer["InputTemplate"]
    return _PLACEHOLDER.sub(lambda match: _inserted(match, values, template), template)


def _inserted(match: re.Match[str], values: Mapping[str, Any], template: str) -> str:
    """Return what a placeholder becomes: JSON on its own, plain text inside a string of the template."""
    if match[1] not in values:
        return match[0]
    value = values[match[1]]
    inside_string = len(re.findall(r'(?<!\\)"', template[: match.start()])) % 2 == 1
    if not inside_string:
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
