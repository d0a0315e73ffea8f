"""Whose a config is, once its name was found taken."""

from typing import Any

from lambdas.rollout.actions import CreateFinalConfig
from lambdas.rollout.artefacts import told_apart
from lambdas.rollout.observation import Outcome, Result


def test_config_that_is_made_after_all_is_ours_again(world: Any) -> None:
    world.approve("1.1.0")
    state = world.until(lambda now: now if now.rollout else None)
    action = CreateFinalConfig(state.rollout.final_config, state.rollout.mixed_config, state.rollout.slot, {})

    disowned = told_apart(state, Outcome(action, Result.FAILED, "taken", foreign=True))
    owned = told_apart(disowned, Outcome(action, Result.DONE))

    assert {each.name for each in state.artefacts} - {each.name for each in disowned.artefacts} == {action.name}
    assert set(owned.artefacts) == set(state.artefacts)
    assert told_apart(owned, Outcome(action, Result.DONE)) is owned
