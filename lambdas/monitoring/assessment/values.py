"""Values that are missing, not finite, or of a level never seen in training."""

from collections.abc import Iterator
from math import sqrt

from lambdas.monitoring.assessment.features import missing_share
from lambdas.monitoring.assessment.finding import Finding, Kind, Severity
from lambdas.monitoring.assessment.policy import Policy
from lambdas.monitoring.assessment.wording import percent, share_of
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.tallies import CategoryTally, NumberTally, Tally
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.statistics import rejected
from lambdas.monitoring.statistics.normal import survival

LEVELS_NAMED = 5


def findings(baseline: Baseline, counts: WindowCounts, policy: Policy) -> list[Finding]:
    """Return what is wrong with the values of columns."""
    judged = baseline.columns.keys() - policy.redacted
    known = {name: tally for name, tally in counts.columns.items() if name in judged and tally.rows}
    risen = rejected({n: _p_value(baseline.columns[n].tally, tally) for n, tally in known.items()}, policy.level)
    found = list[Finding]()
    for name, tally in known.items():
        if name in risen:
            found += _missing(name, baseline.columns[name].tally, tally, policy)
        if isinstance(tally, NumberTally):
            found += _not_finite(name, tally, policy)
        else:
            found += _unseen(name, tally, policy)
    return found


def _missing(name: str, reference: Tally, tally: Tally, policy: Policy) -> Iterator[Finding]:
    before, now = missing_share(reference), missing_share(tally)
    severity = policy.missing.severity(now - before)
    broken = now - before > policy.broken_missing
    if severity is Severity.INFO and not broken:
        return
    altogether = "altogether: " if now == 1 else ""
    text = f"`{name}` is missing {altogether}in {share_of(tally.missing, tally.rows)}; in training {percent(before)}."
    step = "Ask whoever fills the column; a renamed field or a failed join looks like this."
    numbers = {"missing_share": now, "reference_missing_share": before, "rows": tally.rows}
    if broken:
        step += " While it is so, the window is taken as broken and not for retraining."
        yield Finding(Kind.MISSING_VALUES, Severity.SEVERE, name, text, step, numbers, Severity.SUSPECT)
    else:
        yield Finding(Kind.MISSING_VALUES, severity, name, text, step, numbers)


def _not_finite(name: str, tally: NumberTally, policy: Policy) -> Iterator[Finding]:
    if not tally.not_finite:
        return
    share = tally.not_finite / tally.rows
    text = f"`{name}` is NaN or infinite in {share_of(tally.not_finite, tally.rows)}."
    step = "Look for a division by zero or a failed conversion before the request is sent."
    numbers = {"not_finite": tally.not_finite, "share": share, "rows": tally.rows}
    if share > policy.broken_share:
        step += " While it is so, the window is taken as broken and not for retraining."
        yield Finding(Kind.NOT_FINITE, Severity.SEVERE, name, text, step, numbers, Severity.SUSPECT)
    else:
        yield Finding(Kind.NOT_FINITE, Severity.INFO, name, text, step, numbers)


def _unseen(name: str, tally: CategoryTally, policy: Policy) -> Iterator[Finding]:
    if not tally.unseen_rows:
        return
    share = tally.unseen_rows / tally.rows
    levels = ", ".join(f"`{level}` ({times:,})" for level, times in tally.unseen.most_common(LEVELS_NAMED))
    more = f" and {len(tally.unseen) - LEVELS_NAMED:,} more or others" if len(tally.unseen) > LEVELS_NAMED else ""
    text = f"`{name}` has values never seen in training in {share_of(tally.unseen_rows, tally.rows)}: {levels}{more}."
    step = "If it is a spelling, correct it where it comes from; if it is new, the model knows nothing of it."
    numbers = {"unseen": tally.unseen_rows, "share": share, "levels": dict(tally.unseen.most_common(LEVELS_NAMED))}
    yield Finding(Kind.UNSEEN_CATEGORIES, policy.unseen.severity(share), name, text, step, numbers)


def _p_value(reference: Tally, tally: Tally) -> float:
    """Return the chance of so large a rise of the share of missing values (two-sample score test)."""
    if not reference.rows:
        return 1.0
    pooled = (reference.missing + tally.missing) / (reference.rows + tally.rows)
    error = sqrt(pooled * (1 - pooled) * (1 / reference.rows + 1 / tally.rows))
    return survival((missing_share(tally) - missing_share(reference)) / error) if error else 1.0
