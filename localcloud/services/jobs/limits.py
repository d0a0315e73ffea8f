"""Where processing and training jobs differ from AWS's; the documentation shows this list."""

from localcloud.physics.limits import Limit
from localcloud.services.jobs.job_service import MOST_JOBS

LIMITS: tuple[Limit, ...] = (
    Limit(
        "/opt/ml of jobs",
        "There is no container, so a job's /opt/ml is a folder of its own whose path it learns from the variable "
        "SM_ROOT. Paths under /opt/ml in its command line and in the request's Environment are replaced by those of "
        "that folder; in the configuration files they stand as they were given.",
        "/opt/ml is the container's; there is no SM_ROOT.",
    ),
    Limit(
        "Job instances",
        f"One process; instance type, volume and volume key are recorded. At most {MOST_JOBS} processing and "
        f"{MOST_JOBS} training jobs run at a time. More instances, VPCs, warm pools, instance groups, training plans, "
        "FSx and EFS, Pipe and FastFile mode, compressed inputs, Continuous uploads, metric definitions, debugger, "
        "profiler and retry strategies are refused by name.",
        "All of these exist; quotas are the account's.",
    ),
    Limit(
        "Job inputs and outputs",
        "Read and written under the job's role. A processing job stores its outputs if it completes; a training job "
        "its model if it completes or is stopped.",
        "The same; what a failed or stopped processing job stores is not documented.",
    ),
    Limit(
        "Job credentials",
        "The role's, in AWS_ACCESS_KEY_ID and its siblings, for as long as the job runs; none under network isolation, "
        "which is not enforced otherwise.",
        "The role's, from the container credentials endpoint.",
    ),
    Limit(
        "Managed spot training",
        "A job is interrupted only when a rehearsal orders it, and then killed without notice. Checkpoints are stored "
        "at the end of every run and restored before the next. BillableTimeInSeconds is the training time: there is "
        "no discount.",
        "Spot capacity comes and goes, checkpoints are copied all the time, and billable seconds are fewer.",
    ),
    Limit(
        "Experiments of jobs",
        "ExperimentConfig is recorded; no trial components come to be.",
        "Jobs become trial components.",
    ),
)
