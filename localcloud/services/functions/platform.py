"""All functions of the account, their versions, their workers and their metrics."""

import random
from collections.abc import Callable
from dataclasses import replace

from localcloud.credentials import Principal, session_arn
from localcloud.errors import AwsError
from localcloud.services.functions.fleet import Asked, Fleet, Start
from localcloud.services.functions.function import Function
from localcloud.services.functions.function_metrics import FunctionMetrics
from localcloud.services.functions.function_policy import FunctionPolicy
from localcloud.services.functions.invocation import Invocation, Outcome
from localcloud.services.functions.log_shipper import MetricSink
from localcloud.services.functions.pool import ThrottledError
from localcloud.services.functions.published import Publications
from localcloud.services.functions.qualified import LATEST, Qualified


class FunctionPlatform:
    """Keeps functions and runs their invocations.

    Parameters
    ----------
    start
        Starts a worker of a function.
    metrics
        Takes the metrics of the namespace AWS/Lambda.
    account, region
        Whose functions they are.
    chance
        Shares out the invocations of weighted aliases.
    """

    def __init__(
        self,
        start: Start,
        metrics: MetricSink,
        account: str,
        region: str,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._start = start
        self._metrics = FunctionMetrics(metrics)
        self._arn_prefix = f"arn:aws:lambda:{region}:{account}:function:"
        self._chance = chance
        self.functions: dict[str, Function] = {}
        self.published: dict[str, Publications] = {}
        self.fleets: dict[str, Fleet] = {}
        self._policies: dict[str, dict[str | None, FunctionPolicy]] = {}

    def arn(self, name: str) -> str:
        """Return a function's ARN; `name` may have a qualifier."""
        return self._arn_prefix + name

    def add(self, function: Function) -> None:
        """Take a new function."""
        fleet = Fleet(self._start)
        fleet.add(function)
        self.fleets[function.name] = fleet
        self.published[function.name] = Publications(function)
        self._policies[function.name] = {}
        self.functions[function.name] = function

    def get(self, name: str, qualifier: str | None = None) -> Function:
        """Return a function or a version of it; raise ResourceNotFoundException if it is not there.

        The name may be an ARN and have a qualifier. An alias stands for the version that it points at.
        """
        asked = Qualified.of(name, qualifier)
        function = self.published[self._known(name, asked)].find(asked.qualifier)
        return self._present(function, asked)

    def latest(self, name: str) -> Function:
        """Return a function by name or ARN, for what cannot be done to a version or an alias."""
        asked = Qualified.of(name).unqualified()
        return self.functions[self._known(name, asked)]

    def find(self, name: str) -> Function | None:
        """Return what `get` does; None if it is not there."""
        try:
            return self.get(name)
        except AwsError:
            return None

    def asked(self, name: str, qualifier: str | None = None) -> Qualified:
        """Return what a name stands for, if it is there."""
        self.get(name, qualifier)
        return Qualified.of(name, qualifier)

    def _known(self, name: str, asked: Qualified) -> str:
        elsewhere = name.startswith("arn:") and not name.startswith(self._arn_prefix)
        if elsewhere or asked.name not in self.functions:
            asked_for = name if elsewhere else self.arn(asked.text)
            raise AwsError("ResourceNotFoundException", f"Function not found: {asked_for}", 404)
        return asked.name

    def _present(self, function: Function | None, asked: Qualified) -> Function:
        if function is None:
            raise AwsError("ResourceNotFoundException", f"Function not found: {self.arn(asked.text)}", 404)
        return function

    def publish(self, function: Function, description: str | None = None) -> Function:
        """Return a function's present state as a version."""
        version, new = self.published[function.name].publish(description)
        if new:
            self.fleets[function.name].add(version)
        return version

    def remove(self, name: str) -> None:
        """Forget a function with all that is published of it, and end its workers."""
        function = self.latest(name)
        del self.functions[function.name], self._policies[function.name], self.published[function.name]
        self.fleets.pop(function.name).close()

    def remove_version(self, asked: Qualified) -> None:
        """Forget a version that no alias needs, and end its workers."""
        number = str(asked.qualifier)
        self.published[asked.name].remove_version(number)
        self._policies[asked.name].pop(number, None)
        self.fleets[asked.name].remove(number)

    def remove_alias(self, name: str, alias: str) -> None:
        """Forget an alias, with its policy and its provisioned workers."""
        self.fleets[name].withdraw(alias)
        self.published[name].aliases.pop(alias, None)
        self._policies[name].pop(alias, None)

    def changed(self, function: Function) -> None:
        """Let the next invocation meet the function as it is now."""
        self.fleets[function.name].changed(LATEST)

    def policy(self, asked: Qualified) -> FunctionPolicy:
        """Return the resource policy of a function, a version or an alias: each has its own."""
        policies = self._policies[asked.name]
        return policies.setdefault(asked.key, FunctionPolicy(self.arn(asked.settings_key)))

    def policy_document(self, arn: str) -> str | None:
        """Return the resource policy of what an ARN names."""
        asked = Qualified.of(arn)
        policy = self._policies.get(asked.name, {}).get(asked.key)
        return policy.document() if policy is not None else None

    def principal(self, function: Function) -> Principal:
        """Return the function's role as a caller, for what Lambda itself does in its name."""
        arn = session_arn(function.role, function.name)
        return Principal(arn, function.role.split(":")[4], f"AROALOCAL:{function.name}", function.role)

    def invoke(self, name: str, payload: bytes, request_id: str | None = None) -> tuple[Outcome, str]:
        """Run one invocation of a function, a version or an alias, by name or ARN.

        Returns how it ended, with its request id; raises `ThrottledError` at the limit.
        """
        asked = Qualified.of(name)
        known = self._known(name, asked)
        version = self._present(self.published[known].resolve(asked.qualifier, self._chance), asked)
        invocation = Invocation(payload or b"{}", self.arn(asked.text), version.timeout)
        if request_id is not None:
            invocation.request_id = request_id
        outcome = replace(self._run(asked, version, invocation), version=version.version)
        self._metrics.ended(asked, invocation, outcome)
        return outcome, invocation.request_id

    def _run(self, asked: Qualified, version: Function, invocation: Invocation) -> Outcome:
        name, reserved = asked.name, self.functions[asked.name].reserved_concurrency
        try:
            return self.fleets[name].run(
                Asked(asked.key, version),
                invocation,
                reserved,
                lambda qualifier, served, provision: self._metrics.provisioned(name, qualifier, served, provision),
            )
        except ThrottledError:
            self._metrics.throttled(asked)
            raise

    def kill(self, name: str) -> list[int]:
        """Kill all workers of a function, as ``kill -9`` does, and return their process ids."""
        return self.fleets[self.latest(name).name].kill()

    def workers(self) -> dict[str, list[int]]:
        """Return the process ids of each function's workers."""
        return {name: fleet.pids() for name, fleet in self.fleets.items()}

    def busy(self, name: str) -> int:
        """Return how many invocations of a function are under way."""
        return self.fleets[self.latest(name).name].busy

    def close(self) -> None:
        """End all workers and wait for them."""
        workers = [worker for fleet in self.fleets.values() for worker in fleet.close()]
        for worker in workers:
            worker.join(2)
