"""Where caches differ from ElastiCache's; the documentation shows this list."""

from localcloud.physics.limits import Limit
from localcloud.services.caches.engine import RESTRICTED

LIMITS: tuple[Limit, ...] = (
    Limit(
        "Caches: engine",
        "Serverless caches for Valkey only; other engines, replication groups and nodes are refused by name. The "
        "server is Redis 6.2 (where there is no wheel of it, the machine's own Valkey or Redis) in cluster mode, "
        "whatever MajorEngineVersion says, and reports itself as that: what is newer (CLIENT SETINFO, CLUSTER SHARDS, "
        "functions, sharded channels, access strings with %R~ or selectors) is an error. Memory ends at "
        "DataStorage.Maximum, at most 256 MB; ECPUPerSecond has no effect. Snapshots are not taken; restoring and "
        "final snapshots are refused by name. A server that dies stays dead.",
        "Valkey 7.2 or 8, as large as it needs to be, kept alive over three zones.",
    ),
    Limit(
        "Caches: restricted commands",
        f"{', '.join(name.upper() for name in RESTRICTED)} and ACL are unknown, and CLUSTER has its reading "
        "subcommands only.",
        "The guide lists the commands that serverless caches take; some more are restricted.",
    ),
    Limit(
        "Caches: endpoints",
        "127.0.0.1 and a free port, which the reader endpoint has too: reads there are never stale. The certificate is "
        "of an authority that each local cloud makes; functions get it by SSL_CERT_FILE.",
        "A host name, port 6379, and 6380 for reads that may be stale; certificates of Amazon's authority.",
    ),
    Limit(
        "Caches: authentication",
        "By IAM, or none at all without a user group; passwords are refused by name. Tokens' signatures are verified "
        "(of access keys that were minted here, and the administrator's own); other access keys are refused. Changes "
        "of a user group's members, and of the group or engine of a cache, are refused by name. Connections last.",
        "Passwords too; a connection that IAM let in ends after 12 hours.",
    ),
    Limit(
        "Caches: network",
        "None is simulated: security groups and VPCs of templates are accepted and have no effect, so that every "
        "process on this machine reaches every cache, and functions reach everything they reach outside a VPC.",
        "Security groups decide who reaches a cache; a function in a VPC reaches AWS through its endpoints only.",
    ),
    Limit("Caches: metrics", "None.", "CloudWatch has hits, misses, sizes, latencies and more."),
)
