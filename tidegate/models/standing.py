"""What the engine and retraining have to do with each version: what must not be taken from under them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lambdas.contract import PACKAGE_APPROVED
from lambdas.retraining.state import State as Retraining
from lambdas.rollout.episode import ACCEPTED, SUPERSEDED, Episode
from lambdas.rollout.items import PACKAGE_PREFIX, partition, read_episode
from lambdas.rollout.state import State
from tidegate import items, live, loop_settings, retraining, rollouts
from tidegate.aws import Aws
from tidegate.models.record import Record
from tidegate.settings import EndpointSettings

LIVE, SERVING, ROLLING_OUT, QUEUED, FAILED = "live", "serving", "rolling out", "queued", "failed"
ROLLBACK, RETRAINING, PINNED, ARCHIVED = "rollback target", "retraining", "pinned", "archived"


@dataclass(frozen=True)
class Mark:
    """Something to know of a version before it is touched: in a word, and why."""

    kind: str
    text: str


@dataclass(frozen=True)
class Standing:
    """What is recorded of an endpoint.

    Parameters
    ----------
    rollouts
        What the engine has recorded; None before the first deployment has.
    episodes
        Approvals that the engine has taken in, by package.
    retraining
        What is recorded of retraining; None where it is not declared.
    serving
        Artefacts that the endpoint's variants run, whoever put them there.
    """

    rollouts: State | None
    episodes: Mapping[str, Episode] = field(default_factory=dict)
    retraining: Retraining | None = None
    serving: frozenset[str] = frozenset()


def load(aws: Aws, endpoint: EndpointSettings) -> Standing:
    """Read what is recorded, and look at what the endpoint runs."""
    config = live.observe(aws, endpoint.name).config
    # Looked at before the record is read: what goes live in between is on its way there.
    serving = frozenset(live.VersionsByConfig(aws, lambda url: url).of(config).values()) if config else frozenset()
    found = items.beginning(aws, endpoint.table, partition(endpoint.name), PACKAGE_PREFIX)
    episodes = {episode.package_arn: episode for episode in map(read_episode, found)}
    asked = loop_settings.retraining(aws, endpoint)
    return Standing(
        rollouts=rollouts.load(aws, endpoint),
        episodes=episodes,
        retraining=retraining.load(aws, endpoint) if asked is not None else None,
        serving=serving,
    )


def marks(record: Record, standing: Standing) -> list[Mark]:
    """Return what is to be known of a version, the most important first."""
    return [*holding(record, standing), *_own(record)]


def holding(record: Record, standing: Standing) -> list[Mark]:
    """Return why a version must not be archived; nothing where that would take nothing from anybody."""
    state = standing.rollouts
    found = [*_engine(record, state, standing.serving), *_approval(record, standing)] if state else []
    found += _retraining(record, standing.retraining)
    return [*found, Mark(PINNED, f"it is pinned ({record.pinned})")] if record.pinned else found


def _own(record: Record) -> list[Mark]:
    return [Mark(ARCHIVED, record.stage_description or "it was archived")] if record.archived else []


def _engine(record: Record, state: State, serving: frozenset[str]) -> Iterator[Mark]:
    arn, rollout, failed = record.package.arn, state.rollout, state.failed
    if state.live.package_arn == arn:
        yield Mark(LIVE, "it is live")
    if rollout is not None and rollout.package_arn == arn:
        yield Mark(ROLLING_OUT, f"it is in the rollout {rollout.id}, in {rollout.phase}")
    elif state.live.package_arn != arn and record.package.model_data in serving - {""}:
        yield Mark(SERVING, "the endpoint has instances of it")
    wanted = [state.queued, *(command.candidate for command in state.commands)]
    if any(each is not None and each.package_arn == arn for each in wanted):
        yield Mark(QUEUED, "it waits to be rolled out")
    if failed is not None and failed.package_arn == arn:
        yield Mark(FAILED, "its rollout failed last and can be retried")
    if any(past.package_arn == arn for past in state.past):
        yield Mark(ROLLBACK, "it was live before, so that a rollback may go to it")


def _approval(record: Record, standing: Standing) -> Iterator[Mark]:
    """Tell of an approval that is yet to be answered: not heard of, or displaced by one that may be withdrawn."""
    state, episode = standing.rollouts, standing.episodes.get(record.package.arn)
    if record.package.approval != PACKAGE_APPROVED or state is None:
        return
    if episode is None or not episode.open:
        yield Mark(QUEUED, "its approval has not been taken in by the engine yet")
    elif episode.outcome in (ACCEPTED, SUPERSEDED) and episode.approved_at > state.newest_started:
        yield Mark(QUEUED, "it is approved and may still be rolled out")


def _retraining(record: Record, state: Retraining | None) -> Iterator[Mark]:
    if state is None:
        return
    arn, run, approval = record.package.arn, state.run, state.approval
    if run is not None and run.id == record.lineage.run:
        yield Mark(RETRAINING, f"the retraining run {run.id}, which registered it, is under way")
    elif run is not None and run.champion.package_arn == arn:
        yield Mark(RETRAINING, f"the retraining run {run.id} compares with it")
    if approval is not None and approval.package_arn == arn:
        yield Mark(RETRAINING, f"it is just being approved after the retraining run {approval.run}")
