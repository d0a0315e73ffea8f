"""Keeps the endpoint of an endpoint's jobs on the live version. It may be killed at any call, or run twice at once.

Each look compares what is with what should be, and does what is missing. What it changes it writes down before: with
that two looks do not both change the endpoint, and what was made is known to whoever tidies up.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace

from lambdas.inference.following.ports import Ports, Seen
from lambdas.inference.following.standing import Standing
from lambdas.inference.following.wanted import Live, Plan, Wanted, wanted

MISSING, IN_SERVICE = "Missing", "InService"
FAILED = frozenset({"Failed", "UpdateRollbackFailed"})
"""From these SageMaker leads nowhere but to the endpoint's deletion."""

AGAIN_SECONDS = 900.0
"""After how long a change that SageMaker has not carried out is asked for again."""

SCALED_SECONDS = 3600.0
"""After how long the scaling is put right again that somebody may have changed."""


class Follower:
    """Follows the live version of one endpoint.

    Parameters
    ----------
    ports, plan
        The world, and the endpoint.
    """

    def __init__(self, ports: Ports, plan: Plan) -> None:
        self._ports, self._plan = ports, plan

    def look(self) -> None:
        """Look once."""
        standing = self._ports.standings.load(self._plan.endpoint)
        live = None if standing.retired_at else self._ports.live.of(self._plan.endpoint)
        if live is None:
            return
        aim, seen = wanted(self._plan, live), self._ports.endpoints.describe(self._plan.name)
        if seen.status == MISSING:
            self._change(standing.gone(), live, aim, lambda: self._create(aim))
        elif seen.status in FAILED:
            self._start_over(standing, seen)
        elif seen.status == IN_SERVICE and seen.config != aim.config_name:
            self._catch_up(standing, live, aim, seen)
        elif seen.status == IN_SERVICE:
            self._rest(standing, live, aim, seen)

    def _change(self, standing: Standing, live: Live, aim: Wanted, make: Callable[[], None]) -> None:
        now = self._ports.clock.now()
        self._ports.standings.save(standing.changing(aim.config_name, live.version, live.key, aim.made, now))
        self._ports.log.info(f"the jobs are to be answered by {live.version}: {aim.config_name}")
        self._ports.endpoints.create_model(aim.model)
        self._ports.endpoints.create_config(aim.config)
        make()

    def _create(self, aim: Wanted) -> None:
        self._ports.endpoints.create(self._plan.name, aim.config_name, self._plan.tags)

    def _catch_up(self, standing: Standing, live: Live, aim: Wanted, seen: Seen) -> None:
        asked = standing.config == aim.config_name and seen.modified_at >= standing.asked_at
        if asked and self._ports.clock.now() - standing.asked_at < AGAIN_SECONDS:
            self._report(
                f"has not taken {aim.config_name}, and answers by {seen.config}: {seen.reason or 'see its log'}"
            )
            return
        # With none, one is started: else the next job would be the first to find out whether the version starts.
        keep = seen.instances > 0
        self._change(
            standing,
            live,
            aim,
            lambda: self._ports.endpoints.update(self._plan.name, aim.config_name, keep_count=keep),
        )

    def _start_over(self, standing: Standing, seen: Seen) -> None:
        if self._ports.clock.now() - standing.asked_at < AGAIN_SECONDS:
            self._report(f"is {seen.status}: {seen.reason}")
            return
        self._ports.standings.save(standing.gone())
        self._ports.endpoints.delete(f"endpoint/{self._plan.name}")

    def _rest(self, standing: Standing, live: Live, aim: Wanted, seen: Seen) -> None:
        if not standing.settled_at or (standing.config, standing.key) != (aim.config_name, live.key):
            standing = self._settle(standing, live, aim)
        standing = self._scale(standing, seen)
        self._tidy(standing, aim)

    def _settle(self, standing: Standing, live: Live, aim: Wanted) -> Standing:
        now = self._ports.clock.now()
        if standing.config != aim.config_name or standing.key != live.key:
            # The same model under another name of the engine's, or a table that has lost its item.
            standing = standing.changing(aim.config_name, live.version, live.key, aim.made, now)
        return self._ports.standings.save(standing.settled(now))

    def _scale(self, standing: Standing, seen: Seen) -> Standing:
        now, told = self._ports.clock.now(), json.dumps([asdict(self._plan.asynchronous), seen.created_at])
        if standing.scaled == told and now - standing.scaled_at < SCALED_SECONDS:
            return standing
        self._ports.scaling.keep(self._plan)
        return self._ports.standings.save(replace(standing, scaled=told, scaled_at=now))

    def _tidy(self, standing: Standing, aim: Wanted) -> None:
        old = [each for each in standing.made if each not in aim.made]
        if not old:
            return
        # Configs before models, as they were made the other way round.
        for each in reversed(old):
            self._ports.endpoints.delete(each)
        self._ports.standings.save(replace(standing, made=aim.made))

    def _report(self, text: str) -> None:
        self._ports.faults.report(self._plan.endpoint, f"{self._plan.name} {text}")
