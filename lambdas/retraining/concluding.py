"""The pipeline's last step: registers the challenger, or writes down that the champion stays.

Each part may be done twice and comes to the same: files are written under names that follow from the run, the version
is settled by a write that only the first one makes, the registry is given the run as its token, and the outcome is
written once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas import signing
from lambdas.retraining.changelog import changelog
from lambdas.retraining.outcome import CHAMPION_NAME, read_champion, read_outcome, write_outcome
from lambdas.retraining.ports import Model
from lambdas.retraining.registering import Registration, request
from lambdas.retraining.said import Conclusion
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Champion, Outcome
from lambdas.retraining.verdicts import Checks, Evaluation, read_checks, read_evaluation
from lambdas.retraining.versions import change_of, next_version
from lambdas.rollout.errors import MissingError, PermanentError

REGISTER, KEEP = "register", "keep"
NOT_EVALUATED = "archive_not_evaluated"
"""How the reason begins when what would be signed is not known to be what was evaluated."""

_JSON, _MARKDOWN = "application/json", "text/markdown; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """What the pipeline tells its last step; the names are those of the step's arguments."""

    decision: str
    endpoint: str
    run_id: str
    reason: str
    execution_arn: str
    champion_version: str
    champion_uri: str
    captures_manifest: str
    output_uri: str
    model_uri: str
    evaluation_uri: str
    checks_uri: str
    report_uri: str = ""
    commit: str = ""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Request":
        """Read the event.

        Raises
        ------
        PermanentError
            When an argument is missing, or the decision is none.
        """
        names = cls.__dataclass_fields__
        optional = ("report_uri", "commit")
        missing = [name for name in names if name not in optional and not event.get(name)]
        if missing:
            raise PermanentError(f"the step's arguments lack {', '.join(missing)}; deploy the pipeline again")
        if event["decision"] not in (REGISTER, KEEP):
            raise PermanentError(f"decision {event['decision']!r} is neither {REGISTER} nor {KEEP}")
        return cls(**{name: str(event.get(name) or "") for name in names})


@dataclass(frozen=True)
class Unpacked:
    """A trained model's archive: its digest, and the small files in it that are kept beside it."""

    sha256: str
    files: Mapping[str, bytes]


class Artefacts(Protocol):
    """The artefact bucket, by S3 URIs."""

    def read(self, uri: str) -> bytes:
        """Return a small object; raise `MissingError` when there is none."""

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        """Write an object."""

    def write_once(self, uri: str, content: bytes, content_type: str) -> bytes:
        """Write an object unless there is one; return what is there."""

    def unpack(self, uri: str, names: tuple[str, ...]) -> Unpacked:
        """Read an archive through, once."""

    def copy(self, source: str, target: str, sha256: str) -> None:
        """Copy an object, and make sure that what is there has the digest."""


class Packages(Protocol):
    """The registry's versions of an endpoint."""

    def versions(self, group: str) -> list[str]:
        """Return the names of every registered version."""

    def of_run(self, group: str, run: str) -> str | None:
        """Return the package (ARN) that a run has registered lately; None when there is none."""

    def create(self, request: Mapping[str, Any]) -> str:
        """Register a version, or return the one that was registered with this token."""


class Signer(Protocol):
    """The key that new versions are signed with."""

    def sign(self, key: str, message: bytes) -> bytes:
        """Return the signature of a message."""


@dataclass(frozen=True)
class World:
    """What the last step needs: the bucket, the registry, the key, and what is live."""

    artefacts: Artefacts
    packages: Packages
    signer: Signer
    live: Model
    champion: Champion
    settings: Settings


def conclude(world: World, asked: Request) -> Conclusion:
    """Return what became of the run; the first call writes it down, and every other finds it.

    Raises
    ------
    TidegateError
        When something could not be read or written; calling again goes on where this ended.
    """
    uri = f"{asked.output_uri}/outcome.json"
    try:
        return read_outcome(world.artefacts.read(uri), asked.run_id)
    except MissingError:
        pass
    evaluation = read_evaluation(world.artefacts.read(asked.evaluation_uri))
    checks = read_checks(world.artefacts.read(asked.checks_uri))
    found = _found(world, asked, evaluation, checks)
    written = world.artefacts.write_once(uri, write_outcome(asked.run_id, found), _JSON)
    return read_outcome(written, asked.run_id)


def _found(world: World, asked: Request, evaluation: Evaluation, checks: Checks) -> Conclusion:
    # The pipeline's condition has looked already; what would be registered is looked at here once more.
    if asked.decision == REGISTER and evaluation.better and checks.passed:
        if why_not := _overtaken(world, asked):
            return _conclusion(Outcome.REFUSED, why_not, evaluation, checks)
        return _register(world, asked, evaluation, checks)
    refused = evaluation.better and not checks.passed
    reasons = checks.reasons if refused else evaluation.reasons
    outcome = Outcome.REFUSED if refused else Outcome.KEPT
    return _conclusion(outcome, "; ".join(reasons) or "no reason was given", evaluation, checks)


def _overtaken(world: World, asked: Request) -> str:
    """Return why a comparison with the champion says nothing any more; empty when that is live, or it is too late."""
    live = world.champion
    try:
        same = live.key == read_champion(world.artefacts.read(f"{asked.output_uri}/{CHAMPION_NAME}"))
    except MissingError:
        # The run was started by a version of the code that did not write it.
        same = (live.version, world.live.uri) == (asked.champion_version, asked.champion_uri)
    if same or world.packages.of_run(asked.endpoint, asked.run_id) is not None:
        return ""  # what an earlier try has registered stays registered; whether it is approved is asked elsewhere
    return (
        f"{live.version} ({live.key}) has gone live since the run began, and it was compared with "
        f"{asked.champion_version}"
    )


