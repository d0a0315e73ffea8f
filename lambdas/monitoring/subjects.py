"""What a window is compared with: the version that was live, and its baseline."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lambdas.contract import BOOTSTRAP_SLOT
from lambdas.monitoring.ports import Files, Versions
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.model_monitor import imported
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.settings import Settings
from lambdas.monitoring.times import stamp
from lambdas.monitoring.versions import Baselines, Timeline, Version
from lambdas.monitoring.windows import Window

_OWN = "schema_version"
"""Field that our own baselines have, and Model Monitor's statistics have not."""


@dataclass(frozen=True)
class Subject:
    """What a window is compared with.

    Parameters
    ----------
    version
        Which was live at the window's end.
    baseline, uri
        What it was trained on, and where that was found; None where there is none.
    trouble
        Why a baseline that is there cannot be used.
    """

    version: str
    baseline: Baseline | None
    uri: str = ""
    trouble: str = ""


class Subjects:
    """Finds what windows are compared with, for one run.

    Parameters
    ----------
    versions, files
        What was live, and where baselines lie.
    settings
        Of the endpoint.
    """

    def __init__(self, versions: Versions, files: Files, settings: Settings) -> None:
        self._versions = versions
        self._files = files
        self._settings = settings
        self._known: dict[Version, Subject] = {}

    @cached_property
    def timeline(self) -> Timeline:
        """Return which versions were live; the one that the endpoint was created with, where nothing is recorded."""
        found = self._versions.timeline(self._settings.endpoint)
        return found or Timeline((Version(self._settings.bootstrap_version, None, BOOTSTRAP_SLOT),))

    def of(self, window: Window) -> Subject:
        """Return what a window is compared with."""
        version = self.timeline.at(window.end)
        if version not in self._known:
            self._known[version] = self._found(version)
        return self._known[version]

    def name_of(self, version: Version) -> str:
        """Return what a version is called; the rollout engine does not know the first one's number."""
        return version.version if version.package_arn is not None else self._settings.bootstrap_version

    def slots(self, window: Window) -> dict[str, str]:
        """Return the version in each slot during a window."""
        return {slot: self.name_of(version) for slot, version in self.timeline.during(window).items()}

    @property
    def roles(self) -> OutputRoles | None:
        """Return which output is what, where the settings say so."""
        told = self._settings.outputs
        return None if told is None else OutputRoles(told.probability, told.prediction, told.threshold)

    def _found(self, version: Version) -> Subject:
        name, places = self.name_of(version), self._places(version)
        for uri in places.candidates:
            content = self._files.read(uri)
            if content is None:
                continue
            try:
                return Subject(name, self._read(content, uri, places, name), uri)
            except (ProfileError, ValueError) as error:
                return Subject(name, None, uri, f"{uri} cannot be used: {error}")
        return Subject(name, None)

    def _places(self, version: Version) -> Baselines:
        if version.package_arn is None:
            return Baselines(tuple(filter(None, (self._settings.bootstrap_baseline,))), {}, stamp(0.0))
        return self._versions.baselines(version.package_arn)

    def _read(self, content: bytes, uri: str, places: Baselines, version: str) -> Baseline:
        document = json.loads(content)
        if not isinstance(document, dict) or _OWN in document or "features" not in document:
            return Baseline.from_json(document)
        beside = self._files.read(places.constraints[uri]) if uri in places.constraints else None
        outputs = self._outputs_in(document)
        return imported(
            document,
            json.loads(beside) if beside else None,
            model_version=version,
            created_at=places.created_at,
            outputs=[name for name in (outputs.probability, outputs.prediction) if name is not None],
            roles=outputs,
        )

    def _outputs_in(self, statistics: dict[str, Any]) -> OutputRoles:
        """Return which of the features in Model Monitor's statistics are outputs: it makes no difference itself."""
        features = statistics["features"]
        names = {each.get("name") for each in features if isinstance(each, dict)} if isinstance(features, list) else ()
        told = self.roles or OutputRoles()
        probability, prediction = (name if name in names else None for name in (told.probability, told.prediction))
        return OutputRoles(probability, prediction, told.threshold)
