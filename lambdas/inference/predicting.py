"""A prediction, from who asks for what to the answer."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lambdas.inference import headers
from lambdas.inference.audit import Prediction, line
from lambdas.inference.breaker import Breakers
from lambdas.inference.cache import Answers, Stored
from lambdas.inference.canonical import input_hash
from lambdas.inference.flags import Switches, switched_off
from lambdas.inference.headers import Asked
from lambdas.inference.identity import Caller
from lambdas.inference.ports import InvocationError, Ports
from lambdas.inference.problems import Problem
from lambdas.inference.routing import Routed, by_weights, route
from lambdas.inference.settings import FrontDoor
from lambdas.inference.signature import Signature
from lambdas.inference.view import Served, View

Source = Literal["model", "cache", "stale", "default"]
OK = 200


@dataclass(frozen=True)
class Call:
    """A request for predictions.

    Parameters
    ----------
    id
        By which the caller, the capture, the audit and the labels know it.
    caller, asked
        Who asks, and what they say of it.
    instances
        The rows, as they were sent.
    left
        Returns how many seconds are left for the answer.
    """

    id: str
    caller: Caller
    asked: Asked
    instances: Sequence[Any]
    left: Callable[[], float]


@dataclass(frozen=True)
class Answered:
    """An answer.

    Parameters
    ----------
    body
        ``{"predictions": [...]}`` as JSON.
    source
        Where it comes from: `model`, `cache`, or in its stead `stale` or `default`.
    served
        The version that gave it; None where that is not known, or where none did.
    variant
        The production variant of that version; empty where none answered.
    """

    body: str
    source: Source
    served: Served | None = None
    variant: str = ""


@dataclass(frozen=True)
class _Question:
    """A call whose rows have been looked at."""

    call: Call
    rows: Sequence[Any]
    hash: str
    columns: Sequence[str] | None
    outputs: Sequence[str]
    view: View | None
    routed: Routed
    switches: Switches

    @property
    def stands_in(self) -> Served | None:
        """The version whose old answer is better than none: the one that is wanted, else the live one."""
        if self.routed.served is not None or self.view is None or self.routed.slot is not None:
            return self.routed.served
        return self.view.live

    @property
    def wants_candidate(self) -> bool:
        """Whether it is to be answered by the candidate, and by nobody else."""
        return self.routed.slot is not None and self.may_be_of_candidate("")

    def is_of_candidate(self, variant: str) -> bool:
        """Return whether what became of it is the candidate's doing: it is named, or has all the traffic."""
        if not self.may_be_of_candidate(variant):
            return False
        return bool(variant or self.routed.slot) or (self.view is not None and self.view.is_the_candidates)

    def may_be_of_candidate(self, variant: str) -> bool:
        """Return whether what became of it may be the candidate's doing; `variant` answered, empty where none is named.

        What names no variant, such as a time-out, of a request that SageMaker was to share out may be either version's,
        whatever the candidate's weight is said to be: that is the weight that was verified, 0 while the first one takes
        effect and from the moment of an abort.
        """
        candidate = self.view.candidate if self.view is not None else None
        return candidate is not None and (variant or self.routed.slot) in (None, candidate.slot)


