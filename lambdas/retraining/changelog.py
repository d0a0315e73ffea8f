"""changelog.md: what changed from the champion, in words. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.retraining.registering import Registration
from lambdas.retraining.verdicts import METRICS, Checks, Evaluation

_MOST_SLICES = 12


def changelog(registration: Registration, evaluation: Evaluation, checks: Checks, report: Mapping[str, Any]) -> str:
    """Return the text; `report` is what was found of the data when they were prepared."""
    parts = [
        f"# {registration.endpoint} {registration.version}",
        f"Retrained by `{registration.run}` in place of {registration.champion}, because {registration.reason}.",
        "## Data",
        *_data(report),
        "## On the held-out rows",
        f"Both models answered the same {evaluation.rows:,} rows, the newest, which neither was trained on"
        f"{_between(evaluation)}.",
        _table(evaluation),
        *(f"- {reason}" for reason in evaluation.reasons),
        "## Slices",
        *_slices(evaluation.slices),
        "## Checks",
        *(f"- {reason}" for reason in checks.reasons or ("nothing was found",)),
        *(f"- {doubt}" for doubt in checks.doubts),
        "## Signature",
        _signature(evaluation),
    ]
    return "\n\n".join(parts).replace("\n\n- ", "\n- ") + "\n"


def _data(report: Mapping[str, Any]) -> list[str]:
    train, requests, labels = report.get("train") or {}, report.get("requests"), report.get("labels")
    if not train:
        return ["What was prepared is not told."]
    lines = [
        f"Trained on {train.get('rows', 0):,} labelled rows from {train.get('first', '?')} to "
        f"{train.get('last', '?')}, of {requests} captured requests and {labels} labels."
    ]
    findings = [f"- {each.get('kind')}: {each.get('text')}" for each in report.get("findings") or ()]
    return lines + findings


def _between(evaluation: Evaluation) -> str:
    return f", from {evaluation.first} to {evaluation.last}" if evaluation.first else ""


def _table(evaluation: Evaluation) -> str:
    lines = ["| metric | champion | challenger | change |", "|---|---|---|---|"]
    for name in METRICS:
        old, new = evaluation.champion.get(name), evaluation.challenger.get(name)
        if isinstance(old, int | float) and isinstance(new, int | float):
            lines.append(f"| {name} | {old:.4f} | {new:.4f} | {new - old:+.4f} |")
    return "\n".join(lines)


def _slices(slices: Sequence[Mapping[str, Any]]) -> list[str]:
    told = [each for each in slices if isinstance(each.get("gain"), int | float)]
    if not told:
        return ["None were told apart."]
    worst = sorted(told, key=lambda each: each["gain"])[:_MOST_SLICES]
    lines = [
        f"- {each.get('column')} {each.get('level')}: accuracy {each['gain']:+.4f} on {each.get('rows', 0):,} rows"
        for each in worst
    ]
    more = len(told) - len(worst)
    return [*lines, f"- and {more} more, that gained more"] if more else lines


def _signature(evaluation: Evaluation) -> str:
    if not evaluation.signature_change:
        return "Inputs and outputs are those of the champion."
    told = "; ".join(str(each) for each in evaluation.differences) or "what changed is not told"
    return f"Inputs or outputs have changed, so that clients must be looked at: {told}."
