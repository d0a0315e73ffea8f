"""How an endpoint's traffic is compared with what its model was trained on."""

from dataclasses import dataclass
from typing import Annotated

from stacks.config.constraints import Between, Matching
from stacks.config.instances import JobInstanceType

ColumnName = Annotated[str, Matching(r"[A-Za-z_][\w .-]{0,63}", "the name of a column or an output", "rain")]


@dataclass(frozen=True)
class Outputs:
    """What the model's outputs mean; without it their distributions are compared and no accuracy is estimated.

    Parameters
    ----------
    probability
        Output with the probability of the positive class.
    prediction
        Output with the class that was predicted.
    threshold
        Probability from which on the positive class is predicted.
    """

    probability: ColumnName | None = None
    prediction: ColumnName | None = None
    threshold: Annotated[float, Between(0, 1)] = 0.5


@dataclass(frozen=True)
class Floors:
    """Population stability indices below which a difference is no drift, however certain it is.

    Parameters
    ----------
    moderate
        Index from which on a feature counts as drifted,
    severe
        and as severely drifted, which people are told of and which may start retraining.
    """

    moderate: Annotated[float, Between(0.001, 10)] = 0.02
    severe: Annotated[float, Between(0.001, 10)] = 0.1


@dataclass(frozen=True)
class CountingJob:
    """The SageMaker Processing jobs that count a window which is too large for the function.

    Parameters
    ----------
    instance_type
        What it runs on.
    volume_gigabytes
        Its disk, onto which the window's files are copied.
    large_window_megabytes
        Size up to which one job counts a window; the files of a larger one are shared out, and none of the jobs gets
        much more than this.
    parallel_jobs
        How many of them run at a time; the account's quota for the instance type must allow that.
    """

    instance_type: JobInstanceType = "ml.m5.large"
    volume_gigabytes: Annotated[int, Between(1, 16_384)] = 30
    large_window_megabytes: Annotated[int, Between(1, 10_000_000)] = 20_000
    parallel_jobs: Annotated[int, Between(1, 100)] = 4


@dataclass(frozen=True)
class Monitoring:
    """How an endpoint is watched for drift, window by window.

    Parameters
    ----------
    window_minutes
        Length of a window; windows begin at midnight UTC, so it must divide a day.
    delay_minutes
        How long after its end a window is looked at, for captured requests come late; at most a window.
    label_delay_windows
        After how many windows labels are expected, so that a window's accuracy is measured once more.
    slices
        Columns by whose levels accuracy is told apart.
    outputs
        What the model's outputs mean.
    floors
        How large a difference must be to matter.
    baseline_max_age_days
        Age from which on a model's baseline is called stale.
    small_window_megabytes
        Size up to which the function counts a window itself; a larger one is left to a job.
    job
        What that job runs on.
    """

    window_minutes: Annotated[int, Between(1, 1440)] = 60
    delay_minutes: Annotated[int, Between(1, 1440)] = 10
    label_delay_windows: Annotated[int, Between(0, 10_000)] = 24
    slices: tuple[ColumnName, ...] = ()
    outputs: Outputs | None = None
    floors: Floors = Floors()
    baseline_max_age_days: Annotated[int, Between(1, 3650)] = 365
    small_window_megabytes: Annotated[int, Between(1, 1024)] = 64
    job: CountingJob = CountingJob()