class Predictor:
    """Answers requests for predictions of one endpoint.

    Parameters
    ----------
    settings
        How its front door behaves.
    ports
        Everything outside.
    check_answer
        Raises the `Problem` of an answer that whoever asks cannot be given; None where they take any.
    """

    def __init__(self, settings: FrontDoor, ports: Ports, check_answer: Callable[[str], None] | None = None) -> None:
        self._settings = settings
        self._ports = ports
        self._check_answer = check_answer
        self._breakers = Breakers(settings.breaker, ports.freshness_clock)
        self._cache: Answers | None = None
        if settings.cache is not None:
            self._cache = Answers(settings.cache, settings.endpoint, ports.answers, ports.log, ports.now)

    def prime(self) -> None:
        """Do beforehand what the first request would wait for."""
        view = self._ports.views.latest()
        self._ports.flags.latest()
        for served in view.versions if view is not None else ():
            self._ports.signatures.of(served)
        if self._cache is not None:
            self._cache.prime()

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of what the live version takes.

        Raises
        ------
        Problem
            When that is not known.
        """
        self._check_open(self._ports.flags.latest())
        signature = self._signature(self._ports.views.latest())
        if signature is None:
            raise Problem(
                "not-found",
                "what the live version takes is not known: it was registered without its signature.json, or that "
                "cannot be read just now; its model card says it",
            )
        return signature.json_schema(self._settings.most_rows)

    def predict(self, call: Call) -> Answered:
        """Answer a request.

        Raises
        ------
        Problem
            When there is no prediction.
        """
        began, at = self._ports.clock(), self._ports.now()
        question: _Question | None = None
        try:
            question = self._question(call)
            answered = self._answer(question)
            if self._check_answer is not None:
                self._check_answer(answered.body)
        except Problem as problem:
            self._audit(call, question, None, problem.status, at, began)
            raise
        self._audit(call, question, answered, OK, at, began)
        return answered

    def _question(self, call: Call) -> _Question:
        switches = self._ports.flags.latest()
        self._check_open(switches)
        view = self._ports.views.latest()
        signature = self._signature(view)
        # What nobody here knows the model's own container refuses, by row and column as well.
        rows = signature.check(call.instances) if signature is not None else call.instances
        now = self._ports.freshness_clock()
        routed = route(self._settings, view, call.caller, call.asked, now, routing=switches.routing)
        columns, outputs = _columns(signature), signature.outputs if signature is not None else ()
        return _Question(call, rows, input_hash(rows, columns), columns, outputs, view, routed, switches)

    def _check_open(self, switches: Switches) -> None:
        if not switches.front_door:
            raise switched_off(f"the front door of {self._settings.endpoint} has")

    def _signature(self, view: View | None) -> Signature | None:
        return self._ports.signatures.of(view.live) if view is not None else None

    def _answer(self, question: _Question) -> Answered:
        certain = question.routed.served
        stored = self._found(question, certain)
        if stored is not None and certain is not None and self._is_fresh(stored):
            return Answered(stored.body, "cache", certain, certain.slot)
        try:
            return self._ask(question)
        except InvocationError as error:
            self._say(question, error)
            instead = self._instead(question, stored) if error.at_fault else None
            if instead is None:
                raise error.problem from error
            return instead

    def _found(self, question: _Question, served: Served | None) -> Stored | None:
        """Return what a version has answered before; where it is not certain which will answer, nothing."""
        if self._cache is None or served is None or not question.switches.cache:
            return None
        return self._cache.find(served, question.hash)

    def _is_fresh(self, stored: Stored) -> bool:
        return self._cache is not None and self._cache.is_fresh(stored)

    def _instead(self, question: _Question, stored: Stored | None) -> Answered | None:
        """Return what is better than no answer of the model's, if anything is."""
        served = question.stands_in
        stored = stored or self._found(question, served)
        if stored is not None and served is not None:
            return Answered(stored.body, "stale", served, served.slot)
        default = self._settings.default_answer
        if default is None:
            return None
        return Answered(json.dumps({"predictions": [dict(default)] * len(question.rows)}), "default")

    def _ask(self, question: _Question) -> Answered:
        """Ask the endpoint, unless a breaker is open.

        Breakers are about the live version, and what the candidate does counts for nobody: its rollout ends for its
        failures, and its answers do not make the live version well. So neither does a breaker keep anybody from the
        candidate who is certain to be sent there.
        """
        if question.wants_candidate:
            return self._invoke(question)
        client = question.call.caller.client
        if not self._breakers.admits(client):
            detail = "the model has failed several times in a row and is left alone for a moment; try again later"
            problem = Problem("unavailable", detail, headers=_retry_after(self._breakers.retry_after(client)))
            raise InvocationError(problem, at_fault=True, cause="the breaker is open")
        try:
            answered = self._invoke(question)
        except InvocationError as error:
            self._count(question, error)
            raise
        self._count_answer(question, answered.variant)
        return answered

    def _count_answer(self, question: _Question, variant: str) -> None:
        client = question.call.caller.client
        if question.may_be_of_candidate(variant):
            # Else, with all the traffic the candidate's, nothing would ever close a breaker.
            self._breakers.learnt_nothing(client)
        else:
            self._breakers.answered(client)

    def _count(self, question: _Question, error: InvocationError) -> None:
        client = question.call.caller.client
        variant = error.problem.headers.get(headers.VARIANT, "")
        if error.unasked:
            self._breakers.learnt_nothing(client)
        elif not error.at_fault:
            self._count_answer(question, variant)
        elif question.is_of_candidate(variant):
            self._breakers.learnt_nothing(client)
        elif question.may_be_of_candidate(variant):
            return  # if it was the breaker's one try, there is another as long after
        elif error.of_input:
            self._breakers.failed_on(client, question.hash)
        else:
            self._breakers.failed()

    def _invoke(self, question: _Question) -> Answered:
        try:
            return self._sent(question, question.routed, question.view)
        except InvocationError as error:
            if not error.no_variant or question.routed.slot is None:
                raise
            if question.routed.why == "target":
                raise self._no_target(question.routed.slot) from error
        # The rollout went on since the view was read: its other version has gone, and the weights say what is right.
        self._ports.views.refresh()
        view = self._ports.views.latest()
        return self._sent(question, by_weights(view), view)

    def _no_target(self, slot: str) -> InvocationError:
        detail = f"{self._settings.endpoint} has no variant {slot} just now; leave Tidegate-Target-Variant out"
        return InvocationError(Problem("not-found", detail), at_fault=False, unasked=True)

    def _sent(self, question: _Question, routed: Routed, view: View | None) -> Answered:
        rows = self._understood(question, view)
        body = json.dumps({"instances": rows}, separators=(",", ":"), allow_nan=False).encode()
        invoked = self._ports.runtime.invoke(body, routed.slot, question.call.id, question.call.left())
        # The slot that has answered, not the one that was to: what nobody can name is not kept.
        served = view.named(invoked.variant) if view is not None else None
        if served is not None:
            self._keep(question, rows, served, invoked.body)
        return Answered(invoked.body, "model", served, invoked.variant)

    def _keep(self, question: _Question, sent: Sequence[Any], served: Served, body: str) -> None:
        if self._cache is None or not question.switches.cache:
            return
        if self._was_understood(question, sent, served):
            self._cache.keep(served, question.hash, body)

    def _was_understood(self, question: _Question, sent: Sequence[Any], served: Served) -> bool:
        """Return whether a version has read the rows as they were hashed: by name, or in that order of columns.

        What went as it was sent it has read in its own order, which may be another than the live version's.
        """
        if question.columns is None or sent is not question.call.instances:
            return True
        return _columns(self._ports.signatures.of(served)) == question.columns

    def _understood(self, question: _Question, view: View | None) -> Sequence[Any]:
        """Return rows as every version takes them that may answer: in their one order of columns, else by name.

        Where it is not known what one of them takes, they go as they were sent.
        """
        if question.columns is None:
            return question.rows
        versions = view.versions if view is not None else ()
        found = [self._ports.signatures.of(each) for each in versions]
        if not found or None in found:
            return question.call.instances
        if all(_columns(each) == question.columns for each in found):
            return question.rows
        return [dict(zip(question.columns, row, strict=True)) for row in question.rows]

    def _say(self, question: _Question, error: InvocationError) -> None:
        if error.at_fault:
            self._ports.log.warning(f"no prediction: {error}", prediction=question.call.id)

    def _audit(
        self, call: Call, question: _Question | None, answered: Answered | None, status: int, at: float, began: float
    ) -> None:
        settings = self._settings.audit
        if settings is None:
            return
        served = answered.served if answered else None
        prediction = Prediction(
            id=call.id,
            at=at,
            endpoint=self._settings.endpoint,
            client=call.caller.client,
            caller=call.asked.caller or call.caller.client,
            subject=call.asked.subject,
            status=status,
            latency_ms=(self._ports.clock() - began) * 1000,
            model_version=served.version if served else "",
            model_key=served.key if served else "",
            variant=answered.variant if answered else "",
            answer_source=answered.source if answered else "",
            input_hash=question.hash if question else "",
            rows=len(question.rows if question else call.instances),
            input=question.rows if question else None,
            columns=question.columns if question else None,
            output=json.loads(answered.body).get("predictions") if answered else None,
            outputs=question.outputs if question else (),
        )
        self._ports.log.record(line(prediction, settings))


def _columns(signature: Signature | None) -> Sequence[str] | None:
    return signature.names if signature is not None else None


def _retry_after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(math.ceil(seconds), 1))}
