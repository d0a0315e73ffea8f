"""Whether the version that failed last can be tried again, as its model package stands now."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.contract import PACKAGE_APPROVED
from lambdas.rollout.state import State
from tidegate import registry
from tidegate.aws import Aws
from tidegate.command_events import CommandEvent
from tidegate.errors import RefusedError
from tidegate.settings import EndpointSettings


def check_approval(aws: Aws, endpoint: EndpointSettings, state: State, event: CommandEvent) -> None:
    """Refuse a command by which a version would be tried again whose package is not approved.

    The engine would take the command, and drop the version once it looks at its package.

    Raises
    ------
    RefusedError
        When it is not.
    """
    arn = _tried_again(state, event)
    if arn is None:
        return
    try:
        package = registry.describe(aws, arn)
    except (BotoCoreError, ClientError):
        # Who may not look at it, finds it deleted, or gets no answer, is answered by the engine.
        return
    if package.approval != PACKAGE_APPROVED:
        raise RefusedError(
            f"{package.version} is {package.approval}, not Approved: it would not be rolled out",
            f"approve it, which starts its rollout: {endpoint.command(f'approve --version {package.version}')}",
        )


def _tried_again(state: State, event: CommandEvent) -> str | None:
    """Return the package that a command would have rolled out again; None where it means another, or is refused."""
    failed = state.failed
    retries = event.command == "retry" and not state.has_failed_fleet
    promotes = event.command == "promote" and event.full
    if not (retries or promotes) or state.rollout is not None or state.queued is not None or failed is None:
        return None
    # What is cloned from a config that was live needs no approval.
    return failed.package_arn if failed.container is not None else None
