"""Everything that is known of one version, as a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lambdas.rollout.episode import Episode
from tidegate import documents, rollouts
from tidegate.aws import Aws
from tidegate.models import measured, trust
from tidegate.models.differing import describe
from tidegate.models.files import Files
from tidegate.models.measured import Measured
from tidegate.models.record import Record
from tidegate.models.standing import Mark, Standing, marks
from tidegate.settings import EndpointSettings

CARD_NAME, CHANGELOG_NAME, CHECKS_NAME = "card.json", "changelog.md", "checks.json"


@dataclass(frozen=True)
class Row:
    """A version as it is listed."""

    record: Record
    accuracy: float | None
    marks: tuple[Mark, ...]


def row_of(record: Record, standing: Standing, files: Files) -> Row:
    """Return a version as it is listed."""
    return Row(record, measured.accuracy(record, files), tuple(marks(record, standing)))


def row(listed: Row) -> dict[str, Any]:
    """Return what ``models list`` says of a version."""
    record = listed.record
    return {
        "version": record.version,
        "number": record.package.number,
        "arn": record.package.arn,
        "approval": record.package.approval,
        "stage": record.stage or None,
        "registered_at": _moment(record.package.created_at),
        "accuracy": listed.accuracy,
        "signed": record.package.signed,
        "champion": record.lineage.champion or None,
        "marks": [asdict(mark) for mark in listed.marks],
    }


def whole(aws: Aws, endpoint: EndpointSettings, record: Record, standing: Standing) -> dict[str, Any]:
    """Return what ``models show`` says of a version."""
    files = Files(aws)
    found, baseline = measured.of(record, files), files.baseline(record)
    listed = Row(record, found.metrics.get(measured.ACCURACY), tuple(marks(record, standing)))
    past = [each for each in rollouts.summaries(aws, endpoint) if each.version == record.version]
    document = {
        **row(listed),
        "status": record.package.status,
        "description": record.package.description,
        "pinned": record.pinned or None,
        "container": {
            "image": record.package.image,
            "model_data": record.package.model_data,
            "environment": dict(record.container.get("Environment") or {}),
        },
        "signature": asdict(trust.check(aws, endpoint, record)),
        "metrics": dict(found.metrics),
        "compared": _compared(found),
        "checks": files.json(record.beside(CHECKS_NAME)) or None,
        "columns": {name: describe(each) for name, each in baseline.columns.items()} if baseline else None,
        "card": files.json(record.beside(CARD_NAME)) or dict(record.card) or None,
        "changelog": files.text(record.beside(CHANGELOG_NAME)),
        "lineage": {name: value or None for name, value in asdict(record.lineage).items()},
        "approvals": _approvals(record, standing.episodes.get(record.package.arn)),
        "life_cycle": {"stage": record.stage or None, "description": record.stage_description or None},
        "rollouts": [documents.summary(each) for each in past],
    }
    return {**document, "unread": list(files.problems)}


def _compared(found: Measured) -> dict[str, Any] | None:
    if not found.champion:
        return None
    return {
        "champion": dict(found.champion),
        "gain": found.gain,
        "least_gain": found.least_gain,
        "p_value": found.p_value,
        "rows": dict(found.rows or {}),
    }


def _approvals(record: Record, episode: Episode | None) -> dict[str, Any]:
    return {
        "approval": record.package.approval,
        "reason": record.approval_reason or None,
        "registered_by": record.created_by or None,
        "changed_by": record.modified_by or None,
        "changed_at": _moment(record.modified_at),
        "taken_in": _episode(episode),
    }


def _episode(episode: Episode | None) -> Mapping[str, Any] | None:
    """Return what the engine made of the latest approval."""
    if episode is None:
        return None
    return {
        "approved_at": documents.moment(episode.approved_at),
        "outcome": episode.outcome,
        "withdrawn_at": documents.moment(episode.closed_at),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else documents.moment(at.timestamp())
