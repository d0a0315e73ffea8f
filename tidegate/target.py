"""Which account a command works on. Environment `local` is never an AWS account."""

from __future__ import annotations

import os

from tidegate.aws import Aws, connect
from tidegate.errors import OperatorError

LOCAL = "local"


def open_environment(environment: str) -> Aws:
    """Return where the environment is deployed: AWS, or for `local` the local cloud of this folder.

    An exported ``AWS_ENDPOINT_URL`` always decides; without one `local` means the local cloud that runs here, so that a
    command for it cannot reach an account by mistake.
    """
    if environment != LOCAL or os.environ.get("AWS_ENDPOINT_URL"):
        return connect()
    from tidegate.local.state import StateFolder  # only here, so that the rest works without the local side

    running = StateFolder().running()
    if running is None:
        raise OperatorError("the local cloud is not running in this folder", "start it: python -m tidegate local up")
    return connect(running.environment)
