"""Where the catalog differs from AWS's; the documentation shows this list."""

from localcloud.physics.limits import Limit

LIMITS: tuple[Limit, ...] = (
    Limit(
        "Glue Data Catalog",
        "Databases and tables of this account's catalog are kept, tables with all their versions. Nothing queries "
        "them: partitions, crawlers, jobs, registries, views, Iceberg and Lake Formation are refused by name.",
        "All of these exist.",
    ),
)
