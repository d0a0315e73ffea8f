"""Bringing the endpoint to a config, and its variants to a weight."""

from lambdas.contract import FULL_WEIGHT
from lambdas.rollout.abort import after_failure
from lambdas.rollout.actions import SetWeights, UpdateEndpoint
from lambdas.rollout.decision import Decision, Turn
from lambdas.rollout.state import Sent

SETTLE_SECONDS = 30.0
"""Longer than a call that got no answer can take to be carried out after all."""


def bring_to(turn: Turn, config: str, text: str) -> Decision | None:
    """Put `config` live; None once the endpoint is in service on it.

    In service on another config after the call was made means that the update has failed: AWS goes back by itself.
    """
    if turn.endpoint.config == config:
        return None
    sent = turn.rollout.sent
    if sent is not None and sent.target == config and turn.endpoint.modified_at > sent.at:
        reason = turn.endpoint.failure_reason or "SageMaker gives no reason"
        return after_failure(turn, f"UpdateEndpoint to {config} came back: {reason}")
    entries = () if sent is not None and sent.target == config else (turn.entry("update", text, config=config),)
    return turn.act(UpdateEndpoint(config), entries, sent=Sent(config, turn.now))


def settled(turn: Turn) -> bool:
    """Return whether no update can still be on its way: the last one has shown up, or is long past."""
    sent = turn.rollout.sent
    return sent is None or turn.endpoint.modified_at > sent.at or turn.now - sent.at >= SETTLE_SECONDS


def weights_at(turn: Turn, weight: float) -> bool:
    """Return whether the new version takes `weight` and the stable one the rest, verified on the endpoint."""
    rollout, variants = turn.rollout, turn.endpoint.variants
    wanted = _weights(turn, weight)
    return rollout.slot in variants and all(
        slot in variants and variants[slot].stands_at(share) for slot, share in wanted.items()
    )


def set_weights(turn: Turn, weight: float) -> Decision:
    """Give the new version `weight` and the stable one the rest."""
    return turn.act(SetWeights(_weights(turn, weight)))


def _weights(turn: Turn, weight: float) -> dict[str, float]:
    rollout = turn.rollout
    return {rollout.slot: float(weight), rollout.stable_slot: FULL_WEIGHT - weight}
