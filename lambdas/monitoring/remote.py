"""Windows that are not counted by the monitor's function: one job counts them, or a state machine in parts."""

from collections.abc import Mapping

from lambdas.monitoring.executions import CountingExecutions
from lambdas.monitoring.gathering import Found
from lambdas.monitoring.jobs import CountingJobs
from lambdas.monitoring.look_folder import Failed
from lambdas.monitoring.ports import Ports
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.settings import Settings
from lambdas.monitoring.windows import Window


class RemoteCounting:
    """Has windows counted elsewhere.

    Parameters
    ----------
    ports
        The world.
    settings
        Of the endpoint.
    """

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._settings = settings
        self._jobs = CountingJobs(ports.jobs, ports.files, settings)
        self._executions = CountingExecutions(ports.executions, ports.files, settings)

    def started(self, window: Window, look: str) -> CountingJobs | CountingExecutions | None:
        """Return what has been started for a look, whatever size its files were then; None if nothing was."""
        both: tuple[CountingJobs | CountingExecutions, ...] = (self._jobs, self._executions)
        return next((each for each in both if each.exists(window, look)), None)

    def start(
        self,
        window: Window,
        look: str,
        baseline: Baseline,
        captures: Found,
        labels: Found | None,
        slots: Mapping[str, str],
    ) -> str | Failed:
        """Start what counts a look, and return its name, or why nothing can."""
        if not self._is_large(captures.size + (0 if labels is None else labels.size)):
            return f"job {self._jobs.start(window, look, baseline, captures, labels, slots)}"
        refusal = self._executions.refusal(captures, labels)
        if refusal is not None:
            return refusal
        return f"execution {self._executions.start(window, look, baseline, captures, labels, slots)}"

    def _is_large(self, size: int) -> bool:
        job = self._settings.job
        return job is not None and job.state_machine is not None and size > job.large_window_bytes
