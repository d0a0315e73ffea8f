"""When and how an endpoint's model is retrained, as the templates render it into its parameter."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1
MANUAL, AUTOMATIC = "manual", "automatic"

_TYPES: Mapping[str, tuple[type, ...]] = {
    "environment": (str,),
    "endpoint": (str,),
    "bucket": (str,),
    "pipeline": (str,),
    "cooldown_minutes": (int, float),
    "monthly_runs": (int,),
    "least_gain_percent": (int, float),
    "approval": (str,),
}


class SettingsError(ValueError):
    """A parameter that cannot be read; the text says which field and why."""


@dataclass(frozen=True)
class OnDrift:
    """Drift that starts a run: `severe_features` at least, in `windows` of the last `of` windows."""

    severe_features: int
    windows: int
    of: int


@dataclass(frozen=True)
class Bootstrap:
    """The model that the template put live, which is in no registry: its version and where its baseline lies."""

    version: str = "bootstrap"
    baseline: str | None = None


@dataclass(frozen=True)
class Settings:
    """What the controller needs to know of an endpoint.

    Parameters
    ----------
    environment, endpoint
        Where this is; `endpoint` is the SageMaker endpoint's name, and its model package group's.
    bucket
        Bucket of artefacts, captures, labels and what runs leave.
    pipeline
        Name of the SageMaker pipeline.
    on_drift, schedule_days, on_new_data
        What starts a run, besides an operator.
    cooldown_minutes
        From the end of a run to the next one's start, unless an operator orders it.
    monthly_runs
        Most runs that start in a calendar month (UTC), operators' included.
    least_gain_percent
        Percentage points of accuracy by which a challenger must be better.
    approval
        ``manual`` or ``automatic``.
    lookback_minutes
        Of what was captured before drift began, this much is trained on as well.
    history_days
        How far back a run reaches that was not started by drift.
    run_limit_minutes
        A run that takes longer is stopped.
    parameters
        Pipeline parameters that are the same for every run, such as ``ImageUri``.
    bootstrap
        The model that the template put live.
    signing_key
        KMS key (ARN) that new versions are signed with; None where they are not.
    """

    environment: str
    endpoint: str
    bucket: str
    pipeline: str
    on_drift: OnDrift | None
    schedule_days: float | None
    on_new_data: bool
    cooldown_minutes: float
    monthly_runs: int
    least_gain_percent: float
    approval: str
    lookback_minutes: float = 1440.0
    history_days: float = 30.0
    run_limit_minutes: float = 1440.0
    parameters: Mapping[str, str] = field(default_factory=dict)
    bootstrap: Bootstrap = Bootstrap()
    signing_key: str | None = None

    @property
    def least_gain(self) -> float:
        """The gain as a share, as evaluations state it."""
        return self.least_gain_percent / 100

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Read the parameter's value.

        Raises
        ------
        SettingsError
            When it is of another schema, or a field is missing or not allowed.
        """
        try:
            return cls._from_dict(json.loads(text))
        except KeyError as error:
            raise SettingsError(f"{error.args[0]} is missing from the retraining settings; deploy again") from error
        except SettingsError:
            raise
        except (AttributeError, TypeError, ValueError) as error:
            raise SettingsError(f"the retraining settings cannot be read ({error}); deploy again") from error

    @classmethod
    def _from_dict(cls, data: dict[str, Any]) -> "Settings":
        if data["schema"] != SCHEMA:
            raise SettingsError(f"schema {data['schema']!r} of the retraining settings is not {SCHEMA}; deploy again")
        for name, kinds in _TYPES.items():
            if not isinstance(data[name], kinds):
                raise SettingsError(f"{name} of the retraining settings is {data[name]!r}; deploy again")
        if data["approval"] not in (MANUAL, AUTOMATIC):
            raise SettingsError(f"approval {data['approval']!r} is neither {MANUAL} nor {AUTOMATIC}")
        drift, bootstrap = data.get("on_drift"), data.get("bootstrap") or {}
        known = {name: data[name] for name in _OPTIONAL if data.get(name) is not None}
        return cls(
            **{name: data[name] for name in _TYPES},
            **known,
            on_drift=None if drift is None else OnDrift(**{name: int(drift[name]) for name in _DRIFT}),
            schedule_days=data.get("schedule_days"),
            on_new_data=bool(data.get("on_new_data", False)),
            parameters={str(name): str(value) for name, value in (data.get("parameters") or {}).items()},
            bootstrap=Bootstrap(bootstrap.get("version") or Bootstrap.version, bootstrap.get("baseline")),
        )


_DRIFT = ("severe_features", "windows", "of")
_OPTIONAL = ("lookback_minutes", "history_days", "run_limit_minutes", "signing_key")
