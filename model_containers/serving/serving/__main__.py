"""The container's entry point: SageMaker starts it as ``docker run <image> serve``."""

import os
import socket
import sys

from . import logs
from .settings import Settings, SettingsError

USAGE_ERROR = 2
BACKLOG = 1024


def main(arguments: list[str]) -> int:
    """Run the command; return the exit status."""
    logs.configure("INFO")
    if arguments != ["serve"]:
        logs.LOGGER.error(f"unknown command {' '.join(arguments) or '(none)'}; the one command is: serve")
        return USAGE_ERROR
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        logs.LOGGER.error(str(error))
        return USAGE_ERROR
    logs.configure(settings.log_level)
    return _serve(settings)


def _serve(settings: Settings) -> int:
    # The socket comes first and the slow imports after it: SageMaker gives it 250 ms.
    with socket.create_server(("0.0.0.0", settings.port), backlog=BACKLOG) as listener:
        from .server import run

        return run(settings, listener)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
