"""Where configurations differ from AppConfig's; the documentation shows this list."""

from localcloud.physics.limits import Limit

LIMITS: tuple[Limit, ...] = (
    Limit(
        "AppConfig",
        "Hosted configurations, as they are or as feature flags, deployed at once or linearly. Monitors, validators, "
        "extensions, experiments, keys, variants of flags, configurations stored elsewhere, exponential growth and "
        "GetConfiguration are refused by name. A deployment's EventLog is empty.",
        "All of these exist.",
    ),
    Limit(
        "AppConfig sessions",
        "A token that was used is refused. A poll that comes too early leaves its token as it is. A session of a "
        "configuration that was never deployed polls a ResourceNotFoundException.",
        "Inferred: documented is that a token should be used once, and that early polls are refused.",
    ),
)
