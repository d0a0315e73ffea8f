"""Where data streams and what reads them differ from AWS's; the documentation shows this list."""

from localcloud.physics.limits import Limit

LIMITS: tuple[Limit, ...] = (
    Limit(
        "Data streams",
        "Shards are made once (4 on demand) and never split or merged; a stream is active at once, takes what comes "
        "without a limit of rate, and keeps it in memory. Records have up to 1 MiB. SubscribeToShard, consumers, "
        "resource policies, shard-level metrics and changes of mode or shards are refused by name.",
        "On demand, shards follow the load; a shard takes 1 MB or 1000 records a second; records of up to 10 MiB can "
        "be configured; all of these exist.",
    ),
    Limit(
        "Data stream event sources",
        "A shard is read as soon as something comes. Failed batches come again after 0.1 s, then after pauses that "
        "double up to 5 s; places in shards are remembered while the cloud runs. Batches of more than 6 MB are cut "
        "by the records' own sizes. FilterCriteria, TumblingWindowInSeconds, metrics and destinations in S3 or Kafka "
        "are refused by name.",
        "Each shard is read about once a second; pauses are not documented; all of these exist.",
    ),
    Limit(
        "Data stream event sources: what counts as a retry",
        "A batch that is bisected, or cut before its first failed item under BisectBatchOnFunctionError, does not "
        "count. Without it, a cut counts as a retry of what remains.",
        "Inferred: documented is that splitting a batch does not consume the retry quota.",
    ),
    Limit(
        "Data stream event sources: what is bisected",
        "Under BisectBatchOnFunctionError a batch is halved when the function fails. One that it answers with its "
        "first record as the first failed item, or with a response that cannot be read, comes again whole, which "
        "counts as a retry.",
        "Inferred: documented is that a failed invocation bisects a batch, not where; that a partial response bisects "
        "it at the sequence number that is returned, so that only what remains is retried, not what that means where "
        "nothing is before it; and that a response which cannot be read is a complete failure, retried by the retry "
        "strategy.",
    ),
)
