"""Carrying out the one action of a cycle, and saying what became of it."""

from collections.abc import Callable
from typing import Any

from lambdas.contract import SLOTS
from lambdas.rollout.actions import (
    Action,
    AskHook,
    CreateFinalConfig,
    CreateMixedConfig,
    CreateModel,
    CreateShadowConfig,
    DeleteArtefact,
    KeepScaling,
    ReleaseScaling,
    RunSmokeTest,
    SetCapacity,
    SetWeights,
    UpdateEndpoint,
)
from lambdas.rollout.errors import (
    ForeignError,
    ModelAnswerError,
    RetryableError,
    TamperedError,
    TidegateError,
    TimedOutError,
    in_words,
)
from lambdas.rollout.observation import Outcome, Result
from lambdas.rollout.ports import Ports
from lambdas.rollout.trust import check_artefact
from lambdas.signing import only_artefact


def perform(name: str, action: Action, ports: Ports, has_time: Callable[[], bool]) -> Outcome:
    """Ask the action of AWS, once.

    Parameters
    ----------
    name
        The endpoint.
    action
        What to ask.
    has_time
        Whether another request of a smoke test still fits into this invocation.
    """
    if isinstance(action, RunSmokeTest):
        return _smoke_test(name, action, ports, has_time)
    if isinstance(action, AskHook):
        return _ask(action, ports)
    try:
        _CALLS[type(action)](ports, name, action)
    except Exception as error:
        final, foreign = isinstance(error, TamperedError), isinstance(error, ForeignError)
        return Outcome(action, _result_of(error, ports), in_words(error), final=final, foreign=foreign)
    return Outcome(action, Result.DONE)


def _result_of(error: Exception, ports: Ports) -> Result:
    if not isinstance(error, TidegateError):
        ports.log.exception("an error that nobody foresaw; it counts as a failed attempt")
    if isinstance(error, TimedOutError):
        return Result.UNKNOWN
    return Result.LATER if isinstance(error, RetryableError) else Result.FAILED


def _smoke_test(name: str, action: RunSmokeTest, ports: Ports, has_time: Callable[[], bool]) -> Outcome:
    passed = 0
    try:
        while passed < action.requests and has_time():
            ports.invoker.invoke(name, action.slot, action.test)
            passed += 1
    except Exception as error:
        final = isinstance(error, ModelAnswerError)
        return Outcome(action, _result_of(error, ports), in_words(error), passed, final)
    return Outcome(action, Result.DONE, passed=passed)


def _ask(action: AskHook, ports: Ports) -> Outcome:
    try:
        answer = ports.hooks.ask(action.hook, action.question)
    except Exception as error:
        return Outcome(action, _result_of(error, ports), in_words(error))
    return Outcome(action, Result.DONE, answer.reason, decision=answer.decision)


def release_scaling(ports: Ports, name: str) -> None:
    """Deregister the scalable targets of both slots."""
    for slot in SLOTS:
        ports.autoscaling.release(name, slot)


def _create_model(ports: Ports, action: CreateModel) -> None:
    if action.sha256 and action.container is not None:
        check_artefact(action.container, action.sha256, ports.trust)
    elif action.sha256:
        _check_clone(ports, action)
    ports.endpoints.create_model(action)


def _check_clone(ports: Ports, action: CreateModel) -> None:
    """Check what is cloned; the way back is not held up by who cannot say anything against it.

    Its artefact was compared when it was rolled out, and it has served since.
    """
    container = ports.endpoints.container_of(action)
    try:
        check_artefact(container, action.sha256, ports.trust)
    except TamperedError:
        raise
    except TidegateError as error:
        if not action.urgent:
            raise
        artefact = only_artefact(container)
        ports.log.warning(f"{artefact} is gone back to, and not compared with what was signed: {error}")


# Typed by the key: each call takes the action that it stands under.
_CALLS: dict[type[Action], Callable[[Ports, str, Any], None]] = {
    ReleaseScaling: lambda ports, name, _: release_scaling(ports, name),
    KeepScaling: lambda ports, name, act: ports.autoscaling.keep(name, act.slot, act.scaling),
    CreateModel: lambda ports, _, act: _create_model(ports, act),
    CreateMixedConfig: lambda ports, _, act: ports.endpoints.create_mixed_config(act),
    CreateShadowConfig: lambda ports, _, act: ports.endpoints.create_shadow_config(act),
    CreateFinalConfig: lambda ports, _, act: ports.endpoints.create_final_config(act),
    UpdateEndpoint: lambda ports, name, act: ports.endpoints.update(name, act.config),
    SetWeights: lambda ports, name, act: ports.endpoints.set_weights(name, act.weights),
    SetCapacity: lambda ports, name, act: ports.endpoints.set_capacity(name, act.slot, act.count),
    DeleteArtefact: lambda ports, _, act: ports.endpoints.delete(act.kind, act.name),
}
