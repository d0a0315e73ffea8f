"""Hand-written stand-ins for what a front door calls, in time that passes only when told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from valkey.exceptions import ConnectionError as ConnectionEndedError
from valkey.exceptions import ResponseError, TimeoutError

from lambdas.inference import headers
from lambdas.inference.adapters.answers import TableAnswers
from lambdas.inference.adapters.valkey_answers import ValkeyAnswers
from lambdas.inference.adapters.valkey_connection import KeptConnection
from lambdas.inference.answer_size import check_fits
from lambdas.inference.flags import ALL_ON
from lambdas.inference.handlers.freshness import FreshnessClock
from lambdas.inference.headers import Asked
from lambdas.inference.identity import Caller
from lambdas.inference.ports import InvocationError, Invoked, Ports
from lambdas.inference.predicting import Answered, Call, Predictor
from lambdas.inference.problems import Problem
from lambdas.inference.resting import RestingStore
from lambdas.inference.settings import Audit, Breaker, Cache, FrontDoor
from lambdas.inference.signature import Signature
from lambdas.inference.view import Served, Views
from lambdas.rollout.errors import RetryableError

ENDPOINT = "rain-local"
SETTINGS = FrontDoor(
    endpoint=ENDPOINT,
    auth="iam",
    clients={},
    breaker=Breaker(failures=3, open_seconds=10),
    cache=Cache(seconds=60, stale_seconds=600),
    audit=Audit(keep_input=True),
)


def signature(*names: str) -> Signature:
    """Return a signature with columns of these names, in their order."""
    columns = [{"name": name, "dtype": "float32", "minimum": -100, "maximum": 100} for name in names]
    return Signature.from_document({"schema": 1, "tensor": "x", "columns": columns})


SIGNATURE = signature("dew", "wind")


class Clock:
    """Time."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


class FakeTable:
    """The table in memory, which may be away."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.away = False
        self.reads = 0

    def get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        self.reads += 1
        self._check()
        return self.items.get((partition, sort))

    def put(self, item: Mapping[str, Any]) -> None:
        self._check()
        self.items[item["pk"], item["sk"]] = dict(item)

    def _check(self) -> None:
        if self.away:
            raise RetryableError("as the test wants it")


class FakeValkey:
    """A server of Valkey in memory, which may be away, silent, or may have nothing to do with one.

    A wire gives its answers in the order of the questions, also to whom the first came too late.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.values: dict[str, tuple[bytes, float]] = {}
        self.state = "there"
        self.refuses: str | None = None
        self.wires: list[FakeWire] = []
        self.asked: list[str] = []

    def connect(self) -> "FakeWire":
        self.asked.append("CONNECT")
        if self.state == "away":
            raise ConnectionEndedError("Error 111 connecting")
        if self.state == "silent":
            raise TimeoutError("Timeout connecting to server")
        self.wires.append(FakeWire(self))
        return self.wires[-1]

    def cut(self) -> None:
        """End every connection."""
        for wire in self.wires:
            wire.cut = True

    def answer(self, command: tuple[Any, ...]) -> Any:
        self.asked.append(command[0])
        if self.refuses is not None:
            return ResponseError(self.refuses)
        if command[0] == "GET":
            value, ends = self.values.get(command[1], (None, 0.0))
            return value if self.clock() < ends else None
        kind, name, value, option, seconds = command
        assert (kind, option) == ("SET", "EX")
        assert isinstance(seconds, int)
        self.values[name] = (value, self.clock() + seconds)
        return b"OK"


class FakeWire:
    """A connection."""

    def __init__(self, server: FakeValkey) -> None:
        self.server = server
        self.answers: list[Any] = []
        self.cut = self.ended = False

    def send_command(self, *words: Any) -> None:
        assert not self.ended, "it was ended"
        if self.cut or self.server.state == "away":
            raise ConnectionEndedError("Error 32 while writing to socket")
        self.answers.append(self.server.answer(words))

    def read_response(self) -> Any:
        if self.server.state == "silent":
            raise TimeoutError("Timeout reading from socket")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def disconnect(self) -> None:
        self.ended = True


class FakeRuntime:
    """An endpoint whose answers say which version truly gave them."""

    def __init__(self) -> None:
        self.hosted = {"blue": "v1"}
        self.weighted = "blue"
        self.errors: list[InvocationError] = []
        self.asked: list[str | None] = []
        self.bodies: list[Any] = []
        self.ids: list[str] = []

    def invoke(self, body: bytes, variant: str | None, prediction_id: str, seconds: float) -> Invoked:
        assert seconds > 0
        self.asked.append(variant)
        self.ids.append(prediction_id)
        self.bodies.append(json.loads(body))
        if self.errors:
            raise self.errors.pop(0)
        slot = variant or self.weighted
        if slot not in self.hosted:
            raise away(no_variant=True)
        rows = len(self.bodies[-1]["instances"])
        return Invoked(json.dumps({"predictions": [{"by": self.hosted[slot]}] * rows}), slot)


