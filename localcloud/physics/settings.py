"""Durations of the local cloud, each with what AWS takes: what is shortened here is declared, not hidden."""

from dataclasses import dataclass, field, fields
from typing import Any


def _declared(default: float, what: str, on_aws: str) -> Any:
    return field(default=default, metadata={"what": what, "on_aws": on_aws})


@dataclass(frozen=True)
class DeclaredDuration:
    """One duration, for the report and the docs."""

    name: str
    what: str
    here_seconds: float
    on_aws: str


@dataclass(frozen=True)
class PhysicsSettings:
    """How long things take in the local cloud, in seconds."""

    create_seconds: float = _declared(
        4.0, "least time that an endpoint is Creating, beside its containers' own start-up", "3 to 15 minutes"
    )
    update_seconds: float = _declared(
        4.0, "least time that UpdateEndpoint takes to provision the new fleet", "5 to 30 minutes"
    )
    weights_seconds: float = _declared(1.0, "time that a change of weights takes", "about 30 seconds to 2 minutes")
    capacity_seconds: float = _declared(
        2.0, "least time that a change of a variant's instance count takes", "3 to 15 minutes"
    )
    delete_seconds: float = _declared(1.0, "time that an endpoint is Deleting", "about 1 minute")
    startup_timeout_limit_seconds: float = _declared(
        60.0,
        "upper bound on ContainerStartupHealthCheckTimeoutInSeconds",
        "the configured value, 60 to 3600 seconds, with no other bound",
    )
    default_startup_timeout_seconds: float = _declared(
        60.0, "start-up timeout of a variant that configures none", "not documented"
    )
    ping_seconds: float = _declared(0.2, "time between looks at a starting container", "a few seconds")
    drain_seconds: float = _declared(60.0, "longest wait for an old instance's requests to end", "60 seconds")
    stop_grace_seconds: float = _declared(30.0, "time between SIGTERM and SIGKILL", "30 seconds")
    restart_first_seconds: float = _declared(
        1.0, "pause before a crashed container is started again", "seconds; not documented"
    )
    restart_longest_seconds: float = _declared(
        15.0, "longest pause between starts of a container that keeps crashing", "minutes; not documented"
    )
    invocation_timeout_seconds: float = _declared(60.0, "time a container has to answer a request", "60 seconds")
    metric_delay_seconds: float = _declared(
        1.0, "time from the end of a period to its evaluation by alarms", "seconds to about a minute"
    )
    scaling_period_seconds: float = _declared(
        60.0, "time between looks of target tracking, and between metrics of asynchronous queues", "1 minute"
    )
    capture_flush_seconds: float = _declared(5.0, "time between writes of captured data", "about a minute")
    stream_buffer_limit_seconds: float = _declared(
        5.0, "upper bound on a delivery stream's buffering interval", "the configured value, 0 to 900 seconds"
    )
    stream_retry_seconds: float = _declared(
        2.0, "pause before log events or records that were not taken are sent again", "seconds to minutes"
    )
    job_start_seconds: float = _declared(
        0.2, "time that a processing, training or transform job takes to get its instance", "2 to 5 minutes"
    )
    job_stop_grace_seconds: float = _declared(10.0, "time between SIGTERM and SIGKILL of a stopped job", "120 seconds")
    spot_return_seconds: float = _declared(
        1.0, "time until an interrupted spot training job has an instance again", "minutes to hours"
    )
    workflow_retry_limit_seconds: float = _declared(
        1.0, "upper bound on a state machine's pauses before retries", "as the definition says"
    )

    configuration_deployment_limit_seconds: float = _declared(
        2.0, "upper bound on what a configuration's deployment takes, and on its baking", "the strategy's minutes"
    )
    cache_create_seconds: float = _declared(
        2.0, "least time that a serverless cache is creating; its server's start takes as long", "about a minute"
    )
    cache_delete_seconds: float = _declared(0.5, "time that a serverless cache is deleting", "minutes; not documented")

    def declared(self) -> list[DeclaredDuration]:
        """Return every duration, with what AWS takes."""
        return [
            DeclaredDuration(item.name, item.metadata["what"], getattr(self, item.name), item.metadata["on_aws"])
            for item in fields(self)
        ]

    @classmethod
    def as_slow_as_aws(cls) -> "PhysicsSettings":
        """Return typical durations of AWS, for simulations in virtual time."""
        return cls(
            create_seconds=420.0,
            update_seconds=600.0,
            weights_seconds=45.0,
            capacity_seconds=420.0,
            delete_seconds=60.0,
            startup_timeout_limit_seconds=3600.0,
            default_startup_timeout_seconds=240.0,
            ping_seconds=5.0,
            restart_first_seconds=5.0,
            restart_longest_seconds=300.0,
            metric_delay_seconds=15.0,
            capture_flush_seconds=60.0,
            stream_buffer_limit_seconds=900.0,
            stream_retry_seconds=30.0,
            job_start_seconds=180.0,
            job_stop_grace_seconds=120.0,
            spot_return_seconds=900.0,
            workflow_retry_limit_seconds=86_400.0,
            configuration_deployment_limit_seconds=86_400.0,
            cache_create_seconds=60.0,
            cache_delete_seconds=120.0,
        )
