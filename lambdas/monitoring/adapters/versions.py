"""Which versions were live, from the rollout table, and where their baselines lie, from the model registry."""

from typing import Any

from lambdas.monitoring.adapters.clients import lazy
from lambdas.monitoring.times import stamp
from lambdas.monitoring.versions import Baselines, Timeline, Version
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.state import Phase, Rollout

BASELINE_NAME = "baseline.json"


class RecordedVersions:
    """Implements `lambdas.monitoring.ports.Versions`; the rollout table is only read."""

    def __init__(self, dynamodb: Lazy | None = None, sagemaker: Lazy | None = None) -> None:
        self._store = DynamoStore(dynamodb or lazy("dynamodb"))
        self._sagemaker = sagemaker or lazy("sagemaker")

    def timeline(self, endpoint: str) -> Timeline | None:
        """Return which versions were live; None when the endpoint has never been recorded."""
        state = self._store.load(endpoint)
        if state is None:
            return None
        past = [Version(each.version, each.package_arn, each.slot, each.until) for each in state.past]
        live = Version(state.live.version, state.live.package_arn, state.live.slot)
        return Timeline((*sorted(past, key=lambda each: each.until or 0.0), live), _candidate(state.rollout))

    def baselines(self, package_arn: str) -> Baselines:
        """Return where a package's baseline may lie: where its drift checks say, else beside its model."""
        with translated():
            package = self._sagemaker().describe_model_package(ModelPackageName=package_arn)
        quality = package.get("DriftCheckBaselines", {}).get("ModelDataQuality", {})
        statistics, constraints = (_uri(quality.get(name)) for name in ("Statistics", "Constraints"))
        containers = package.get("InferenceSpecification", {}).get("Containers", [{}])
        model = containers[0].get("ModelDataUrl", "")
        beside = f"{model.rpartition('/')[0]}/{BASELINE_NAME}" if model else ""
        candidates = tuple(dict.fromkeys(filter(None, (statistics, beside))))
        pairs = {statistics: constraints} if statistics and constraints else {}
        return Baselines(candidates, pairs, stamp(package["CreationTime"].timestamp()))


def _candidate(rollout: Rollout | None) -> Version | None:
    if rollout is None or rollout.slot == rollout.stable_slot:
        return None
    mirrored = bool(rollout.shadow_config) and rollout.phase in (Phase.SHADOW, Phase.PREPARE, Phase.TEST)
    return Version(rollout.version, rollout.package_arn, rollout.slot, mirrored=mirrored)


def _uri(source: Any) -> str:
    return str(source.get("S3Uri", "")) if isinstance(source, dict) else ""
