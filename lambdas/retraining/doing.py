"""Does what was decided, and says what became of it."""

from lambdas.contract import RETRAINING_PREFIX
from lambdas.monitoring.times import stamp
from lambdas.retraining import manifests
from lambdas.retraining.decision import Action, Approve, Follow, Start, Stop
from lambdas.retraining.outcome import CHAMPION_NAME, OutcomeError, read_outcome, write_champion
from lambdas.retraining.ports import Ports
from lambdas.retraining.said import EXECUTING, Approved, Conclusion, Followed, NotStarted, Said, Started
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Run
from lambdas.rollout.errors import (
    MissingError,
    PermanentError,
    RetryableError,
    TidegateError,
    TimedOutError,
    TooLargeError,
)

_LONGEST_PARAMETER = 1024
_CLOCK_SKEW = 300.0
"""Seconds by which AWS's clock may be behind ours, so that an execution seems to have begun before it was asked for."""


def output_prefix(endpoint: str, run: str) -> str:
    """Return the prefix of what a run leaves in the bucket."""
    return f"{RETRAINING_PREFIX}/{endpoint}/{run}"


def do(ports: Ports, settings: Settings, action: Action) -> Said | None:
    """Do one thing; return what became of it, None when a later look will tell.

    Raises
    ------
    TidegateError
        When it is not known what became of it; doing it again is harmless.
    """
    if isinstance(action, Start):
        return _start(ports, settings, action)
    if isinstance(action, Follow):
        return _follow(ports, settings, action.run)
    if isinstance(action, Stop):
        ports.pipelines.stop(str(action.run.execution), f"{action.run.id}-stop")
        return None
    return _approve(ports, action)


def _start(ports: Ports, settings: Settings, action: Start) -> Said:
    run = action.run
    try:
        if action.find:
            found = ports.pipelines.find(settings.pipeline, run.id, run.decided_at - _CLOCK_SKEW)
            if found is not None:
                return Started(run.id, found, "It had been started before.")
    except TidegateError as error:
        reason = f"whether it has begun cannot be found out: {error}"
        return NotStarted(run.id, reason, final=isinstance(error, PermanentError), none_began=False)
    if run.stopping:
        return NotStarted(run.id, "it is to be stopped, and has not begun", final=True, none_began=True)
    try:
        parameters, notes = _prepared(ports, settings, run)
    except TidegateError as error:
        return NotStarted(run.id, str(error), final=isinstance(error, PermanentError), none_began=True)
    try:
        description = f"{run.trigger}: {run.reason}"
        return Started(run.id, ports.pipelines.start(settings.pipeline, run.id, parameters, description), notes)
    except TimedOutError as error:
        return NotStarted(run.id, str(error), final=False, none_began=False)
    except RetryableError as error:
        return NotStarted(run.id, str(error), final=False, none_began=True)
    except PermanentError as error:
        return NotStarted(run.id, str(error), final=True, none_began=True)


def _prepared(ports: Ports, settings: Settings, run: Run) -> tuple[dict[str, str], str]:
    """Write the run's manifests; return the pipeline's parameters, and what the manifests hold."""
    bucket, endpoint = settings.bucket, settings.endpoint
    captured = manifests.captures(ports.files, bucket, endpoint, run.since, run.until)
    if not captured.keys:
        raise PermanentError(
            f"nothing was captured between {stamp(run.since)} and {stamp(run.until)} under "
            f"s3://{bucket}/capture/{endpoint}/; switch capture on, or wait for requests"
        )
    labelled = manifests.labels(ports.files, bucket, endpoint, run.since, run.until)
    if not labelled.keys:
        raise PermanentError(
            f"no labels came between {stamp(run.since)} and {stamp(run.until)} under "
            f"s3://{bucket}/labels/{endpoint}/, and without any there is nothing to learn; give some with "
            "python -m tidegate labels put"
        )
    model = ports.models.of(run.champion, settings)
    prefix = output_prefix(endpoint, run.id)
    ports.files.write(bucket, f"{prefix}/{CHAMPION_NAME}", write_champion(run.champion.key), "application/json")
    written = {"CapturesManifest": captured, "LabelsManifest": labelled}
    names = {"CapturesManifest": "captures.manifest", "LabelsManifest": "labels.manifest"}
    for parameter, manifest in written.items():
        ports.files.write(bucket, f"{prefix}/{names[parameter]}", manifest.content, "application/json")
    parameters = {
        **settings.parameters,
        **{parameter: f"s3://{bucket}/{prefix}/{name}" for parameter, name in names.items()},
        "Endpoint": endpoint,
        "RunId": run.id,
        "Reason": run.reason[:_LONGEST_PARAMETER],
        "BaselineUri": model.baseline,
        "ChampionUri": model.uri,
        "ChampionVersion": run.champion.version,
        "Until": stamp(run.until),
        "OutputUri": f"s3://{bucket}/{prefix}",
        "LeastGain": f"{settings.least_gain:g}",
    }
    parameters |= {"Since": stamp(run.began)} if run.began is not None else {}
    return parameters, f"It is given {captured.said('captures')} and {labelled.said('labels')}."


def _follow(ports: Ports, settings: Settings, run: Run) -> Said:
    execution = str(run.execution)
    try:
        status = ports.pipelines.status(execution)
    except MissingError:
        status = "gone"
    if status in EXECUTING:
        return Followed(run.id, status)
    failure = "" if status in ("Succeeded", "gone") else ports.pipelines.failure(execution)
    conclusion, problem = _concluded(ports, settings, run)
    return Followed(run.id, status, "; ".join(filter(None, (failure, problem))), conclusion)


def _concluded(ports: Ports, settings: Settings, run: Run) -> tuple[Conclusion | None, str]:
    try:
        content = ports.files.read(settings.bucket, f"{output_prefix(settings.endpoint, run.id)}/outcome.json")
        return read_outcome(content, run.id), ""
    except MissingError:
        return None, ""
    except (OutcomeError, TooLargeError) as error:
        return None, str(error)


def _approve(ports: Ports, action: Approve) -> Said:
    arn = action.approval.package_arn
    try:
        return Approved(arn, stood=ports.models.approve(arn, action.approval.run, action.approval.reason))
    except PermanentError as error:
        return Approved(arn, problem=str(error))
