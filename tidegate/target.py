"""Which account a command works on. An environment of this machine, such as `local`, is never an AWS account."""

from __future__ import annotations

import os

from tidegate.aws import Aws, connect
from tidegate.errors import OperatorError
from tidegate.places import LOCAL, is_local


def open_environment(environment: str) -> Aws:
    """Return where the environment is deployed: AWS, or for one of this machine the local cloud of this folder.

    An exported ``AWS_ENDPOINT_URL`` always decides; without one an environment whose file names the local cloud's
    account means the local cloud that runs here, so that a command for it cannot reach an account by mistake.
    """
    if os.environ.get("AWS_ENDPOINT_URL") or not is_local(environment):
        return connect()
    from tidegate.local.state import StateFolder  # only here, so that the rest works without the local side

    running = StateFolder().running()
    if running is None:
        raise OperatorError("the local cloud is not running in this folder", f"start it: {up_command(environment)}")
    return connect(running.environment)


def up_command(environment: str) -> str:
    """Return the command that deploys an environment in the local cloud."""
    return f"python -m tidegate local up{'' if environment == LOCAL else f' --env {environment}'}"
