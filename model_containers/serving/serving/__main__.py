"""The container's entry point: SageMaker starts it as ``docker run <image> serve``."""

import os
import socket
import sys

from .observability import logs
from .settings import BACKLOG, Settings, SettingsError, unknown_variables

USAGE_ERROR = 2
COMMANDS = """serve: answer requests; what SageMaker asks for
digest --model-dir DIR: print the digest of a model's files, to configure or to sign
build-engines [--output DIR]: build TensorRT's engines for this machine's GPU, to ship with the model"""


def main(arguments: list[str]) -> int:
    """Run the command; return the exit status."""
    logs.configure("INFO")
    command, *rest = arguments or [""]
    if command in ("-h", "--help", "help"):
        sys.stdout.write(COMMANDS + "\n")
        return 0
    if command == "digest":
        from .artefact.command import main as digest

        return digest(rest)
    if command not in ("serve", "build-engines") or (command == "serve" and rest):
        logs.LOGGER.error(f"unknown command {' '.join(arguments) or '(none)'}; the commands are:\n{COMMANDS}")
        return USAGE_ERROR
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        logs.LOGGER.error(str(error))
        return USAGE_ERROR
    logs.configure(settings.log_level)
    if unknown := unknown_variables(os.environ):
        logs.LOGGER.warning("these variables are no settings, and do nothing", extra={"variables": unknown})
    if command == "serve":
        return _serve(settings)
    from .device.command import main as build_engines

    return build_engines(rest, settings)


def _serve(settings: Settings) -> int:
    # The socket comes first and the slow imports after it: SageMaker gives it 250 ms.
    try:
        listener = socket.create_server(("0.0.0.0", settings.port), backlog=BACKLOG)
    except OSError as error:
        logs.LOGGER.error(f"port {settings.port} cannot be listened on: {error.strerror}; set SAGEMAKER_BIND_TO_PORT")
        return USAGE_ERROR
    with listener:
        from .server import run

        return run(settings, listener)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
