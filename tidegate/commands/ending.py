"""Waiting for a rollout's end, and what that end means to a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lambdas.rollout.state import Phase, State
from tidegate import documents, rollouts, views
from tidegate.commands.context import Context
from tidegate.errors import NotPromotedError, OperatorError
from tidegate.looking import Clock, Looker
from tidegate.registry import Package
from tidegate.rollouts import AuditEntry, Rollout
from tidegate.snapshot import Snapshot
from tidegate.trail import Trail

START_SECONDS = 180.0
"""Approvals are heard of within seconds, and those whose event got lost within a minute or two."""


def tell(context: Context, entries: Iterable[AuditEntry]) -> None:
    """Print audit entries, a line each."""
    for entry in entries:
        if context.json:
            views.print_json(context.console, documents.entry(entry), line=True)
        else:
            context.show(entry, views.audit_line(entry))


def judge(context: Context, rollout: Rollout | None) -> int:
    """Return 0 when a rollout was promoted, or there has been none.

    Raises
    ------
    NotPromotedError
        When it ended otherwise.
    """
    if rollout is None or rollout.outcome == Phase.PROMOTED:
        return 0
    reason = f": {rollout.reason}" if rollout.reason else ""
    raise NotPromotedError(
        f"the rollout {rollout.id} of {rollout.version} ended in {rollout.outcome or rollout.phase}{reason}",
        f"see: {context.endpoint.command(f'history --rollout {rollout.id}')}",
    )


def wait_for_end(context: Context, clock: Clock | None = None) -> int:
    """Tell what happens until no rollout is active, and judge the last."""
    _tell_until(context, clock or Clock(), lambda seen: seen.idle)
    return _conclude(context, rollouts.latest(context.aws, context.endpoint))


def last_ended(context: Context) -> str:
    """Return the id of the last rollout if it has ended; those that are waited for come after it."""
    latest = rollouts.latest(context.aws, context.endpoint)
    return latest.id if latest is not None and latest.ended else ""


def wait_for_rollout_of(context: Context, package: Package, after: str, clock: Clock | None = None) -> int:
    """Tell what happens until a version that was just approved has been rolled out, and judge that.

    Parameters
    ----------
    context
        The surroundings.
    package
        The version.
    after
        What `last_ended` said before it was approved.
    clock
        Time.
    """
    clock = clock or Clock()
    given_up = clock.now() + START_SECONDS
    seen = _tell_until(context, clock, lambda seen: _is_over(seen, package, after, given_up))
    own = _own(seen, package, after)
    if own is not None:
        return _conclude(context, own)
    if seen.state is not None and seen.state.live.package_arn == package.arn:
        return 0
    raise OperatorError(
        f"no rollout of {package.version} has started in {START_SECONDS:.0f} s",
        f"the reason is in: {context.endpoint.command('history')}",
    )


def _is_over(seen: Snapshot, package: Package, after: str, given_up: float) -> bool:
    own = _own(seen, package, after)
    if own is not None:
        return own.ended
    if seen.state is not None and package.arn in _under_way(seen.state):
        return False
    live = seen.state is not None and seen.state.live.package_arn == package.arn
    return live or seen.at >= given_up


def _own(seen: Snapshot, package: Package, after: str) -> Rollout | None:
    latest = seen.latest
    own = latest is not None and latest.id > after and latest.version == package.version
    return latest if own else None


def _under_way(state: State) -> list[str | None]:
    return [each.package_arn for each in (state.queued, state.rollout) if each is not None]


def _tell_until(context: Context, clock: Clock, over: Callable[[Snapshot], bool]) -> Snapshot:
    """Tell what happens until it is over; return what was seen last. JSON is left to the conclusion."""
    looker = Looker(
        context.aws, context.endpoint, context.versions, clock, Trail.from_now(context.aws, context.endpoint)
    )
    for look in looker.until(over):
        if not context.json:
            tell(context, look.fresh)
    return look.snapshot


def _conclude(context: Context, ended: Rollout | None) -> int:
    if context.json and ended is not None:
        views.print_json(context.console, documents.summary(ended))
    return judge(context, ended)
