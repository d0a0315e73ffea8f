"""Does what was decided about a batch, and says what became of it. Everything here can be done twice."""

from collections.abc import Sequence
from dataclasses import replace

from lambdas.inference.batch import loading, loads, objects
from lambdas.inference.batch.decision import Action, Create, Finish, Halt, Load, Observe, Record
from lambdas.inference.batch.objects import Input, Stored
from lambdas.inference.batch.ports import Ports
from lambdas.inference.batch.said import (
    IN_PROGRESS,
    Finished,
    JobSeen,
    LoadSeen,
    NotDone,
    Observed,
    Recorded,
    Said,
)
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import Run, Stage
from lambdas.inference.signed_artefact import check
from lambdas.rollout.errors import PermanentError, TamperedError, TidegateError, TimedOutError

EXECUTING = "RUNNING"


def do(ports: Ports, plan: Plan, action: Action) -> Said | None:
    """Do one thing; return what became of it, None when a later look will tell."""
    try:
        return _done(ports, plan, action)
    except TidegateError as error:
        return _not_done(ports, action.run, error)


def _done(ports: Ports, plan: Plan, action: Action) -> Said | None:
    run = action.run
    if isinstance(action, Record):
        return _record(ports, plan, run)
    if isinstance(action, Observe):
        return _observe(ports, plan, run)
    if isinstance(action, Create):
        return _create(ports, plan, run)
    if isinstance(action, Finish):
        return _finish(ports, plan, run)
    if isinstance(action, Load):
        return _load(ports, plan, run)
    if isinstance(action, Halt):
        ports.executions.stop(_execution(run), f"the run {run.id} is to end")
        return None
    ports.transforms.stop(plan.job(run.id, run.attempt))
    return None


def _not_done(
    ports: Ports, run: Run, error: TidegateError, *, refused: bool = False, under_way: bool | None = None
) -> NotDone:
    ports.log.warning(f"the run {run.id} does not get on: {error}")
    attempt = run.loading if run.stage is Stage.LOADING else run.attempt
    permanent = isinstance(error, PermanentError)
    return NotDone(run.id, str(error), permanent, attempt, refused, under_way)


def _record(ports: Ports, plan: Plan, run: Run) -> Said:
    """Write down what is there, once: a second try takes what the first one wrote."""
    found = objects.input_of(run.wish.input, ())
    found = objects.input_of(run.wish.input, ports.objects.listed(found.bucket, found.prefix))
    content = ports.objects.write_once(plan.bucket, _input_key(plan, run), objects.written(found))
    recorded = objects.read(content)
    if not recorded.rows_in:
        raise PermanentError(
            f"there are no rows below {run.wish.input}: no object there holds anything; put files with rows there, "
            "and start a batch again"
        )
    # Its own, which is made once this is durable: whatever is live later, or no longer there, a run has one version.
    model = replace(ports.models.live(plan.endpoint), name=plan.model(run.id))
    size = sum(each.size for each in recorded.objects)
    return Recorded(run.id, model, len(recorded.rows_in), size)


def _observe(ports: Ports, plan: Plan, run: Run) -> Said:
    # The job first: what it wrote before it ended is then seen below, and it can be stopped whatever is wrong there.
    job = ports.transforms.see(plan.job(run.id, run.attempt)) if run.attempt else None
    try:
        recorded = _recorded(ports, plan, run)
        missing = objects.left(recorded, _outputs(ports, plan, run), plan.output_folder(run.id))
        changed = objects.changed(recorded, ports.objects.listed(recorded.bucket, recorded.prefix))
    except TidegateError as error:
        return _not_done(ports, run, error, under_way=job is not None and job.status in IN_PROGRESS)
    return Observed(run.id, run.attempt, len(missing), changed, job)


def _create(ports: Ports, plan: Plan, run: Run) -> Said | None:
    recorded = _recorded(ports, plan, run)
    missing = objects.left(recorded, _outputs(ports, plan, run), plan.output_folder(run.id))
    if not missing:
        return Observed(run.id, run.attempt, 0)
    try:
        # A job may begin, again, hours after the run did.
        if run.model is not None:
            check(run.model.version, run.model.description, run.model.sha256, ports.trust)
    except TamperedError as error:
        return _not_done(ports, run, error, refused=True)
    return _create_job(ports, plan, run, recorded, missing)


