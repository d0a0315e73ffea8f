"""The feature flags in AppConfig.

Needs appconfig:StartConfigurationSession and appconfig:GetLatestConfiguration on the configuration
`application/<id>/environment/<id>/configuration/<profile>`.
"""

import json
from collections.abc import Callable
from typing import Any

from lambdas.inference.adapters.clients import Lazy
from lambdas.inference.flags import ALL_ON, Switches
from lambdas.inference.ports import Log
from lambdas.inference.settings import Flags

POLL_SECONDS = 15
"""The least that AppConfig allows: how soon a flag is heeded."""

_CONNECT, _READ = 0.5, 0.5


def quick_appconfig() -> Lazy:
    """Return a client that gives up soon, for it is asked while somebody waits."""
    return Lazy("appconfigdata", connect=_CONNECT, read=_READ)


class AppConfigFlags:
    """Implements `lambdas.inference.ports.FeatureFlags`.

    Parameters
    ----------
    flags
        Where they are.
    client
        Returns AppConfig's client.
    clock
        Seconds on a clock that never goes back, and sees the time that a function is frozen.
    log
        Told what went wrong.
    """

    def __init__(self, flags: Flags, client: Callable[[], Any], clock: Callable[[], float], log: Log) -> None:
        self._flags = flags
        self._client = client
        self._clock = clock
        self._log = log
        self._latest = ALL_ON
        self._token = ""
        self._due = clock()

    def latest(self) -> Switches:
        """Return what is on; asked of AppConfig no more often than that wants to be."""
        if self._clock() >= self._due:
            # Set first: a service that does not answer must not be asked by every request.
            self._due = self._clock() + POLL_SECONDS
            self._poll()
        return self._latest

    def _poll(self) -> None:
        try:
            answer = self._client().get_latest_configuration(ConfigurationToken=self._token or self._start())
            self._token = answer["NextPollConfigurationToken"]
            self._due = self._clock() + float(answer.get("NextPollIntervalInSeconds", POLL_SECONDS))
            content = answer["Configuration"].read()
            # Nothing means that nothing has changed.
            self._latest = Switches.of(json.loads(content)) if content else self._latest
        except Exception as error:
            # A token serves once, and expires: after any failure a session of its own begins.
            self._token = ""
            self._log.warning(
                f"the feature flags could not be read; the last ones hold: {type(error).__name__}: {error}"
            )

    def _start(self) -> str:
        answer = self._client().start_configuration_session(
            ApplicationIdentifier=self._flags.application,
            EnvironmentIdentifier=self._flags.environment,
            ConfigurationProfileIdentifier=self._flags.profile,
            RequiredMinimumPollIntervalInSeconds=POLL_SECONDS,
        )
        return str(answer["InitialConfigurationToken"])


class NoFlags:
    """Stands for the flags of a front door that has none."""

    def latest(self) -> Switches:
        """Return that everything is on."""
        return ALL_ON
