"""When an endpoint's model is trained anew, and what becomes of a model that is better."""

from dataclasses import dataclass
from typing import Annotated, Literal

from stacks.config.constraints import Between
from stacks.config.instances import JobInstanceType

Approval = Literal["manual", "automatic"]


@dataclass(frozen=True)
class OnDrift:
    """Drift that starts retraining; windows whose data are broken rather than drifted do not count.

    Parameters
    ----------
    severe_features
        How many features must have drifted severely in a window
    windows
        and in how many windows,
    of
        out of how many that follow one another.
    """

    severe_features: Annotated[int, Between(1, 1000)] = 1
    windows: Annotated[int, Between(1, 100)] = 2
    of: Annotated[int, Between(1, 100)] = 3


@dataclass(frozen=True)
class Training:
    """What retraining runs on.

    Parameters
    ----------
    instance_type
        Instances of its training and processing jobs.
    spot
        Whether the training job takes spare capacity, which is cheaper and may be taken away; it goes on from its last
        checkpoint then.
    max_runtime_minutes
        How long each of its jobs may run.
    """

    instance_type: JobInstanceType = "ml.m5.large"
    spot: bool = False
    max_runtime_minutes: Annotated[int, Between(1, 7200)] = 60


@dataclass(frozen=True)
class Retraining:
    """When a model is trained anew. One run at a time; a model that is not better is not registered.

    Parameters
    ----------
    on_drift
        Drift that starts it; `null`: none does.
    schedule_days
        Days after which it starts in any case; left out, it has no schedule.
    on_new_data
        Whether new labels start it.
    cooldown_minutes
        Time from the end of one run to the start of the next, unless an operator orders it.
    lookback_minutes
        Of what was captured before drift began, how much is trained on besides what came after.
    monthly_runs
        Most runs in a calendar month (UTC); an operator's count as well.
    least_gain_percent
        Percentage points of accuracy by which the new model must be better, with evidence, on rows that neither has
        been trained on.
    approval
        Whether a person approves a model that is better, or the rule above does. A model whose inputs or outputs have
        changed always waits for a person.
    training
        What it runs on.
    """

    on_drift: OnDrift | None = OnDrift()
    schedule_days: Annotated[int, Between(1, 365)] | None = None
    on_new_data: bool = False
    cooldown_minutes: Annotated[int, Between(1, 525_600)] = 1440
    lookback_minutes: Annotated[int, Between(0, 525_600)] = 1440
    monthly_runs: Annotated[int, Between(1, 1000)] = 8
    least_gain_percent: Annotated[float, Between(0, 50)] = 1.0
    approval: Approval = "manual"
    training: Training = Training()