def _conclusion(outcome: Outcome, reason: str, evaluation: Evaluation, checks: Checks, **more: Any) -> Conclusion:
    return Conclusion(
        outcome=outcome.value,
        reason=reason,
        better=evaluation.better,
        checks_passed=checks.passed,
        signature_change=evaluation.signature_change,
        gain=evaluation.gain,
        p_value=evaluation.p_value,
        doubts=checks.doubts,
        numbers=evaluation.numbers,
        **more,
    )


def _register(world: World, asked: Request, evaluation: Evaluation, checks: Checks) -> Conclusion:
    model = world.artefacts.unpack(asked.model_uri, ("baseline.json", "model_card.json", "signature.json"))
    if evaluation.archive_sha256 != model.sha256:
        reason = _not_evaluated(asked, evaluation.archive_sha256, model.sha256)
        return _conclusion(Outcome.REFUSED, reason, evaluation, checks)
    version = _version(world, asked, evaluation, model.sha256)
    folder = f"s3://{world.settings.bucket}/{asked.endpoint}/{version}/{model.sha256}"
    world.artefacts.copy(asked.model_uri, f"{folder}/model.tar.gz", model.sha256)
    registration = Registration(
        endpoint=asked.endpoint,
        version=version,
        run=asked.run_id,
        reason=asked.reason,
        champion=asked.champion_version,
        champion_uri=asked.champion_uri,
        folder=folder,
        sha256=model.sha256,
        container=world.live.container,
        execution=asked.execution_arn,
        commit=asked.commit,
        manifest=asked.captures_manifest,
        signature=_signed(world, f"{folder}/model.tar.gz", model.sha256, version),
    )
    baseline = _write_siblings(world, asked, registration, model, evaluation, checks)
    arn = world.packages.of_run(asked.endpoint, asked.run_id)
    arn = arn or world.packages.create(request(registration, evaluation, checks, baseline=baseline))
    reason = "; ".join(evaluation.reasons) or f"accuracy {evaluation.gain:+.2%}"
    return _conclusion(Outcome.REGISTERED, reason, evaluation, checks, package_arn=arn, version=version)


def _not_evaluated(asked: Request, evaluated: str, found: str) -> str:
    """Return why an archive whose evaluation nobody has seen is neither signed nor registered."""
    if not evaluated:
        return (
            f"{NOT_EVALUATED}: {asked.evaluation_uri} does not say which archive was evaluated; the step Evaluate must "
            "leave its SHA-256 as archives.challenger"
        )
    return (
        f"{NOT_EVALUATED}: {asked.model_uri} has the sha256 {found}, and {evaluated} was evaluated: it was changed "
        "meanwhile; see who may write there, and start another run"
    )


def _version(world: World, asked: Request, evaluation: Evaluation, sha256: str) -> str:
    """Settle the version's name, once for the run, whatever is registered meanwhile."""
    uri = f"{asked.output_uri}/registration.json"
    try:
        settled = json.loads(world.artefacts.read(uri))
    except MissingError:
        known = [*world.packages.versions(asked.endpoint), asked.champion_version]
        change = change_of(signature_change=evaluation.signature_change, better=evaluation.better, gain=evaluation.gain)
        wanted = {"version": next_version(known, change), "sha256": sha256}
        settled = json.loads(world.artefacts.write_once(uri, json.dumps(wanted).encode(), _JSON))
    if settled["sha256"] != sha256:
        raise PermanentError(
            f"{asked.model_uri} has the sha256 {sha256}, but it had {settled['sha256']} when the run's registration "
            "began: it was changed, and is not registered"
        )
    return str(settled["version"])


def _signed(world: World, uri: str, sha256: str, version: str) -> Mapping[str, str]:
    key = world.settings.signing_key
    if key is None:
        return {}
    statement = signing.Statement(uri, sha256, version, world.settings.endpoint)
    return signing.metadata(statement, world.signer.sign(key, statement.message), key)


def _write_siblings(
    world: World,
    asked: Request,
    registration: Registration,
    model: Unpacked,
    evaluation: Evaluation,
    checks: Checks,
) -> bool:
    """Put beside the artefact what explains it; return whether that includes a baseline."""
    artefacts, folder = world.artefacts, registration.folder
    report = _report(world, asked)
    artefacts.write(f"{folder}/evaluation.json", artefacts.read(asked.evaluation_uri), _JSON)
    artefacts.write(f"{folder}/checks.json", artefacts.read(asked.checks_uri), _JSON)
    text = changelog(registration, evaluation, checks, report)
    artefacts.write(f"{folder}/changelog.md", text.encode(), _MARKDOWN)
    # Both were made before the version had a name.
    for name, kept, label in (
        ("baseline.json", "baseline.json", "model_version"),
        ("model_card.json", "card.json", "version"),
    ):
        if name in model.files:
            content = json.dumps({**json.loads(model.files[name]), label: registration.version})
            artefacts.write(f"{folder}/{kept}", content.encode(), _JSON)
    if "signature.json" in model.files:
        # The front door reads it there: what a version takes is not worth the unpacking of a model.
        artefacts.write(f"{folder}/signature.json", model.files["signature.json"], _JSON)
    return "baseline.json" in model.files


def _report(world: World, asked: Request) -> dict[str, Any]:
    try:
        return dict(json.loads(world.artefacts.read(asked.report_uri))) if asked.report_uri else {}
    except (MissingError, TypeError, ValueError):
        return {}
