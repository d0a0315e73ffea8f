"""The local cloud's process: ``python -m tidegate.local.daemon --folder .tidegate``."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from tidegate.local.control_server import ControlServer, Order, Report
from tidegate.local.state import Running, StateFolder

if TYPE_CHECKING:
    from localcloud.cloud import LocalCloud

PARENT_SECONDS = 1.0
log = logging.getLogger("tidegate.local")


class Daemon:
    """Holds a local cloud and carries out orders on it.

    Parameters
    ----------
    cloud
        The local cloud, started.
    """

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._deploying = Lock()
        self.stopped = Event()

    @property
    def orders(self) -> Mapping[str, Order]:
        """What each order does."""
        named = (self.describe, self.deploy, self.destroy, self.fault, self.stop)
        return {order.__name__: order for order in named}

    def describe(self, _: Mapping[str, Any], __: Report) -> dict[str, Any]:
        """Return the stacks, the cloud's durations, and where else it differs from AWS."""
        return {"stacks": self._cloud.deployer.stacks(), **self._cloud.limits()}

    def deploy(self, body: Mapping[str, Any], report: Report) -> dict[str, Any]:
        """Deploy the assembly that the order names."""
        with self._deploying:
            results = self._cloud.deployer.deploy(Path(body["assembly"]), _reporting(report))
        return {"stacks": [vars(result) for result in results]}

    def destroy(self, _: Mapping[str, Any], report: Report) -> dict[str, Any]:
        """Destroy every stack."""
        with self._deploying:
            names = list(self._cloud.deployer.stacks())
            results = self._cloud.deployer.destroy(names, _reporting(report)) if names else []
        return {"stacks": [vars(result) for result in results]}

    def fault(self, body: Mapping[str, Any], _: Report) -> dict[str, Any]:
        """Let some of a variant's requests fail, as the order says."""
        self._cloud.faults.fail_answers(
            body["variant"], int(body["times"]), endpoint=body["endpoint"], reason=body["reason"]
        )
        return {}

    def stop(self, _: Mapping[str, Any], __: Report) -> dict[str, Any]:
        """End the process, once this is answered."""
        self.stopped.set()
        return {}


def _reporting(report: Report) -> Any:
    return lambda progress: report({"kind": "progress", **vars(progress)})


def run(folder: StateFolder, *, with_parent: bool) -> None:
    """Run a local cloud until told to stop."""
    from localcloud.cloud import LocalCloud

    with LocalCloud(work_dir=folder.work) as cloud:
        daemon = Daemon(cloud)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: daemon.stopped.set())
        if with_parent:
            Thread(target=_stop_with_parent, args=(os.getppid(), daemon.stopped), daemon=True).start()
        token = secrets.token_urlsafe(24)
        with ControlServer(daemon.orders, token) as control:
            folder.write(Running(os.getpid(), time.time(), dict(cloud.environment), control.url, token))
            log.info("ready: %s", cloud.endpoint_url)
            daemon.stopped.wait()
            log.info("stopping")
            folder.forget()


def _stop_with_parent(parent: int, stopped: Event) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    stopped.set()


def main(argv: Sequence[str]) -> int:
    """Run a local cloud for a folder, unless one runs there."""
    parser = argparse.ArgumentParser(prog="python -m tidegate.local.daemon", description=main.__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where its state goes (.tidegate)")
    parser.add_argument("--with-parent", action="store_true", help="end when the parent process ends")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder = StateFolder(arguments.folder)
    with folder.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.error("another local cloud holds %s", folder.lock)
            return 1
        folder.clear_work()
        run(folder, with_parent=arguments.with_parent)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
