"""Whether a run that is wanted begins, waits, or is refused. Pure."""

from hashlib import sha256

from lambdas.inference.batch.decision import Turn
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import MOST_WAITING, SCHEDULE, Answer, Run, Wish
from lambdas.monitoring.times import compact

CONTENT_TYPES = ("text/csv", "application/jsonlines", "application/x-ndjson")


def wanted(turn: Turn, wish: Wish) -> Turn:
    """Return the turn with a wish that waits for its turn, which may come at once; or with a refusal."""
    if turn.answered(wish.id):
        return turn
    refusal = _refusal(turn, wish)
    if refusal:
        return turn.answering(Answer(wish.id, accepted=False, text=refusal))
    identity = run_id(wish)
    begins = turn.state.run is None and not turn.state.waiting
    text = f"The run {identity} begins." if begins else f"The run {identity} begins when those before it have ended."
    turn = turn.answering(Answer(wish.id, accepted=True, text=text, run=identity))
    return turn.having(waiting=(*turn.state.waiting, wish))


def next_run(turn: Turn) -> Turn:
    """Return the turn with the run of the first wish that waits, if there is one."""
    if not turn.state.waiting:
        return turn
    wish, *waiting = turn.state.waiting
    return turn.having(run=Run(run_id(wish), wish, turn.now), waiting=tuple(waiting)).summing_up()


def run_id(wish: Wish) -> str:
    """Return the id of the run of a wish, which fits into the name of a job."""
    return f"{compact(wish.at).lower()}-{sha256(wish.id.encode()).hexdigest()[:8]}"


def _refusal(turn: Turn, wish: Wish) -> str:
    state = turn.state
    if wish.trigger == SCHEDULE and any(each.trigger == SCHEDULE for each in state.waiting):
        return "A scheduled run waits already; one is enough."
    if len(state.waiting) >= MOST_WAITING:
        return f"{MOST_WAITING} runs wait already; stop some, or wait."
    if wish.content_type not in CONTENT_TYPES:
        known = ", ".join(CONTENT_TYPES)
        return f"The content type {wish.content_type!r} has no rows by line; give one of: {known}."
    if turn.plan.batch.serve_days and wish.content_type != turn.plan.batch.accept:
        return f"Answers are asked for by key, and keys are joined to {turn.plan.batch.accept} only; send rows as that."
    return _bad_input(wish.input, turn.plan)


def _bad_input(place: str, plan: Plan) -> str:
    bucket, _, folder = place.removeprefix("s3://").partition("/")
    if not place.startswith("s3://") or not bucket or not folder.endswith("/"):
        return f"The input {place!r} must be a folder in S3, such as s3://bucket/rows/ (with the last slash)."
    if bucket == plan.bucket and (plan.folder.startswith(folder) or folder.startswith(plan.folder)):
        return f"The input {place} holds what runs put out, s3://{bucket}/{plan.folder}; put rows elsewhere."
    return ""
