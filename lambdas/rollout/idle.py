"""What is kept in order while no rollout is active."""

from dataclasses import replace

from lambdas.rollout.actions import DeleteArtefact, KeepScaling, ReleaseScaling, SetCapacity
from lambdas.rollout.decision import Decision, Entry, Turn, with_notice
from lambdas.rollout.guards import adopted
from lambdas.rollout.observation import Result
from lambdas.rollout.state import Artefact, Shortfall, State
from lambdas.rollout.versions import remember

_SHORTFALL_DELAY, _LONGEST_SHORTFALL_DELAY = 120.0, 3600.0


def call_it_a_day(turn: Turn) -> Decision | None:
    """Leave the rest to the next sweep once autoscaling has been seen to, or a call was refused."""
    outcome = turn.seen.outcome
    if outcome is None or (outcome.result is Result.DONE and not isinstance(outcome.action, KeepScaling)):
        return None
    # What cannot be deleted, or had, now must not keep autoscaling from being seen to.
    if isinstance(outcome.action, DeleteArtefact):
        return None
    if isinstance(outcome.action, SetCapacity):
        return None if outcome.result is Result.FAILED else Decision(_untried(turn.state))
    return turn.rest()


def adopt_live(turn: Turn) -> Decision | None:
    """Take for granted what somebody else has put live."""
    state, config = turn.state, turn.endpoint.config
    if config == state.live.config:
        return None
    live = adopted(state, turn.endpoint)
    text = (
        f"Somebody else put the config {config} live on {state.name} in place of {state.live.config}. It is taken as "
        "the live one: the next rollout starts from it."
    )
    past = remember(state, turn.now)
    state = replace(state, live=live, previous_config=state.live.config, past=past, scaling=None)
    state = with_notice(state, f"{state.name}: another config is live", text)
    return Decision(state, wake_at=turn.now, entries=(Entry("adopted", text, {"config": config}),))


def keep_capacity(turn: Turn) -> Decision | None:
    """Bring the instance count within the declared bounds, which autoscaling alone would not do without traffic."""
    state, outcome = turn.state, turn.seen.outcome
    variant = turn.endpoint.variants.get(state.live.slot)
    if variant is None or (outcome is not None and outcome.done(SetCapacity)):
        return None
    count, short = state.desired_fleet.clamp(variant.desired_count), state.shortfall
    if count == variant.desired_count:
        return Decision(replace(state, shortfall=None), wake_at=turn.now) if short else None
    if short is not None and turn.now < short.retry_at:
        return None if short.told else _tell_of(turn, short, f"{variant.desired_count} instead of {count} instances")
    if state.scaling is not None:
        return _release(turn)
    text = f"Changing {state.live.slot} from {variant.desired_count} to {count} instances, as declared."
    return Decision(
        replace(state, shortfall=_tried(turn, short)),
        SetCapacity(state.live.slot, count),
        turn.now,
        () if short else (Entry("capacity", text, {"instances": count}),),
    )


def _untried(state: State) -> State:
    # Refused for now only, or lost on the way: that says nothing about whether the instances can be had.
    short = state.shortfall
    return replace(state, shortfall=replace(short, tries=short.tries - 1, retry_at=0.0) if short else None)


def _tried(turn: Turn, short: Shortfall | None) -> Shortfall:
    # Counted before the call: an endpoint that AWS takes back to fewer instances shows no failed call.
    tries = short.tries + 1 if short else 1
    delay = min(_SHORTFALL_DELAY * 2 ** min(tries - 1, 10), _LONGEST_SHORTFALL_DELAY)
    return Shortfall(tries, turn.now + delay, short is not None and short.told)


def _tell_of(turn: Turn, short: Shortfall, what: str) -> Decision:
    outcome = turn.seen.outcome
    why = (outcome.reason if outcome else turn.endpoint.failure_reason) or "AWS gives no reason"
    text = (
        f"{turn.state.name} runs on {what}, because: {why}. It is tried again, ever less often, and autoscaling keeps "
        "the declared bounds meanwhile; raise the quota, or declare what can be had."
    )
    state = with_notice(turn.state, f"{turn.state.name}: {what}", text)
    state = replace(state, shortfall=replace(short, told=True))
    return Decision(state, wake_at=turn.now, entries=(Entry("shortfall", text),))


def keep_scaling(turn: Turn) -> Decision | None:
    """Make autoscaling of the live variant what is declared, whatever has become of it."""
    state, scaling = turn.state, turn.state.desired_fleet.scaling
    if scaling is None:
        return _release(turn) if state.scaling is not None else None
    if state.live.slot not in turn.endpoint.variants:
        return None
    entries = () if state.scaling == scaling else (_scaling_entry(state),)
    return Decision(replace(state, scaling=scaling), KeepScaling(state.live.slot, scaling), turn.now, entries)


def _release(turn: Turn) -> Decision:
    if turn.seen.outcome is not None and turn.seen.outcome.done(ReleaseScaling):
        return Decision(replace(turn.state, scaling=None), wake_at=turn.now)
    return Decision(turn.state, ReleaseScaling(), turn.now)


def _scaling_entry(state: State) -> Entry:
    fleet = state.desired_fleet
    text = (
        f"Autoscaling keeps {state.live.slot} between {fleet.min_instances} and {fleet.max_instances} instances at "
        f"{fleet.target_invocations_per_instance:g} requests a minute each."
    )
    return Entry("scaling", text, {"min": fleet.min_instances, "max": fleet.max_instances})


def tidy_up(turn: Turn) -> Decision | None:
    """Remove one config or model that is neither live nor the way back to what was live before."""
    state, outcome = turn.state, turn.seen.outcome
    doomed = _superfluous(state)
    if not doomed or (outcome is not None and outcome.result is not Result.DONE):
        return None
    if outcome is not None and outcome.done(DeleteArtefact):
        return _forget(turn, next(each for each in doomed if _deletion(each) == outcome.action))
    # Another is the first every minute, so that one which cannot be deleted does not keep the others.
    return Decision(state, _deletion(doomed[int(turn.now // 60) % len(doomed)]), turn.now)


def _forget(turn: Turn, gone: Artefact) -> Decision:
    left = tuple(artefact for artefact in turn.state.artefacts if artefact != gone)
    entry = Entry("tidy", f"Removed the {gone.kind} {gone.name}, which is no longer needed.", rollout=gone.rollout)
    return Decision(replace(turn.state, artefacts=left), wake_at=turn.now, entries=(entry,))


def _deletion(artefact: Artefact) -> DeleteArtefact:
    return DeleteArtefact(artefact.kind, artefact.name)


def _sources(state: State) -> set[str]:
    """Return the configs from which a version that waits, or can be retried, is cloned."""
    return {each.source.config for each in (state.queued, state.failed) if each is not None and each.source}


def _superfluous(state: State) -> list[Artefact]:
    configs = {artefact.name: artefact.rollout for artefact in state.artefacts if artefact.kind == "config"}
    kept = {state.live.config, state.previous_config or state.live.config, *_sources(state)}
    if kept - set(configs) - {state.seed_config}:
        # Somebody else's config may use any of our models.
        return []
    rollouts = {configs[name] for name in kept if name in configs}
    return [
        artefact
        for artefact in state.artefacts
        if (artefact.name not in kept if artefact.kind == "config" else artefact.rollout not in rollouts)
    ]
