"""Watches a run: the endpoint four times a second, its alarms and its audit trail beside it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from tidegate import live, rollouts
from tidegate.aws import Aws
from tidegate.demo.observations import AlarmSighting, Observations, Sighting
from tidegate.demo.openloop import Pace
from tidegate.errors import OperatorError
from tidegate.live import VersionsByConfig
from tidegate.settings import EndpointSettings

ENDPOINT_SECONDS = 0.25
ALARM_SECONDS = 0.5
AUDIT_SECONDS = 1.0


class Poller:
    """Does something again and again on a thread of its own; a failure is noted and the next try goes on."""

    def __init__(self, action: Callable[[], None], interval: float, note_error: Callable[[str], None]) -> None:
        self._action = action
        self._interval = interval
        self._note_error = note_error
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=f"poll-{action.__name__}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the look that is under way."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._action()
            except (BotoCoreError, ClientError, OperatorError) as error:
                self._note_error(f"{self._thread.name}: {error}")
            self._stopped.wait(self._interval)


class Pollers:
    """Several of them; a context, at whose end the looks that are under way are waited for."""

    def __init__(self, *pollers: Poller) -> None:
        self._pollers = pollers

    def __enter__(self) -> Self:
        for poller in self._pollers:
            poller.start()
        return self

    def __exit__(self, *_: object) -> None:
        for poller in self._pollers:
            poller.stop()


class Recorder(Pollers):
    """Fills the observations of a run; a context.

    Parameters
    ----------
    aws
        The account.
    endpoint
        The endpoint's settings.
    observations
        What is filled.
    versions
        Names the version of each variant of a configuration.
    pace
        Time.
    """

    def __init__(
        self, aws: Aws, endpoint: EndpointSettings, observations: Observations, versions: VersionsByConfig, pace: Pace
    ) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._seen = observations
        self._versions = versions
        self._pace = pace
        note = observations.observer_errors.append
        super().__init__(
            Poller(self.look_at_endpoint, ENDPOINT_SECONDS, note),
            Poller(self.look_at_alarms, ALARM_SECONDS, note),
            Poller(self.look_at_audit, AUDIT_SECONDS, note),
        )

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.look_at_endpoint()
        self.look_at_alarms()
        self.look_at_audit()
        self._seen.ended = self._pace.now()

    def look_at_endpoint(self) -> None:
        """Record the endpoint's status and weights, and what its configuration runs."""
        asked = self._pace.now()
        now = live.observe(self._aws, self._endpoint.name)
        weights = {variant.name: variant.weight for variant in now.variants}
        self._seen.sightings.append(Sighting(asked, self._pace.now(), now.status, now.config, weights))
        if now.config not in self._seen.configs:
            self._seen.configs[now.config] = self._versions.of(now.config)

    def look_at_alarms(self) -> None:
        """Record every alarm whose state is not what was last seen."""
        for alarm in live.alarms(self._aws, self._endpoint.name):
            last = next((seen for seen in reversed(self._seen.alarms) if seen.name == alarm.name), None)
            if last is None or (last.state, last.since) != (alarm.state, alarm.since):
                self._seen.alarms.append(
                    AlarmSighting(self._pace.now(), alarm.name, alarm.state, alarm.since, alarm.reason)
                )

    def look_at_audit(self) -> None:
        """Record the audit trail and the rollouts' summaries as they now stand."""
        self._seen.audit = rollouts.audit(self._aws, self._endpoint)
        self._seen.rollouts = rollouts.summaries(self._aws, self._endpoint)
