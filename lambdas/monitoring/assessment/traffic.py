"""Whether the window can be judged at all: is there a baseline, is it fresh, are the data whole, is there enough."""

from collections.abc import Iterator, Sequence
from statistics import median

from lambdas.monitoring.assessment.finding import Finding, Kind, Severity
from lambdas.monitoring.assessment.policy import Policy
from lambdas.monitoring.assessment.summary import Summary
from lambdas.monitoring.assessment.wording import listed, number, percent, share_of
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.times import epoch

# Windows that must have been seen before anything is usual.
LEAST_USUAL = 3

_DAY_SECONDS = 86_400
_WRONG_WIDTH = "wrong_width"
_OF_LABEL = "label_"
_BROKEN = " While it is so, the window is taken as broken and not for retraining."


def no_baseline(counts: WindowCounts) -> Finding:
    """Return that there is nothing to compare with."""
    text = (
        f"The live model has no baseline, so the {counts.rows:,} rows of this window cannot be compared with anything."
    )
    step = (
        "Register models with their baseline.json (training writes it); for the model that the endpoint was created "
        "with, name one in `bootstrap_baseline`."
    )
    numbers = {"rows": counts.rows}
    return Finding(Kind.NO_BASELINE, Severity.MODERATE, "baseline", text, step, numbers, Severity.UNDECIDED)


def findings(counts: WindowCounts, policy: Policy, history: Sequence[Summary]) -> list[Finding]:
    """Return what is wrong with the traffic itself, whatever is in it."""
    usual = _usual(counts, policy, history)
    found = [*_empty(counts, usual), *_volume(counts, policy, usual), *_malformed(counts, policy), *_late(counts)]
    return [*found, *_labels(counts), *_versions(counts, history)]


def of_baseline(baseline: Baseline, counts: WindowCounts, policy: Policy) -> list[Finding]:
    """Return what is wrong with the baseline for this window, and with the window's columns for it."""
    return [*_stale(baseline, counts, policy), *_schema(baseline, counts, policy)]


def _usual(counts: WindowCounts, policy: Policy, history: Sequence[Summary]) -> float | None:
    earlier = sorted((one for one in history if one.start < counts.start), key=lambda one: one.start)
    rows = [one.rows for one in earlier[-policy.usual_windows :] if one.rows]
    return median(rows) if len(rows) >= LEAST_USUAL else None


def _empty(counts: WindowCounts, usual: float | None) -> Iterator[Finding]:
    if counts.rows:
        return
    refused = f" {counts.malformed.total:,} lines could not be read." if counts.malformed.total else ""
    step = (
        "Does the endpoint get requests? If it does, look at its capture: SageMaker stops capturing at high disk use."
    )
    numbers = {"rows": 0, "usual": usual, "malformed": counts.malformed.total}
    if usual is None:
        text = f"No row was captured in this window.{refused}"
        yield Finding(Kind.EMPTY_WINDOW, Severity.MODERATE, "window", text, step, numbers, Severity.UNDECIDED)
    else:
        text = f"No row was captured in this window; {number(usual)} are usual.{refused}"
        yield Finding(Kind.EMPTY_WINDOW, Severity.SEVERE, "window", text, step, numbers, Severity.SUSPECT)


def _volume(counts: WindowCounts, policy: Policy, usual: float | None) -> Iterator[Finding]:
    if usual is None or not counts.rows:
        return
    times = counts.rows / usual
    if 1 / policy.volume_factor <= times <= policy.volume_factor:
        return
    said = f"{times:.1f} times as many as usual" if times > 1 else f"{percent(times)} of what is usual"
    text = f"{counts.rows:,} rows, {said} (median of the last windows: {number(usual)})."
    step = (
        "Find out who sends it: a test, a retry loop or a replay does not look like customers. "
        if times > 1
        else "Find out what is missing: a client, a region, or part of the captures. "
    )
    step += "The window is taken as broken and not for retraining; if it stays so, it becomes what is usual."
    numbers = {"rows": counts.rows, "usual": usual, "times": times}
    yield Finding(Kind.VOLUME, Severity.SEVERE, "rows", text, step, numbers, Severity.SUSPECT)


def _malformed(counts: WindowCounts, policy: Policy) -> Iterator[Finding]:
    reasons = {reason: times for reason, times in counts.malformed.items() if not reason.startswith(_OF_LABEL)}
    total = sum(reasons.values())
    if not total:
        return
    share = total / (total + counts.rows)
    said = f"{share_of(total, total + counts.rows, 'lines or rows')} could not be read: {_reasons(reasons)}."
    text = f"{said} {_example(counts, reasons)}"
    numbers = {"malformed": total, "share": share, "reasons": reasons}
    if share > policy.broken_share:
        step = "Look at the line named, and at who wrote it: a client or the capture has changed its format." + _BROKEN
        yield Finding(Kind.MALFORMED_RECORDS, Severity.SEVERE, "captures", text, step, numbers, Severity.SUSPECT)
    else:
        step = "Few enough not to matter for the rest."
        yield Finding(Kind.MALFORMED_RECORDS, Severity.INFO, "captures", text, step, numbers)


