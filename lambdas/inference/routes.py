"""What a front door answers to: read by the templates, which make an API of it, and by its description in OpenAPI."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.inference import headers

GATEWAY = (
    "invalid-request",
    "unauthorized",
    "forbidden",
    "too-large",
    "unsupported-media-type",
    "throttled",
    "internal",
    "timeout",
)
"""What API Gateway may answer by itself, whatever is asked for."""

GATEWAY_STATUSES: Mapping[str, tuple[int, ...]] = {"internal": (502, 504)}
"""Other statuses under which API Gateway answers a kind of problem: a function failed, or cannot be reached."""

UNDESIGNED: Mapping[int, str] = {431: "The headers are longer than the 10,240 bytes that API Gateway takes"}
"""What API Gateway answers in words that are not ours to choose."""

_LATE = ("model-failed", "unavailable", "timeout")
_BODY = ("invalid-json", "invalid-header", "invalid-request", "invalid-input")


@dataclass(frozen=True)
class Answer:
    """What is answered when all is well.

    Parameters
    ----------
    status
        HTTP status.
    schema
        Name of the answer's schema in the API's description.
    description
        What it is.
    headers
        Names of the headers that it has.
    content_type
        Of its body.
    """

    status: int
    schema: str
    description: str
    headers: tuple[str, ...] = ()
    content_type: str = "application/json"


@dataclass(frozen=True)
class Route:
    """One method of one resource.

    Parameters
    ----------
    method, path
        Such as `GET` and `/jobs/{id}`.
    handler
        Which of the front door's functions answers: a module of `lambdas.inference.handlers`.
    operation
        What clients that are generated call it.
    summary
        What it does.
    answer
        What is answered when all is well.
    problems
        Slugs of what is answered otherwise, beside those of `GATEWAY`.
    has_body
        Whether it takes instances.
    headers
        Names of the request headers that it reads.
    is_jobs
        Whether it is there only where jobs are switched on.
    is_keyed
        Whether it is there only where answers of batches can be asked for by key.
    """

    method: str
    path: str
    handler: str
    operation: str
    summary: str
    answer: Answer
    problems: tuple[str, ...] = ()
    has_body: bool = False
    headers: tuple[str, ...] = ()
    is_jobs: bool = False
    is_keyed: bool = False

    def is_there(self, *, jobs: bool, keyed: bool) -> bool:
        """Return whether a front door that has jobs, or keys, has it."""
        return (jobs or not self.is_jobs) and (keyed or not self.is_keyed)


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/predictions",
        handler="predict",
        operation="predict",
        summary="Predict for each of the instances, now",
        answer=Answer(
            status=200,
            schema="Predictions",
            description="A prediction for each instance, in their order",
            headers=(headers.PREDICTION_ID, headers.MODEL_VERSION, headers.VARIANT, headers.ANSWER),
        ),
        problems=(*_BODY, *_LATE, "busy", "not-found"),
        has_body=True,
        headers=(headers.CALLER, headers.SUBJECT, headers.TARGET),
    ),
    Route(
        method="GET",
        path="/predictions/{key}",
        handler="predict",
        operation="predictionByKey",
        summary="Tell what the latest batch has answered for the row of a key",
        answer=Answer(
            status=200,
            schema="KeyedPrediction",
            description="The prediction",
            headers=(headers.PREDICTION_ID, headers.MODEL_VERSION, headers.ANSWER, "Last-Modified"),
        ),
        problems=("invalid-header", "invalid-request", "not-found", "unavailable", "timeout"),
        headers=(headers.CALLER,),
        is_keyed=True,
    ),
    Route(
        method="GET",
        path="/schema",
        handler="predict",
        operation="schema",
        summary="Tell what the model takes, as JSON Schema",
        answer=Answer(200, "JsonSchema", "The JSON Schema of a body", content_type="application/schema+json"),
        problems=("invalid-header", "not-found", "unavailable", "timeout"),
    ),
    Route(
        method="POST",
        path="/jobs",
        handler="jobs",
        operation="startJob",
        summary="Predict for each of the instances, when there is time",
        answer=Answer(
            202,
            "Job",
            "The job that will be answered",
            headers=("Location", "Retry-After", headers.PREDICTION_ID, headers.REPLAYED),
        ),
        problems=(*_BODY, *_LATE, "busy", "conflict"),
        has_body=True,
        headers=(headers.IDEMPOTENCY, headers.CALLER, headers.SUBJECT),
        is_jobs=True,
    ),
    Route(
        method="GET",
        path="/jobs/{id}",
        handler="jobs",
        operation="job",
        summary="Tell where a job stands, and its answer when it is done",
        answer=Answer(
            200,
            "Job",
            "The job; one that is done has its predictions, or the problem that they are too large to be shown",
            headers=("Retry-After", headers.PREDICTION_ID),
        ),
        problems=("invalid-header", "invalid-request", "not-found", "unavailable", "timeout"),
        is_jobs=True,
    ),
)

REQUEST_HEADERS: Mapping[str, str] = {
    headers.CALLER: "In whose name the application asks: keeps them to one version of the model while two are live",
    headers.SUBJECT: "Whom the instances are about, for the audit and its erasure",
    headers.TARGET: "The production variant that is to answer; for testers only",
    headers.IDEMPOTENCY: "The same for the same request that is sent again, which is answered with the job it was",
}
ANSWER_HEADERS: Mapping[str, str] = {
    headers.PREDICTION_ID: "What the prediction is known by in logs, in the audit and for labels",
    headers.MODEL_VERSION: "The version of the model that answered, where it is known",
    headers.VARIANT: "The production variant that answered, where one did",
    headers.MODEL_STATUS: "What the model's container answered, where it refused or failed",
    headers.ANSWER: "Who answered: the model, the cache, the cache with what is not fresh, the default, or a batch",
    headers.REPLAYED: "That the job is the one that the same Idempotency-Key has started before",
    "Last-Modified": "When the batch was begun that gave the answer",
    "Location": "Where to ask for the job, relative to this address",
    "Retry-After": "After how many seconds to try again",
}
