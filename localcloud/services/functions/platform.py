"""All functions of the account, their workers and their metrics."""

import time
from collections.abc import Callable

from localcloud.credentials import Principal, session_arn
from localcloud.errors import AwsError
from localcloud.services.functions.function import Function, plain_name
from localcloud.services.functions.function_policy import FunctionPolicy
from localcloud.services.functions.invocation import Invocation, Outcome
from localcloud.services.functions.log_shipper import MetricSink
from localcloud.services.functions.pool import PooledWorker, ThrottledError, WorkerPool

_NAMESPACE = "AWS/Lambda"


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
    """

    def __init__(
        self, start: Callable[[Function], PooledWorker], metrics: MetricSink, account: str, region: str
    ) -> None:
        self._start = start
        self._metrics = metrics
        self._arn_prefix = f"arn:aws:lambda:{region}:{account}:function:"
        self.functions: dict[str, Function] = {}
        self.policies: dict[str, FunctionPolicy] = {}
        self._pools: dict[str, WorkerPool] = {}

    def arn(self, name: str) -> str:
        """Return a function's ARN."""
        return self._arn_prefix + name

    def add(self, function: Function) -> None:
        """Take a new function."""
        self.functions[function.name] = function
        self.policies[function.name] = FunctionPolicy(function.arn)
        self._pools[function.name] = WorkerPool(lambda: self._start(function))

    def get(self, name: str) -> Function:
        """Return a function by name or ARN; raise ResourceNotFoundException if it is not there."""
        elsewhere = name.startswith("arn:") and not name.startswith(self._arn_prefix)
        function = None if elsewhere else self.functions.get(plain_name(name))
        if function is None:
            asked = name if elsewhere else self.arn(plain_name(name))
            raise AwsError("ResourceNotFoundException", f"Function not found: {asked}", 404)
        return function

    def remove(self, name: str) -> None:
        """Forget a function and end its workers."""
        function = self.get(name)
        del self.functions[function.name], self.policies[function.name]
        self._pools.pop(function.name).close()

    def changed(self, function: Function) -> None:
        """Let the next invocation meet the function as it is now."""
        self._pools[function.name].retire()

    def policy_document(self, arn: str) -> str | None:
        """Return a function's resource policy."""
        policy = self.policies.get(plain_name(arn))
        return policy.document() if policy is not None else None

    def principal(self, function: Function) -> Principal:
        """Return the function's role as a caller, for what Lambda itself does in its name."""
        arn = session_arn(function.role, function.name)
        return Principal(arn, function.role.split(":")[4], f"AROALOCAL:{function.name}", function.role)

    def invoke(self, name: str, payload: bytes, request_id: str | None = None) -> tuple[Outcome, str]:
        """Run one invocation and return how it ended, with its request id; raise `ThrottledError` at the limit."""
        function = self.get(name)
        invocation = Invocation(payload or b"{}", function.arn, function.timeout)
        if request_id is not None:
            invocation.request_id = request_id
        try:
            outcome = self._pools[function.name].run(invocation, function.reserved_concurrency)
        except ThrottledError:
            self._count(function.name, "Throttles", 1)
            raise
        self._record(function.name, invocation, outcome)
        return outcome, invocation.request_id

    def _record(self, name: str, invocation: Invocation, outcome: Outcome) -> None:
        self._count(name, "Throttles", 0)
        self._count(name, "Invocations", 1)
        self._count(name, "Errors", 1 if outcome.error else 0)
        self._count(name, "Duration", (invocation.ended_at - invocation.started_at) * 1000, "Milliseconds")

    def _count(self, name: str, metric: str, value: float, unit: str = "Count") -> None:
        self._metrics(_NAMESPACE, metric, {"FunctionName": name}, value, unit, time.time())

    def kill(self, name: str) -> list[int]:
        """Kill all workers of a function, as ``kill -9`` does, and return their process ids."""
        return self._pools[self.get(name).name].kill()

    def workers(self) -> dict[str, list[int]]:
        """Return the process ids of each function's workers."""
        return {name: pool.pids() for name, pool in self._pools.items()}

    def busy(self, name: str) -> int:
        """Return how many invocations of a function are under way."""
        return self._pools[self.get(name).name].busy

    def close(self) -> None:
        """End all workers and wait for them."""
        workers = [worker for pool in self._pools.values() for worker in pool.close()]
        for worker in workers:
            worker.join(2)
