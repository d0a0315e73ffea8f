"""Bringing the new version up: as a shadow of the live one where that is wanted, then beside it at weight 0."""

from typing import Any

from lambdas.contract import CAPTURE_VARIANT
from lambdas.rollout.abort import abort
from lambdas.rollout.actions import (
    Action,
    CreateMixedConfig,
    CreateModel,
    CreateShadowConfig,
    ReleaseScaling,
    UpdateEndpoint,
)
from lambdas.rollout.capacity import initial_count, raise_stable
from lambdas.rollout.decision import Decision, Turn, seconds
from lambdas.rollout.gates import go_on
from lambdas.rollout.policy import Shadow
from lambdas.rollout.state import Phase, Source
from lambdas.rollout.updates import bring_about, set_weights, weights_at
from lambdas.rollout.watch import keep_watching


def tags(turn: Turn) -> dict[str, str]:
    """Return the tags of what a rollout creates."""
    rollout = turn.rollout
    named = {"tidegate:endpoint": turn.state.name, "tidegate:rollout": rollout.id}
    return {**named, "tidegate:package": rollout.package_arn} if rollout.package_arn else named


def shadow(turn: Turn) -> Decision:
    """Have the new version answer copies of the live requests, to nobody, and compare."""
    rollout, asked = turn.rollout, turn.rollout.policy.shadow
    if asked is None:
        return turn.move(Phase.PREPARE, "prepare", "The shadow is skipped.", verified_since=None, bake_skipped=False)
    text = f"Starting {rollout.version} on {rollout.slot} as a shadow: it answers copies of the requests, to nobody."
    if unready := _bring_up(turn, _shadow_config(turn, asked), text):
        return unready
    if rollout.verified_since is None:
        return _shadow_is_up(turn, asked)
    return keep_watching(turn) or _compare(turn, asked)


def _shadow_is_up(turn: Turn, asked: Shadow) -> Decision:
    text = (
        f"{turn.rollout.version} answers copies of {asked.traffic_percent} % of the requests on {turn.rollout.slot}; "
        f"comparing for {seconds(asked.seconds)}."
    )
    entry = turn.entry("shadow", text, traffic_percent=asked.traffic_percent)
    return turn.again(entry, verified_since=turn.now, progress_at=turn.now)


def _compare(turn: Turn, asked: Shadow) -> Decision:
    compared = turn.seen.compared
    objection = compared.objection(asked) if compared else ""
    if objection:
        return abort(turn, f"as a shadow it was worse ({objection})")
    said = f"{turn.rollout.version} was good as a shadow ({compared}). Bringing it up beside the live version."
    fresh: dict[str, Any] = {"verified_since": None, "bake_skipped": False, "progress_at": turn.now}
    return go_on(turn, lambda: turn.move(Phase.PREPARE, "prepare", said, **fresh))


def prepare(turn: Turn) -> Decision:
    """Suspend autoscaling, make model and config, and bring the new variant up at weight 0."""
    rollout = turn.rollout
    text = f"Starting {rollout.instance_count} x {rollout.fleet.instance_type} for {rollout.version} on {rollout.slot}."
    if unready := _bring_up(turn, _mixed_config(turn), text):
        return unready
    if not weights_at(turn, 0):
        return set_weights(turn, 0)
    text = f"{rollout.version} is up on {rollout.slot}, with no traffic yet."
    return turn.move(Phase.TEST, "ready", text, progress_at=turn.now)


def _bring_up(turn: Turn, config: CreateShadowConfig | CreateMixedConfig, text: str) -> Decision | None:
    """Put the config live, and do what must be done before; None once it is."""
    if turn.endpoint.config == config.name:
        return None
    update = UpdateEndpoint(config.name)
    return go_on(turn, lambda: _make_ready(turn, config) or bring_about(turn, update, config.name, text))


def _make_ready(turn: Turn, config: CreateShadowConfig | CreateMixedConfig) -> Decision | None:
    released = do_once(turn, ReleaseScaling())
    # What is live under autoscaling takes no instance count of ours.
    return released or raise_stable(turn) or do_once(turn, _model(turn)) or do_once(turn, config)


def do_once(turn: Turn, action: Action) -> Decision | None:
    """Ask an action whose effect lasts; None once it has been done."""
    name = type(action).__name__
    if name in turn.rollout.done:
        return None
    if turn.seen.outcome is not None and turn.seen.outcome.done(type(action)):
        return turn.again(done=(*turn.rollout.done, name))
    # The count is made durable with the first of these, so that a config which exists is found to be the same.
    return turn.act(action, instance_count=_count(turn))


def _count(turn: Turn) -> int:
    return turn.rollout.instance_count or initial_count(turn)


def _model(turn: Turn) -> CreateModel:
    rollout = turn.rollout
    source = rollout.source or Source(rollout.stable_config, rollout.stable_slot)
    return CreateModel(
        name=rollout.model,
        source_config=source.config,
        source_slot=source.slot,
        container=rollout.container,
        sha256=rollout.sha256,
        urgent=rollout.urgent,
        image=rollout.image,
        network_isolation=rollout.fleet.network_isolation,
        execution_role_arn=rollout.execution_role_arn,
        tags=tags(turn),
        variables=_variables(turn),
    )


def _variables(turn: Turn) -> dict[str, str]:
    """Return what a container is told that captures by itself; it would not know which variant it is."""
    asked = turn.rollout.fleet.capture.variables
    return {**asked, CAPTURE_VARIANT: turn.rollout.slot} if asked else {}


def _mixed_config(turn: Turn) -> CreateMixedConfig:
    return CreateMixedConfig(name=turn.rollout.mixed_config, **_new_variant(turn))


def _shadow_config(turn: Turn, asked: Shadow) -> CreateShadowConfig:
    config, share = turn.rollout.shadow_config, asked.traffic_percent
    return CreateShadowConfig(name=config, traffic_percent=share, **_new_variant(turn))


def _new_variant(turn: Turn) -> dict[str, Any]:
    """Return what a config with the new variant in it is made of, whether that takes traffic or copies of it."""
    rollout = turn.rollout
    return {
        "source_config": rollout.stable_config,
        "slot": rollout.slot,
        "model": rollout.model,
        "count": _count(turn),
        "fleet": rollout.fleet,
        "tags": tags(turn),
    }
