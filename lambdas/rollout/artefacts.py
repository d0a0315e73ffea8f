"""Whose a config or a model is: what is recorded as made by a rollout is deleted when it is no longer needed."""

from lambdas.rollout.actions import CreateFinalConfig, CreateMixedConfig, CreateModel, CreateShadowConfig
from lambdas.rollout.observation import Outcome, Result
from lambdas.rollout.replacing import replace
from lambdas.rollout.state import Artefact, State


def told_apart(state: State, outcome: Outcome | None) -> State:
    """Return the state without what turned out to be somebody else's, or with it once it was made after all.

    A rollout's artefacts are recorded before they are made, so that none is ever left behind. One of that name which
    somebody else has made must not be deleted with them.
    """
    if outcome is None or state.rollout is None:
        return state
    if not isinstance(outcome.action, CreateModel | CreateMixedConfig | CreateShadowConfig | CreateFinalConfig):
        return state
    kind = "model" if isinstance(outcome.action, CreateModel) else "config"
    artefact = Artefact(kind, outcome.action.name, state.rollout.id)
    if outcome.foreign:
        return replace(state, artefacts=tuple(each for each in state.artefacts if each != artefact))
    if outcome.result is Result.DONE and artefact not in state.artefacts:
        return replace(state, artefacts=(*state.artefacts, artefact))
    return state
