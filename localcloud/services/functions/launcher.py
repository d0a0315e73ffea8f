"""What a worker is started with: command, environment, credentials of its role, and where its lines go."""

import sys
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from localcloud.credentials import Credentials, CredentialStore, Principal
from localcloud.services.functions.function import Function
from localcloud.services.functions.invocation import Invocation, Outcome
from localcloud.services.functions.log_shipper import Line, LogShipper
from localcloud.services.functions.platform_log import PlatformLog
from localcloud.services.functions.runtime_api import RuntimeApi
from localcloud.services.functions.runtime_folder import make_runtime_folder
from localcloud.services.functions.worker import Launch, Worker

ON_DEMAND = "on-demand"
PROVISIONED = "provisioned-concurrency"


class Launcher:
    """Starts workers.

    Parameters
    ----------
    work_dir
        Where the runtime folder, compiled modules and temporary files go.
    endpoint_url
        Returns the front's URL, which workers get as AWS_ENDPOINT_URL.
    region
        Region they run in.
    credentials
        Mints credentials of their roles.
    logs
        Takes their lines.
    trust
        Returns the variables by which workers trust certificates that this cloud made; none if it made none.
    """

    def __init__(
        self,
        work_dir: Path,
        endpoint_url: Callable[[], str],
        region: str,
        credentials: CredentialStore,
        logs: LogShipper,
        trust: Callable[[], Mapping[str, str]],
    ) -> None:
        self._work_dir = work_dir
        self._endpoint_url = endpoint_url
        self._region = region
        self._credentials = credentials
        self._logs = logs
        self._trust = trust
        self._runtime_folder = make_runtime_folder(work_dir / "runtime")
        (work_dir / "tmp").mkdir(parents=True, exist_ok=True)
        self.api = RuntimeApi()

    def start(self, function: Function, initialisation: str = ON_DEMAND) -> "LoggedWorker":
        """Start a worker of a function or version, because there is an invocation for it or ahead of any."""
        role_id = "AROA" + uuid.uuid5(uuid.NAMESPACE_URL, function.role).hex[:16].upper()
        credentials = self._credentials.mint(function.role, role_id, function.name)
        stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{uuid.uuid4().hex}"
        sink = _LineSink(self._logs, function.log_group, stream, credentials.principal)
        log = PlatformLog(function, sink)
        launch = Launch(
            (sys.executable, "-S", "-m", "awslambdaric", function.settings["Handler"]),
            {**self._environment(function, credentials, stream), "AWS_LAMBDA_INITIALIZATION_TYPE": initialisation},
            function.code.folder,
        )
        log.initialising()
        return LoggedWorker(Worker(launch, self.api, sink), log, lambda: self._credentials.revoke(credentials))

    def stop(self) -> None:
        """Stop serving runtimes."""
        self.api.stop()

    def _environment(self, function: Function, credentials: Credentials, stream: str) -> dict[str, str]:
        """Return what Lambda sets, with the function's own variables over it."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(self._work_dir / "tmp"),
            "PYTHONPATH": f"{function.code.folder}:{self._runtime_folder}",
            # Compiled modules go aside: the package's folder stays as it was unpacked.
            "PYTHONPYCACHEPREFIX": str(self._work_dir / "pycache"),
            "_HANDLER": function.settings["Handler"],
            "LAMBDA_TASK_ROOT": str(function.code.folder),
            "LAMBDA_RUNTIME_DIR": str(self._runtime_folder),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.settings['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_LAMBDA_LOG_FORMAT": "JSON" if function.json_logs else "Text",
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            "AWS_ENDPOINT_URL": self._endpoint_url(),
            # Lambda's system trusts Amazon's authority, and so caches; here their certificates are of an authority that
            # no system knows, and functions must not switch off checks that hold on AWS.
            **self._trust(),
            **function.environment,
        }


class _LineSink:
    """Sends a worker's lines to its log stream, in its role's name."""

    def __init__(self, logs: LogShipper, group: str, stream: str, principal: Principal) -> None:
        self._logs = logs
        self._group = group
        self._stream = stream
        self._principal = principal

    def __call__(self, text: str) -> None:
        # A carriage return stands for a line break inside one message.
        message = text.replace("\r", "\n")
        self._logs.ship(Line(self._group, self._stream, int(time.time() * 1000), message, self._principal))


class LoggedWorker:
    """A worker whose invocations stand between the platform's START and REPORT lines."""

    def __init__(self, worker: Worker, log: PlatformLog, on_end: Callable[[], None]) -> None:
        self._worker = worker
        self._log = log
        self._on_end = on_end
        self._cold = True

    @property
    def idle_since(self) -> float:
        """Return when it last had something to do."""
        return self._worker.idle_since

    @property
    def started_at(self) -> float:
        """Return when it was started."""
        return self._worker.started_at

    @property
    def alive(self) -> bool:
        """Whether it can take an invocation."""
        return self._worker.alive

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._worker.pid

    def run(self, invocation: Invocation) -> Outcome:
        """Handle one invocation."""
        self._log.start(invocation)
        outcome = self._worker.run(invocation)
        initialised = self._initialisation_seconds() if self._cold else None
        self._cold = False
        self._log.end(invocation, outcome, initialised, self._worker.peak_memory_mb)
        return outcome

    def await_start(self) -> bool:
        """Wait until its runtime asks for work; False when it ended, or took too long, before that."""
        return self._worker.await_start()

    def _initialisation_seconds(self) -> float:
        ended_at = self._worker.initialised_at
        return (time.time() if ended_at is None else ended_at) - self._worker.started_at

    def kill(self) -> None:
        """Kill it and take its credentials back."""
        self._worker.kill()
        self._on_end()

    def join(self, timeout: float) -> None:
        """Wait for its end."""
        self._worker.join(timeout)
