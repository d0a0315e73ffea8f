"""The pipeline's last step, killed at every call: one version, one package, one outcome."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters

from lambdas import contract, signing
from lambdas.retraining.concluding import Request, Unpacked, World, conclude
from lambdas.retraining.outcome import read_outcome, write_champion
from lambdas.retraining.ports import Model
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Champion
from lambdas.retraining.versions import change_of, next_version
from lambdas.rollout.errors import MissingError, PermanentError

BUCKET, NAME, RUN = "artefacts", "rain-local", "run-00001-0123456789abcdef01234567"
OUTPUT = f"s3://{BUCKET}/retraining/{NAME}/{RUN}"
MODEL_URI = f"{OUTPUT}/model/job/output/model.tar.gz"
MODEL = b"an archive"
DIGEST = hashlib.sha256(MODEL).hexdigest()
CHAMPION = Champion("2.0.0", "arn:package/2", "config-2", "blue")
CHAMPION_URI = f"{OUTPUT}/champion.json"
OVERTAKER = Champion("2.1.3", "arn:package/3", "config-3", "green")
KEY = "arn:aws:kms:us-east-1:111122223333:key/1"
EXECUTION = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/rain/execution/1"
EVENT = {
    "decision": "register",
    "endpoint": NAME,
    "run_id": RUN,
    "reason": "2 of the last 3 windows had drifted",
    "execution_arn": EXECUTION,
    "champion_version": "2.0.0",
    "champion_uri": "s3://artefacts/2.0.0/model.tar.gz",
    "baseline_uri": "s3://artefacts/2.0.0/baseline.json",
    "captures_manifest": f"{OUTPUT}/captures.manifest",
    "labels_manifest": f"{OUTPUT}/labels.manifest",
    "output_uri": OUTPUT,
    "model_uri": MODEL_URI,
    "evaluation_uri": f"{OUTPUT}/evaluation/evaluation.json",
    "checks_uri": f"{OUTPUT}/checks/checks.json",
    "report_uri": f"{OUTPUT}/prepared/report/report.json",
    "commit": "abc123",
}
EVALUATION = {
    "better": True,
    "reasons": ["accuracy 0.850 against the champion's 0.800: a gain of +0.050", "McNemar's mid-p is 0.001"],
    "gain": 0.05,
    "least_gain": 0.01,
    "signature_change": False,
    "heldout": {"rows": 500, "first": "2027-01-15T06:00:00Z", "last": "2027-01-15T08:00:00Z"},
    "champion": {"accuracy": 0.8, "auc": 0.85, "brier": 0.15, "unanswered": 0},
    "challenger": {"accuracy": 0.85, "auc": 0.9, "brier": 0.12, "unanswered": 0},
    "mcnemar": {"p_value": 0.001},
    "archives": {"champion": "0" * 64, "challenger": DIGEST},
    "slices": [
        {"column": "pressure", "level": "low", "rows": 100, "gain": -0.01},
        {"column": "pressure", "level": "high", "rows": 100, "gain": 0.1},
    ],
}
CHECKS = {"passed": True, "reasons": ["expected calibration error 0.020: within the limit"], "doubts": []}
REPORT = {
    "train": {"rows": 1500, "first": "2027-01-15T04:00:00Z", "last": "2027-01-15T06:00:00Z"},
    "requests": 2000,
    "labels": 1990,
    "findings": [{"kind": "unknown_labels", "text": "3 labels are of no request"}],
}
SETTINGS = Settings(
    environment="local",
    endpoint=NAME,
    bucket=BUCKET,
    pipeline="rain",
    on_drift=None,
    schedule_days=None,
    on_new_data=False,
    cooldown_minutes=1,
    monthly_runs=1,
    least_gain_percent=1,
    approval="manual",
    signing_key=KEY,
)


class KilledError(BaseException):
    """The function is killed."""


@dataclass
class FakeWorld:
    """Bucket, registry and key in memory; the call number `kill_at` is the last, before its effect or after."""

    content: dict[str, bytes] = field(default_factory=dict)
    packages: list[dict[str, Any]] = field(default_factory=list)
    signatures: int = 0
    champion: Champion = CHAMPION
    live_uri: str = EVENT["champion_uri"]
    variables: dict[str, str] = field(default_factory=lambda: {"THREADS": "2"})
    calls: int = 0
    kill_at: int | None = None
    after: bool = False

    def __post_init__(self) -> None:
        self.content[MODEL_URI] = MODEL
        self.content[CHAMPION_URI] = write_champion(CHAMPION.key)
        self.content[EVENT["evaluation_uri"]] = json.dumps(EVALUATION).encode()
        self.content[EVENT["checks_uri"]] = json.dumps(CHECKS).encode()
        self.content[EVENT["report_uri"]] = json.dumps(REPORT).encode()
        self.packages += [{"CustomerMetadataProperties": {contract.PACKAGE_VERSION_KEY: "2.1.3"}, "arn": "arn:0"}]

    def world(self, settings: Settings = SETTINGS) -> World:
        container = {"Image": "repository/serving:7", "Environment": self.variables}
        live = Model(self.live_uri, "s3://baseline", container)
        port: Any = self
        return World(port, port, port, live, self.champion, settings)

    def _call(self, effect: Callable[[], Any]) -> Any:
        self.calls += 1
        struck = self.calls == self.kill_at
        if struck and not self.after:
            raise KilledError
        try:
            return effect()
        finally:
            if struck:
                raise KilledError

    def read(self, uri: str) -> bytes:
        def effect() -> bytes:
            if uri not in self.content:
                raise MissingError(uri)
            return self.content[uri]

        return bytes(self._call(effect))

    def write(self, uri: str, content: bytes, content_type: str) -> None:
        self._call(lambda: self.content.update({uri: content}))

    def write_once(self, uri: str, content: bytes, content_type: str) -> bytes:
        return bytes(self._call(lambda: self.content.setdefault(uri, content)))

    def unpack(self, uri: str, names: tuple[str, ...]) -> Unpacked:
        files = {
            "baseline.json": b'{"model_version": "challenger", "rows": 9}',
            "model_card.json": b'{"label": "rain"}',
            "signature.json": b'{"schema": 1}',
        }
        digest = hashlib.sha256(self.content[uri]).hexdigest()
        return self._call(lambda: Unpacked(digest, files))  # type: ignore[no-any-return]

    def copy(self, source: str, target: str, sha256: str) -> None:
        self._call(lambda: self.content.update({target: self.content[source]}))

    def versions(self, group: str) -> list[str]:
        return [each["CustomerMetadataProperties"][contract.PACKAGE_VERSION_KEY] for each in self.packages]

    def of_run(self, group: str, run: str) -> str | None:
        def effect() -> str | None:
            found = (
                each["arn"]
                for each in self.packages
                if each["CustomerMetadataProperties"].get(contract.PACKAGE_RUN_KEY) == run
            )
            return next(found, None)

        return self._call(effect)  # type: ignore[no-any-return]

    def create(self, request: Mapping[str, Any]) -> str:
        shape: Any = botocore.session.get_session().get_service_model("sagemaker")
        validate_parameters(request, shape.operation_model("CreateModelPackage").input_shape)

        def effect() -> str:
            self.packages.append({**request, "arn": f"arn:{len(self.packages)}"})
            return str(self.packages[-1]["arn"])

        return str(self._call(effect))

    def sign(self, key: str, message: bytes) -> bytes:
        self.signatures += 1  # of ECDSA, no two are the same
        return bytes(self._call(lambda: f"{self.signatures}".encode() + hashlib.sha256(message).digest()))


def asked(**changes: Any) -> Request:
    return Request.of({**EVENT, **changes})


def put(fake: FakeWorld, name: str, content: Mapping[str, Any], **changes: Any) -> None:
    fake.content[EVENT[name]] = json.dumps({**content, **changes}).encode()


def registered(fake: FakeWorld) -> dict[str, Any]:
    (package,) = fake.packages[1:]
    return package


def test_challenger_is_registered_with_its_evidence() -> None:
    fake = FakeWorld()
    found = conclude(fake.world(), asked())
    assert (found.outcome, found.version, found.package_arn) == ("registered", "2.2.0", "arn:1")
    package, folder = registered(fake), f"s3://artefacts/{NAME}/2.2.0/{DIGEST}"
    (container,) = package["InferenceSpecification"]["Containers"]
    assert container == {
        "Image": "repository/serving:7",
        "Environment": {"THREADS": "2"},
        "ModelDataUrl": f"{folder}/model.tar.gz",
    }
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["MetadataProperties"] == {"CommitId": "abc123", "GeneratedBy": EXECUTION}
    statistics = package["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"]
    assert statistics == f"{folder}/baseline.json"
    assert json.loads(fake.content[statistics]) == {"model_version": "2.2.0", "rows": 9}
    assert fake.content[f"{folder}/signature.json"] == b'{"schema": 1}'
    assert json.loads(fake.content[f"{folder}/card.json"]) == {"label": "rain", "version": "2.2.0"}
    assert package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] == f"{folder}/evaluation.json"
    assert package["ModelMetrics"]["Bias"]["Report"]["S3Uri"] == f"{folder}/checks.json"
    metadata = package["CustomerMetadataProperties"]
    assert metadata[contract.PACKAGE_PARENT_KEY] == "2.0.0"
    assert metadata[contract.PACKAGE_RUN_KEY] == RUN
    assert metadata[contract.PACKAGE_DATA_KEY] == f"{OUTPUT}/captures.manifest"
    signed = signing.read(metadata, container, NAME)
    assert signed.statement == signing.Statement(f"{folder}/model.tar.gz", DIGEST, "2.2.0", NAME)
    assert signed.key == KEY


@pytest.mark.parametrize(
    ("variables", "kept"),
    [
        ({"THREADS": "2", "TIDEGATE_MODEL_PUBLIC_KEY": "k"}, {"THREADS": "2", "TIDEGATE_MODEL_PUBLIC_KEY": "k"}),
        ({}, None),
    ],
)
def test_challenger_inherits_nothing_that_is_about_the_champion_alone(
    variables: dict[str, str], kept: dict[str, str] | None
) -> None:
    of_champion = {"TIDEGATE_MODEL_DIGEST": "0" * 64, "TIDEGATE_MODEL_VERSION": "2.0.0"}
    of_fleet = {contract.CAPTURE_SAMPLING: "100", contract.CAPTURE_VARIANT: "blue"}
    fake = FakeWorld(variables={**variables, **of_champion, **of_fleet})
    assert conclude(fake.world(), asked()).outcome == "registered"
    (container,) = registered(fake)["InferenceSpecification"]["Containers"]
    assert container.get("Environment") == kept


@pytest.mark.parametrize("content", [write_champion(CHAMPION.key), b"no JSON", None])
def test_challenger_is_refused_when_another_version_has_gone_live(content: bytes | None) -> None:
    fake = FakeWorld(champion=OVERTAKER, live_uri="s3://artefacts/2.1.3/model.tar.gz")
    del fake.content[CHAMPION_URI]
    fake.content |= {} if content is None else {CHAMPION_URI: content}
    found = conclude(fake.world(), asked())
    assert (found.outcome, found.package_arn) == ("refused", None)
    assert found.reason == ("2.1.3 (arn:package/3) has gone live since the run began, and it was compared with 2.0.0")
    assert len(fake.packages) == 1


def test_another_package_of_the_champion_s_name_is_not_the_champion() -> None:
    fake = FakeWorld(champion=replace(CHAMPION, package_arn="arn:package/9"))
    assert conclude(fake.world(), asked()).outcome == "refused"


def test_run_that_began_before_champions_were_written_down_is_concluded() -> None:
    fake = FakeWorld()
    del fake.content[CHAMPION_URI]
    assert conclude(fake.world(), asked()).outcome == "registered"


def test_what_was_registered_before_another_version_went_live_stays_registered() -> None:
    fake = FakeWorld()
    found = conclude(fake.world(), asked())
    del fake.content[f"{OUTPUT}/outcome.json"]
    fake.champion = OVERTAKER
    assert conclude(fake.world(), asked()) == found
    assert len(fake.packages) == 2


def test_metadata_fit_what_the_registry_takes() -> None:
    """Values of CustomerMetadataProperties: ``([\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@]*)`` of up to 256 characters."""
    fake = FakeWorld()
    conclude(fake.world(), asked())
    for value in registered(fake)["CustomerMetadataProperties"].values():
        assert re.fullmatch(r"[\w\s.:/=+\-@]{1,256}", value), value


def test_unsigned_where_no_key_is_named_and_no_half_signature_is_left() -> None:
    fake = FakeWorld()
    conclude(fake.world(replace(SETTINGS, signing_key=None)), asked())
    assert not signing.is_signed(registered(fake)["CustomerMetadataProperties"])
    assert fake.signatures == 0


def test_changelog_says_what_changed() -> None:
    fake = FakeWorld()
    conclude(fake.world(), asked())
    text = fake.content[f"s3://artefacts/{NAME}/2.2.0/{DIGEST}/changelog.md"].decode()
    for said in (
        "# rain-local 2.2.0",
        f"Retrained by `{RUN}` in place of 2.0.0, because 2 of the last 3 windows had drifted.",
        "Trained on 1,500 labelled rows from 2027-01-15T04:00:00Z",
        "unknown_labels: 3 labels are of no request",
        "| accuracy | 0.8000 | 0.8500 | +0.0500 |",
        "pressure low: accuracy -0.0100 on 100 rows",
        "Inputs and outputs are those of the champion.",
    ):
        assert said in text, said


def test_model_card_has_what_its_schema_asks_for() -> None:
    fake = FakeWorld()
    conclude(fake.world(), asked())
    card = json.loads(registered(fake)["ModelCard"]["ModelCardContent"])
    assert set(card) <= {
        "model_overview",
        "intended_uses",
        "business_details",
        "training_details",
        "evaluation_details",
        "additional_information",
    }
    assert set(card["model_overview"]) == {"model_creator", "model_artifact"}
    assert card["intended_uses"]["risk_rating"] in ("High", "Medium", "Low", "Unknown")
    (evaluation,) = card["evaluation_details"]
    assert [group["name"] for group in evaluation["metric_groups"]] == ["challenger", "champion"]
    for group in evaluation["metric_groups"]:
        assert all({"name", "type", "value"} == set(each) for each in group["metric_data"])
    assert all(isinstance(value, str) for value in evaluation["metadata"].values())


@pytest.mark.parametrize(
    ("decision", "evaluation", "checks", "outcome", "reason"),
    [
        ("keep", {"better": False, "reasons": ["no evidence"]}, {}, "champion_stays", "no evidence"),
        ("keep", {}, {"passed": False, "reasons": ["calibration is off"]}, "refused", "calibration is off"),
        ("register", {"better": False, "reasons": ["no evidence"]}, {}, "champion_stays", "no evidence"),
        ("register", {}, {"passed": False, "reasons": ["biased"]}, "refused", "biased"),
    ],
)
def test_champion_stays_unless_the_challenger_is_better_and_sound(
    decision: str, evaluation: dict[str, Any], checks: dict[str, Any], outcome: str, reason: str
) -> None:
    fake = FakeWorld()
    put(fake, "evaluation_uri", EVALUATION, **evaluation)
    put(fake, "checks_uri", CHECKS, **checks)
    found = conclude(fake.world(), asked(decision=decision))
    assert (found.outcome, found.reason, found.package_arn) == (outcome, reason, None)
    assert len(fake.packages) == 1
    assert read_outcome(fake.content[f"{OUTPUT}/outcome.json"], RUN) == found


@pytest.mark.parametrize(
    ("doubts", "told"),
    [
        ([], ()),
        (["labels are reversed"], ("labels are reversed",)),
        (None, ("nobody has looked whether its labels look like the truth",)),
    ],
)
def test_doubts_about_the_labels_go_with_the_outcome(doubts: list[str] | None, told: tuple[str, ...]) -> None:
    fake = FakeWorld()
    put(fake, "checks_uri", CHECKS, doubts=doubts)
    found = conclude(fake.world(), asked())
    assert found.doubts == told
    assert read_outcome(fake.content[f"{OUTPUT}/outcome.json"], RUN) == found
    text = next(content.decode() for uri, content in fake.content.items() if uri.endswith("changelog.md"))
    assert all(f"- {doubt}" in text for doubt in told)


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_there_is_one_version_and_one_outcome(after: bool) -> None:
    calm = FakeWorld()
    expected = conclude(calm.world(), asked())
    for kill_at in range(1, calm.calls + 1):
        fake = FakeWorld(kill_at=kill_at, after=after)
        with pytest.raises(KilledError):
            conclude(fake.world(), asked())
        # Somebody registers by hand before the step is tried again.
        by_hand = {contract.PACKAGE_VERSION_KEY: "2.1.4"}
        fake.packages.insert(1, {"CustomerMetadataProperties": by_hand, "arn": "arn:h"})
        found = conclude(fake.world(), asked())
        assert conclude(fake.world(), asked()) == found
        ours = [
            each for each in fake.packages if each["CustomerMetadataProperties"].get(contract.PACKAGE_RUN_KEY) == RUN
        ]
        assert len(ours) == 1
        assert ours[0]["arn"] == found.package_arn
        assert (found.outcome, found.version) == (expected.outcome, expected.version)


def test_artefact_that_changed_between_two_tries_is_not_registered() -> None:
    fake = FakeWorld(kill_at=8)
    with pytest.raises(KilledError):
        conclude(fake.world(), asked())
    assert f"{OUTPUT}/registration.json" in fake.content
    fake.content[MODEL_URI] = b"another archive"
    put(fake, "evaluation_uri", EVALUATION, archives={"challenger": hashlib.sha256(b"another archive").hexdigest()})
    with pytest.raises(PermanentError, match="it was changed, and is not registered"):
        conclude(fake.world(), asked())
    assert len(fake.packages) == 1


@pytest.mark.parametrize(
    ("archives", "why"),
    [
        ({"challenger": "0" * 64}, f"{MODEL_URI} has the sha256 {DIGEST}, and {'0' * 64} was evaluated"),
        ({"champion": DIGEST}, "does not say which archive was evaluated"),
        (None, "does not say which archive was evaluated"),
    ],
)
def test_only_the_archive_that_was_evaluated_is_signed(archives: dict[str, str] | None, why: str) -> None:
    fake = FakeWorld()
    put(fake, "evaluation_uri", EVALUATION, archives=archives)
    found = conclude(fake.world(), asked())
    assert (found.outcome, found.package_arn, found.version) == ("refused", None, "")
    assert found.reason.startswith("archive_not_evaluated: ")
    assert why in found.reason
    assert (len(fake.packages), fake.signatures) == (1, 0)
    assert not any("/2.2.0/" in uri for uri in fake.content)
    assert read_outcome(fake.content[f"{OUTPUT}/outcome.json"], RUN) == found


def test_another_run_s_outcome_is_not_taken_for_this_one_s() -> None:
    fake = FakeWorld()
    fake.content[f"{OUTPUT}/outcome.json"] = b'{"schema": 1, "run": "run-2", "outcome": "champion_stays"}'
    with pytest.raises(ValueError, match="of schema 1 and the run run-2"):
        conclude(fake.world(), asked())


@pytest.mark.parametrize(
    ("change", "text"),
    [({"decision": "maybe"}, "decision 'maybe' is neither"), ({"model_uri": ""}, "arguments lack model_uri")],
)
def test_arguments_that_make_no_sense_are_named(change: dict[str, str], text: str) -> None:
    with pytest.raises(PermanentError, match=text):
        asked(**change)


@pytest.mark.parametrize(
    ("known", "change", "version"),
    [
        (["1.0.0", "1.1.0"], "minor", "1.2.0"),
        (["1.9.0", "1.10.0"], "minor", "1.11.0"),
        (["1.1.0"], "major", "2.0.0"),
        (["1.1.0"], "patch", "1.1.1"),
        (["1.1.0-int8", "bootstrap", "version 7"], "minor", "1.2.0"),
        ([], "minor", "0.1.0"),
    ],
)
def test_next_version_is_beyond_all(known: list[str], change: str, version: str) -> None:
    assert next_version(known, change) == version


def test_change_is_what_semantic_versioning_says() -> None:
    assert change_of(signature_change=True, better=True, gain=0.5) == "major"
    assert change_of(signature_change=False, better=True, gain=0.5) == "minor"
    assert change_of(signature_change=False, better=False, gain=0.5) == "patch"