def _labels(counts: WindowCounts) -> Iterator[Finding]:
    reasons = {reason: times for reason, times in counts.malformed.items() if reason.startswith(_OF_LABEL)}
    if reasons:
        total = sum(reasons.values())
        text = f"{total:,} lines of labels could not be read: {_reasons(reasons)}. {_example(counts, reasons)}"
        step = "Put the labels again; accuracy is computed without these."
        numbers = {"malformed": total, "reasons": reasons}
        yield Finding(Kind.MALFORMED_RECORDS, Severity.MODERATE, "labels", text, step, numbers)


def _reasons(reasons: dict[str, int]) -> str:
    return ", ".join(f"{reason} {times:,}" for reason, times in sorted(reasons.items(), key=lambda one: -one[1]))


def _example(counts: WindowCounts, reasons: dict[str, int]) -> str:
    examples = counts.malformed.examples(max(reasons, key=lambda reason: reasons[reason]))
    return f"First: line {examples[0].line:,} of {examples[0].file}: {examples[0].why}" if examples else ""


def _late(counts: WindowCounts) -> Iterator[Finding]:
    if counts.late:
        text = f"{counts.late:,} rows arrived after their own window had been counted, and are in no window."
        step = "If it is more than a few, raise `delay_minutes`."
        yield Finding(Kind.LATE_RECORDS, Severity.INFO, "captures", text, step, {"late": counts.late})


def _versions(counts: WindowCounts, history: Sequence[Summary]) -> Iterator[Finding]:
    if len(counts.versions) > 1:
        said = ", ".join(f"{version} {times:,}" for version, times in counts.versions.most_common(5))
        text = f"More than one model version answered in this window ({said} rows): it spans a rollout."
        step = "Inputs are judged as ever; a change of the answers may be the new version's."
        numbers = {"versions": dict(counts.versions.most_common(5))}
        yield Finding(Kind.VERSION_CHANGED, Severity.INFO, "model", text, step, numbers)
        return
    earlier = [one for one in history if one.start < counts.start and one.baseline_id]
    last = max(earlier, key=lambda one: one.start, default=None)
    if last is not None and counts.baseline_id and last.baseline_id != counts.baseline_id:
        before = last.model_version or "another baseline"
        text = f"Another model is live: up to {last.window} windows were compared with that of {before}."
        step = "Nothing to do: what is said about 'since when' begins anew."
        yield Finding(Kind.VERSION_CHANGED, Severity.INFO, "model", text, step, {"before": last.model_version})


def _stale(baseline: Baseline, counts: WindowCounts, policy: Policy) -> Iterator[Finding]:
    days = (epoch(counts.end) - epoch(baseline.created_at)) / _DAY_SECONDS
    if days <= policy.baseline_max_age_days:
        return
    text = (
        f"The baseline of {baseline.model_version} is {days:,.0f} days old; {number(policy.baseline_max_age_days)} are "
        "allowed. A difference from it says little about today."
    )
    step = "Retrain the model, or raise `baseline_max_age_days` if its training data still stand for today's."
    numbers = {"days": days, "allowed": policy.baseline_max_age_days}
    yield Finding(Kind.STALE_BASELINE, Severity.SEVERE, "baseline", text, step, numbers, Severity.SUSPECT)


def _schema(baseline: Baseline, counts: WindowCounts, policy: Policy) -> Iterator[Finding]:
    if not counts.rows and not counts.malformed.get(_WRONG_WIDTH):
        return
    unknown = [name for name, _ in counts.unknown_columns.most_common()]
    absent = [name for name in baseline.columns if counts.rows and not _present(counts, name)]
    narrow = counts.malformed.get(_WRONG_WIDTH, 0)
    parts = []
    if unknown:
        parts.append(f"{listed(unknown)} came with requests, but the model does not know them")
    if absent:
        parts.append(f"{listed(absent)} of the model's columns never came")
    if narrow:
        parts.append(f"{narrow:,} rows have another number of columns than the model's {len(baseline.columns)}")
    if not parts:
        return
    share = max(
        [narrow / (narrow + counts.rows), *(times / max(counts.rows, 1) for times in counts.unknown_columns.values())]
    )
    broken = bool(absent) or share > policy.broken_share
    text = f"Requests do not have the columns that the model was trained on: {'; '.join(parts)}."
    numbers = {"unknown": unknown, "absent": absent, "wrong_width": narrow, "share": min(share, 1.0)}
    severity, makes = (Severity.SEVERE, Severity.SUSPECT) if broken else (Severity.INFO, Severity.NONE)
    step = "A client sends another schema: correct it, or register a model with the new one." + (
        _BROKEN if broken else ""
    )
    yield Finding(Kind.SCHEMA_CHANGE, severity, "columns", text, step, numbers, makes)


def _present(counts: WindowCounts, name: str) -> bool:
    tally = counts.columns.get(name)
    return tally is not None and tally.rows > 0
