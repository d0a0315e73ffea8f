"""Whether an approved model package may be rolled out, and whether that approval is a new one. Pure."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lambdas import signing
from lambdas.contract import PACKAGE_APPROVED, PACKAGE_REJECTED
from lambdas.rollout.commands import abort_once
from lambdas.rollout.decision import ANEW, Entry, with_notice
from lambdas.rollout.episode import ACCEPTED, ALREADY_LIVE, REFUSED, SUPERSEDED, Episode
from lambdas.rollout.fleet import repository
from lambdas.rollout.policy.policy import RESTART
from lambdas.rollout.ports import Package
from lambdas.rollout.settings import Settings
from lambdas.rollout.state import FORWARD, Candidate, Kind, Phase, Rollout, State

COMPLETED = "Completed"
_LARGEST_CONTAINER = 60_000
_LATE_EVENT = 10.0
"""Seconds by which an approval's own event may be younger than what the registry says of when it was given."""


class RefusedPackageError(ValueError):
    """A package that must not be rolled out; the text says why and what to do."""


@dataclass(frozen=True)
class Said:
    """What an event said of a package's approval, and when; events come late, twice, or in another order."""

    approval: str
    at: float


@dataclass(frozen=True)
class Admission:
    """What to make durable about an approval."""

    state: State
    episode: Episode
    entries: tuple[Entry, ...]


def admit(
    state: State,
    episode: Episode | None,
    package: Package,
    settings: Settings,
    said: Said | None,
    now: float,
    distrust: str = "",
) -> Admission | None:
    """Open or close the package's approval episode; None when nothing is new.

    The package as it is now decides; an event only tells of a withdrawal that a later approval has hidden.

    Parameters
    ----------
    state
        The endpoint's state.
    episode
        The package's last episode.
    package
        The package as the registry shows it now.
    settings
        The endpoint's settings.
    said
        What the event said that led here; None for a look at the level.
    now
        Epoch seconds.
    distrust
        Why its artefact must not be deployed; only asked for what would be rolled out otherwise.
    """
    approved = package.approval == PACKAGE_APPROVED and package.status == COMPLETED
    if episode is not None and episode.open:
        if approved and not _withdraws(said, episode):
            return _stands(state, episode, package, settings, said, now, distrust)
        at = said.at if approved and said else now
        return close(state, episode, f"it was {said.approval if approved and said else package.approval}", at, now)
    return _open(state, episode, package, settings, said, now, distrust) if approved else None


def _withdraws(said: Said | None, episode: Episode) -> bool:
    # Events carry whole seconds. A creation's own event may share its second with the approval; a rejection's
    # comes after what it rejects.
    if said is None or said.approval == PACKAGE_APPROVED:
        return False
    start = math.floor(episode.approved_at)
    return said.at >= start if said.approval == PACKAGE_REJECTED else said.at > start + 1


def _stands(
    state: State, episode: Episode, package: Package, settings: Settings, said: Said | None, now: float, distrust: str
) -> Admission | None:
    if said is None:
        return _offer(state, episode, package, settings, now, distrust) if waits(state, episode) else None
    known = max(episode.approved_at + _LATE_EVENT, episode.heard_at)
    if said.approval != PACKAGE_APPROVED or said.at <= known:
        return None
    text = (
        f"{package.version} was approved or edited, but its approval of {said_at(episode.approved_at)} still stands, "
        f"so that nothing changes. To have it rolled out anew, {ANEW}."
    )
    return Admission(state, replace(episode, heard_at=said.at), (Entry("unchanged", text),))


def waits(state: State, episode: Episode) -> bool:
    """Return whether a version is still to be rolled out though it does not wait in the queue.

    It was displaced by a newer one, which was withdrawn before it was rolled out.
    """
    may_start = episode.open and episode.outcome in (ACCEPTED, SUPERSEDED)
    return may_start and state.queued is None and episode.approved_at > state.newest_started


