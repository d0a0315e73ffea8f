"""Bringing the endpoint to a config, and its variants to a weight."""

from lambdas.contract import FULL_WEIGHT
from lambdas.rollout.abort import LATER, after_failure
from lambdas.rollout.actions import Action, SetWeights, UpdateEndpoint
from lambdas.rollout.decision import Decision, Entry, Turn
from lambdas.rollout.state import Sent

SETTLE_SECONDS = 30.0
"""Longer than a call that got no answer can take to be carried out after all."""


def bring_to(turn: Turn, config: str, text: str) -> Decision | None:
    """Put `config` live; None once the endpoint is in service on it.

    In service on another config after the call was made means that the update has failed: AWS goes back by itself.
    """
    return None if turn.endpoint.config == config else bring_about(turn, UpdateEndpoint(config), config, text)


def bring_about(turn: Turn, action: Action, target: str, text: str) -> Decision:
    """Ask for a change that takes instances; what is seen says that it is not, or no longer, what it should be."""
    sent = turn.rollout.sent
    if sent is None or sent.target != target:
        return _send(turn, action, target, turn.entry("update", text, target=target))
    if turn.endpoint.modified_at != sent.modified_at:
        return came_back(turn, type(action).__name__, target)
    # The look may be older than the call, so that calling again at once would only be refused.
    return _send(turn, action, target) if settled(turn) else turn.wait(LATER)


def _send(turn: Turn, action: Action, target: str, *entries: Entry) -> Decision:
    return turn.act(action, entries, sent=intended(turn, target))


def intended(turn: Turn, target: str) -> Sent:
    """Return what is remembered of a change that is about to be asked for."""
    return Sent(target, turn.now, turn.endpoint.modified_at)


def came_back(turn: Turn, call: str, target: str) -> Decision:
    """Count a change that SageMaker has begun and taken back as a failed attempt."""
    reason = turn.endpoint.failure_reason or "SageMaker gives no reason"
    return after_failure(turn, f"{call} to {target} came back: {reason}")


def settled(turn: Turn) -> bool:
    """Return whether no update can still be on its way: the last one has shown up, or is long past."""
    sent = turn.rollout.sent
    return sent is None or turn.endpoint.modified_at != sent.modified_at or turn.now - sent.at >= SETTLE_SECONDS


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