def _create_job(ports: Ports, plan: Plan, run: Run, recorded: Input, missing: Sequence[Stored]) -> Said | None:
    key = f"{plan.run_folder(run.id)}jobs/{run.attempt}.manifest"
    ports.objects.write(plan.bucket, key, objects.transform_manifest(recorded, missing))
    try:
        # A run that was begun by code which did not describe models goes on with the live version's.
        if run.model is not None and run.model.description:
            ports.models.make(run.model)
        ports.transforms.create(plan.job(run.id, run.attempt), run, f"s3://{plan.bucket}/{key}", plan)
    except PermanentError as error:
        return _not_done(ports, run, error, refused=True)
    ports.log.info(f"the job {plan.job(run.id, run.attempt)} answers {len(missing)} of {run.objects} objects")
    return None


def _load(ports: Ports, plan: Plan, run: Run) -> Said | None:
    # The execution first: what it said before it ended is then seen below.
    seen = ports.executions.see(_execution(run))
    if _goes_on(seen):
        return LoadSeen(run.id, run.loading, under_way=True)
    try:
        return _loaded(ports, plan, run, seen)
    except TidegateError as error:
        # Somebody else may have begun it meanwhile, and so may a call that was not answered.
        return _not_done(ports, run, error, under_way=None if isinstance(error, TimedOutError) else _loads(ports, run))


def _loads(ports: Ports, run: Run) -> bool | None:
    """Return whether answers of a run are being loaded; None where that cannot be learnt."""
    try:
        return _goes_on(ports.executions.see(_execution(run)))
    except TidegateError:
        return None


def _goes_on(seen: JobSeen | None) -> bool:
    return seen is not None and seen.status == EXECUTING


def _loaded(ports: Ports, plan: Plan, run: Run, seen: JobSeen | None) -> Said | None:
    left = loads.tasks(plan, run, _recorded(ports, plan, run), _results(ports, plan, run))
    if seen is not None or not left or run.stopping:
        why = seen.reason or f"the execution {seen.status.lower()}; see the log of load" if seen is not None else ""
        return LoadSeen(run.id, run.loading, under_way=False, left=len(left), problem=why)
    key = f"{plan.run_folder(run.id)}loads/{run.loading}.json"
    ports.objects.write(plan.bucket, key, loading.written(left))
    ports.executions.start(_execution(run), {"bucket": plan.bucket, "key": key})
    return None


def _finish(ports: Ports, plan: Plan, run: Run) -> Said:
    folder, outputs, recorded = plan.output_folder(run.id), _outputs(ports, plan, run), _recorded(ports, plan, run)
    served = None
    if run.served:
        served = loads.summed_up(plan, _results(ports, plan, run), len(recorded.rows_in))
    content = objects.run_manifest(run, plan.endpoint, recorded, outputs, folder, served)
    ports.objects.write(plan.bucket, f"{plan.run_folder(run.id)}manifest.json", content)
    return Finished(run.id, loads.in_words(served) if served is not None else "")


def _results(ports: Ports, plan: Plan, run: Run) -> list[loads.Result]:
    found = ports.objects.listed(plan.bucket, plan.load_folder(run.id))
    keys = [each.key for each in found if each.key.endswith(loads.RESULT)]
    return loads.read(ports.objects.read(plan.bucket, key) for key in keys)


def _execution(run: Run) -> str:
    return f"{run.id}-{run.loading}"


def _recorded(ports: Ports, plan: Plan, run: Run) -> Input:
    return objects.read(ports.objects.read(plan.bucket, _input_key(plan, run)))


def _outputs(ports: Ports, plan: Plan, run: Run) -> dict[str, Stored]:
    return {each.key: each for each in ports.objects.listed(plan.bucket, plan.output_folder(run.id))}


def _input_key(plan: Plan, run: Run) -> str:
    return f"{plan.run_folder(run.id)}inputs.json"