def said_at(at: float) -> str:
    """Return a time as a person reads it, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def close(state: State, episode: Episode, why: str, at: float, now: float) -> Admission:
    """End an episode: its rollout is aborted, or does not start."""
    arn = episode.package_arn
    closed, entries = replace(episode, closed_at=at), []
    if state.queued is not None and state.queued.package_arn == arn and state.queued.container is not None:
        text = f"{state.queued.version} is not rolled out, because {why}."
        state, entries = replace(state, queued=None), [Entry("dropped", text)]
    rollout = state.rollout
    # What was live before and is cloned from its config needs no approval.
    if rollout is not None and rollout.package_arn == arn and rollout.container is not None:
        reason = f"the model package {arn} is no longer approved, {why}"
        state = abort_once(state, rollout, "withdrawn", reason, now)
    return Admission(replace(state, wake=now), closed, tuple(entries))


def _open(
    state: State,
    before: Episode | None,
    package: Package,
    settings: Settings,
    said: Said | None,
    now: float,
    distrust: str,
) -> Admission:
    approved_at = _approved_at(before, package, said)
    episode = Episode(package.arn, approved_at)
    finishing = state.rollout is not None and state.rollout.phase is Phase.FINALIZE
    if package.arn == state.live.package_arn and not finishing:
        return _stay(state, replace(episode, outcome=ALREADY_LIVE), package, now)
    return _offer(state, episode, package, settings, now, distrust)


def _stay(state: State, episode: Episode, package: Package, now: float) -> Admission:
    """Take the approval of what is live for the wish to stay with it: what was approved before is not rolled out."""
    rollout, queued, approved_at = state.rollout, state.queued, episode.approved_at
    text = f"{package.version} was approved and is live already: there is nothing to roll out."
    newest = approved_at > max(state.newest_started, queued.approved_at if queued else 0.0)
    if newest and rollout is not None and rollout.kind is Kind.MODEL and rollout.phase in FORWARD:
        reason = f"{package.version}, which is live, was approved anew"
        state = abort_once(state, rollout, "resubmitted", reason, now)
        text += f" The rollout of {rollout.version} is taken back."
    if newest and queued is not None and not queued.urgent:
        state = replace(state, queued=None)
        text += f" {queued.version}, which waited, is not rolled out; to have it afterwards, {ANEW}."
    state = replace(state, newest_started=max(state.newest_started, approved_at), wake=now)
    return Admission(state, episode, (Entry("approved", text),))


def _offer(
    state: State, episode: Episode, package: Package, settings: Settings, now: float, distrust: str
) -> Admission:
    try:
        if distrust:
            raise RefusedPackageError(distrust)
        container, sha256 = examine(package, settings), signing.digest_of(package.metadata)
        candidate = Candidate(package.arn, package.version, episode.approved_at, container, sha256=sha256)
    except RefusedPackageError as error:
        text = f"{package.version} was approved but is refused: {error}"
        state = with_notice(state, f"{state.name}: refused {package.version}", text)
        return Admission(replace(state, wake=now), replace(episode, outcome=REFUSED), (Entry("refused", text),))
    return _queue(state, episode, candidate, now)


def _approved_at(before: Episode | None, package: Package, said: Said | None) -> float:
    # Later than the withdrawal that ended the last episode, so that a second copy of its event ends nothing more.
    times = [package.modified_at]
    times += [before.closed_at + 1] if before is not None and before.closed_at is not None else []
    times += [said.at] if said is not None and said.approval == PACKAGE_APPROVED else []
    return max(times)


def _queue(state: State, episode: Episode, candidate: Candidate, now: float) -> Admission:
    other = state.queued
    newest = max(state.newest_started, other.approved_at if other else 0.0)
    if candidate.approved_at <= newest:
        text = (
            f"{candidate.version} was approved at {said_at(candidate.approved_at)}, but what was approved at "
            f"{said_at(newest)} goes before it: it is not rolled out. To have it rolled out all the same, {ANEW}."
        )
        return Admission(state, replace(episode, outcome=SUPERSEDED), (Entry("superseded", text),))
    if other is not None and other.urgent:
        # The sweep offers it again as soon as that has started.
        text = f"{candidate.version} was approved and waits: {other.version} goes first, because {_wanted(other)}."
        return Admission(state, replace(episode, outcome=SUPERSEDED), (Entry("superseded", text),))
    instead = f" It takes the place of {other.version}; to have that rolled out afterwards, {ANEW}." if other else ""
    text = f"{candidate.version} was approved and will be rolled out{_waiting(state, candidate)}.{instead}"
    state = replace(_make_way(state, candidate, now), queued=candidate, wake=now)
    return Admission(state, replace(episode, outcome=ACCEPTED), (Entry("approved", text),))


def _wanted(candidate: Candidate) -> str:
    return candidate.straight or "somebody asked to roll back to it"


def _waiting(state: State, candidate: Candidate) -> str:
    rollout = state.rollout
    if rollout is None:
        return ""
    if _gives_way(rollout, candidate):
        return f"; the rollout of {rollout.version} is taken back for it"
    return f"; it waits for the rollout of {rollout.version} to end"


def _gives_way(rollout: Rollout, candidate: Candidate) -> bool:
    """Return whether a newer version ends a rollout; never the way back, and a version is not newer than itself."""
    restarts = rollout.kind is Kind.MODEL and rollout.phase in FORWARD and rollout.policy.newer_version == RESTART
    return restarts and not rollout.urgent and rollout.package_arn != candidate.package_arn


def _make_way(state: State, candidate: Candidate, now: float) -> State:
    if state.rollout is None or not _gives_way(state.rollout, candidate):
        return state
    return abort_once(state, state.rollout, "superseded", f"superseded by {candidate.version}", now)


def examine(package: Package, settings: Settings) -> Mapping[str, Any]:
    """Return what CreateModel needs of a package.

    Raises
    ------
    RefusedPackageError
        When its container or its artefact comes from elsewhere than configured.
    """
    if len(package.containers) != 1:
        raise RefusedPackageError(
            f"it has {len(package.containers)} containers in its inference specification; register it with exactly one"
        )
    container = package.containers[0]
    _check_image(str(container.get("Image", "")), settings)
    for uri in _artefacts(container):
        _check_artefact(uri, settings)
    kept = ("Image", "ModelDataUrl", "ModelDataSource", "AdditionalModelDataSources", "Environment")
    taken = {name: container[name] for name in kept if container.get(name)}
    if len(json.dumps(taken)) > _LARGEST_CONTAINER:
        raise RefusedPackageError(
            f"its container, with its environment, is described in more than {_LARGEST_CONTAINER // 1000} KB; move "
            "what is large into the artefact and register the version again"
        )
    return taken


def _check_image(image: str, settings: Settings) -> None:
    if repository(image) not in settings.image_repositories:
        raise RefusedPackageError(
            f"its image {image or '(none)'} is not from a configured repository "
            f"({', '.join(settings.image_repositories)}). Push the image to one of these and register the version "
            "again; or add its repository to the environment's file, deploy, then reject and approve the version anew"
        )


def _check_artefact(uri: str, settings: Settings) -> None:
    if not uri.startswith(f"s3://{settings.artefact_bucket}/"):
        raise RefusedPackageError(
            f"its artefact {uri} is not in the bucket {settings.artefact_bucket}. Copy it there and register the "
            "version again"
        )


def _artefacts(container: Mapping[str, Any]) -> Iterator[str]:
    if container.get("ModelDataUrl"):
        yield str(container["ModelDataUrl"])
    sources = [container.get("ModelDataSource") or {}, *(container.get("AdditionalModelDataSources") or [])]
    for source in sources:
        if source:
            yield str(source.get("S3DataSource", {}).get("S3Uri", ""))