class FakeSignatures:
    """What versions take."""

    def __init__(self) -> None:
        self.known: Signature | None = SIGNATURE
        self.others: dict[str, Signature | None] = {}
        self.asked: list[str] = []

    def of(self, served: Served) -> Signature | None:
        self.asked.append(served.key)
        return self.others.get(served.key, self.known)


class FakeFlags:
    """What is switched on."""

    def __init__(self) -> None:
        self.switches = ALL_ON

    def latest(self) -> Any:
        return self.switches

    def off(self, name: str) -> None:
        self.switches = replace(self.switches, **{name: False})


class FakeLog:
    """Lines."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.records: list[dict[str, Any]] = []
        self.counted: list[str] = []

    def count(self, metric: str) -> None:
        self.counted.append(metric)

    def info(self, message: str, **fields: object) -> None:
        return

    def warning(self, message: str, **fields: object) -> None:
        self.warnings.append(message)

    def exception(self, message: str, **fields: object) -> None:
        self.warnings.append(message)

    def record(self, line: str) -> None:
        self.records.append(json.loads(line))


def away(*, no_variant: bool = False) -> InvocationError:
    """Return the error of an endpoint that does not answer."""
    return InvocationError(Problem("unavailable", "it is away"), at_fault=True, no_variant=no_variant)


def failed(slot: str) -> InvocationError:
    """Return the failure of the model in a slot, which is not said where that is empty."""
    named = {headers.VARIANT: slot} if slot else {}
    return InvocationError(Problem("model-failed", "it failed", headers=named), at_fault=True, of_input=True)


def refused() -> InvocationError:
    """Return the error of a container that does not take the input."""
    return InvocationError(Problem("invalid-input", "row 1"), at_fault=False)


def served(slot: str, version: str) -> dict[str, str]:
    """Return a version as the engine writes it."""
    return {"slot": slot, "version": version, "key": f"arn:{version}", "cache": f"arn:{version}@config"}


def route(live: tuple[str, str], candidate: tuple[str, str] | None = None, percent: float = 0) -> dict[str, Any]:
    """Return what the engine writes."""
    return {"live": served(*live), "candidate": candidate and served(*candidate), "percent": percent}


class Door:
    """A front door with all that it calls, whose monotonic clock stands still: it is frozen whenever time passes.

    Parameters
    ----------
    in_memory
        Whether answers are kept in Valkey.
    changes
        Settings other than `SETTINGS`.
    """

    def __init__(self, *, in_memory: bool = False, **changes: Any) -> None:
        self.settings = replace(SETTINGS, **changes)
        self.clock, self.still = Clock(), Clock()
        self.fresh = FreshnessClock(self.clock, self.still)
        self.table, self.runtime = FakeTable(), FakeRuntime()
        self.signatures, self.flags, self.log = FakeSignatures(), FakeFlags(), FakeLog()
        self.route: Any = route(("blue", "v1"))
        self.views_read = 0
        self._count = 0
        self.valkey, self._in_memory = FakeValkey(self.clock), in_memory
        views = Views(self._read_route, self.fresh, self.log.warning)
        self.ports = Ports(
            runtime=self.runtime,
            table=self.table,
            answers=self.answers(),
            views=views,
            signatures=self.signatures,
            flags=self.flags,
            log=self.log,
            now=self.clock,
            clock=self.still,
            freshness_clock=self.fresh,
        )
        self.predictor = Predictor(self.settings, self.ports, check_fits)

    def answers(self) -> Any:
        """Return the store as one instance of the function has it."""
        if not self._in_memory:
            return TableAnswers(self.table)
        kept = KeptConnection(self.valkey.connect, self.fresh)
        return RestingStore(ValkeyAnswers(kept), self.log, self.fresh)

    def _read_route(self) -> Any:
        self.views_read += 1
        if isinstance(self.route, Exception):
            raise self.route
        return self.route

    def predict(
        self, rows: Any = None, *, caller: str | None = None, target: str | None = None, **more: Any
    ) -> Answered:
        """Ask for predictions."""
        self._count += 1
        client = Caller(
            more.pop("client", "shop"), "arn:shop", attributes=more.pop("attributes", {}), tester=target is not None
        )
        asked = Asked(caller, target=target, **more)
        return self.predictor.predict(Call(f"id-{self._count}", client, asked, rows or [[1.0, 2.0]], lambda: 20.0))

    def problem(self, *args: Any, **options: Any) -> Problem:
        """Ask for predictions, and return why there are none."""
        try:
            found = self.predict(*args, **options)
        except Problem as problem:
            return problem
        raise AssertionError(f"answered with {found}")

    def said(self, *args: Any, **options: Any) -> tuple[str, str]:
        """Ask for predictions, and return whose they truly are, and where they come from."""
        answered = self.predict(*args, **options)
        return json.loads(answered.body)["predictions"][0]["by"], answered.source
