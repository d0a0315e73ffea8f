"""Keeps the endpoint of an endpoint's jobs on the live version. It may be killed at any call, or run twice at once.

Each look compares what is with what should be, and does what is missing. What it changes it writes down before: with
that two looks do not both change the endpoint, and what was made is known to whoever tidies up.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace

from lambdas.inference.following.ports import Ports, Seen
from lambdas.inference.following.standing import Standing
from lambdas.inference.following.wanted import Plan, Wanted, wanted
from lambdas.inference.live import LiveModel
from lambdas.inference.signed_artefact import check
from lambdas.rollout.errors import TamperedError, TidegateError

MISSING, IN_SERVICE = "Missing", "InService"
FAILED = frozenset({"Failed", "UpdateRollbackFailed"})
"""From these SageMaker leads nowhere but to the endpoint's deletion."""

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
            self._begin(standing, live, aim)
        elif seen.status in FAILED:
            self._start_over(standing, live, aim, seen)
        elif seen.status == IN_SERVICE and seen.config != aim.config_name:
            self._catch_up(standing, live, aim, seen)
        elif seen.status == IN_SERVICE:
            self._rest(standing, live, aim, seen)

    def _begin(self, standing: Standing, live: LiveModel, aim: Wanted) -> None:
        if self._is_trusted(live, aim, "is not made"):
            self._change(standing.gone(), live, aim, lambda: self._create(aim))

    def _is_trusted(self, live: LiveModel, aim: Wanted, otherwise: str) -> bool:
        """Return whether the live version's artefact is what was signed; if not, tell what becomes of the endpoint.

        Asked when something is about to be changed, and before that is written down: else nobody knew what answers.
        """
        try:
            check(live.version, aim.model, live.sha256, self._ports.trust)
        except TamperedError as error:
            self._ports.faults.report(self._plan.endpoint, f"{self._plan.name} {otherwise}: {error}")
            return False
        return True

    def _change(self, standing: Standing, live: LiveModel, aim: Wanted, make: Callable[[], None]) -> None:
        now = self._ports.clock.now()
        self._ports.standings.save(standing.changing(aim.config_name, live.version, live.key, aim.made, now))
        self._ports.log.info(f"the jobs are to be answered by {live.version}: {aim.config_name}")
        self._ports.endpoints.create_model(aim.model)
        self._ports.endpoints.create_config(aim.config)
        make()

    def _create(self, aim: Wanted) -> None:
        self._ports.endpoints.create(self._plan.name, aim.config_name, self._plan.tags)

    def _catch_up(self, standing: Standing, live: LiveModel, aim: Wanted, seen: Seen) -> None:
        if standing.is_asking_for(aim.config_name) and seen.modified_at >= standing.asked_at:
            standing = self._count_failure(standing)
            if self._waits(standing):
                told = f"has not taken {aim.config_name}, and answers by {seen.config}: {seen.reason or 'see its log'}"
                self._report(told, standing, f"update-endpoint {self._named} --endpoint-config-name {aim.config_name}")
                self._scale(standing, seen)
                return
        if not self._may_change(standing, live, aim, seen):
            return
        # With none, one is started: else the next job would be the first to find out whether the version starts.
        keep = seen.instances > 0
        if self._ports.endpoints.instance_type(seen.config) == aim.instance_type:
            self._change(standing, live, aim, lambda: self._update(aim, keep))
        else:
            self._change(standing.released(), live, aim, lambda: self._update_released(aim, keep))

    def _may_change(self, standing: Standing, live: LiveModel, aim: Wanted, seen: Seen) -> bool:
        """Return whether the live version is to be trusted; where that is not certain, what answers scales meanwhile.

        A look that was killed may have released its scaling.
        """
        try:
            trusted = self._is_trusted(live, aim, f"stays with {seen.config}")
        except TidegateError:
            self._scale(standing, seen)
            raise
        if not trusted:
            self._scale(standing, seen)
        return trusted

    def _update(self, aim: Wanted, keep: bool) -> None:
        self._ports.endpoints.update(self._plan.name, aim.config_name, keep_count=keep)

    def _update_released(self, aim: Wanted, keep: bool) -> None:
        """Update to other instances, which SageMaker refuses while a variant is a scalable target.

        Once the endpoint is at rest again, with them or without, it is told anew how to scale.
        https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
        """
        self._ports.scaling.release(self._plan)
        self._update(aim, keep)

    def _start_over(self, standing: Standing, live: LiveModel, aim: Wanted, seen: Seen) -> None:
        """Have the endpoint deleted, so that it is made anew: at once where another config is wanted than failed."""
        if standing.is_asking_for(aim.config_name):
            standing = self._count_failure(standing)
            if self._waits(standing):
                self._report(f"is {seen.status}: {seen.reason}", standing, f"delete-endpoint {self._named}")
                return
        if not self._is_trusted(live, aim, f"is {seen.status}, and is not made anew"):
            return
        self._ports.standings.save(standing.gone())
        self._ports.endpoints.delete(f"endpoint/{self._plan.name}")

    def _rest(self, standing: Standing, live: LiveModel, aim: Wanted, seen: Seen) -> None:
        if not standing.settled_at or (standing.config, standing.key) != (aim.config_name, live.key):
            standing = self._settle(standing, live, aim)
        standing = self._scale(standing, seen)
        self._tidy(standing, aim)

    def _settle(self, standing: Standing, live: LiveModel, aim: Wanted) -> Standing:
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

    def _count_failure(self, standing: Standing) -> Standing:
        counted = standing.failed(self._ports.clock.now())
        return self._ports.standings.save(counted) if counted != standing else standing

    def _waits(self, standing: Standing) -> bool:
        return standing.is_given_up or self._ports.clock.now() < standing.again_at

    @property
    def _named(self) -> str:
        return f"--endpoint-name {self._plan.name}"

    def _report(self, text: str, standing: Standing, command: str) -> None:
        further = "; it is tried again by itself"
        if standing.is_given_up:
            further = (
                f"; after {standing.failures} failures it is not tried again by itself: make another version live, or "
                f"mend the cause and have it tried once more with `aws sagemaker {command}`"
            )
        self._ports.faults.report(self._plan.endpoint, f"{self._plan.name} {text}{further}")
