"""Where jobs differ from AWS's; the documentation shows this list."""

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
        f"One process; instance type, volume and volume key are recorded. At most {MOST_JOBS} processing, "
        f"{MOST_JOBS} training and {MOST_JOBS} transform jobs run at a time. More instances (but of transforms), VPCs, "
        "warm pools, instance groups, training plans, FSx and EFS, Pipe and FastFile mode, compressed inputs, "
        "Continuous uploads, metric definitions, debugger, profiler and retry strategies are refused by name.",
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
        "Batch Transform",
        "One process of the model's container takes the part of all instances, whose type and number are recorded. "
        "SplitType is None or Line; RecordIO, TFRecord, compressed input, augmented manifests, data capture and "
        "payloads without a limit (MaxPayloadInMB 0) are refused by name. DataProcessing takes text/csv and "
        "application/jsonlines by Line, with Accept the same and, to join, AssembleWith Line; paths are $, $.name, "
        "$['name','name'] and $[0,2:]. Objects are "
        "taken one after another, in the order of their keys or of the manifest, and stored as "
        "<S3OutputPath>/<path below the prefix>.out once they are answered whole. AssembleWith Line adds a line's end "
        "to every payload's answer. S3 is read and written, and the model fetched, under the model's role. A payload "
        "that is refused fails its object and in the end the job, whose FailureReason names the object; a container "
        "that ends fails the job at once and is not started again.",
        "Objects are shared out among instances and taken in no order; which object failed, and why, is in the job's "
        "log.",
    ),
    Limit(
        "Experiments of jobs",
        "ExperimentConfig is recorded; no trial components come to be.",
        "Jobs become trial components.",
    ),
)
