"""An environment whose jobs are answered by an endpoint of their own."""

from dataclasses import replace

from stacks.config import Environment
from stacks.config.job_queue import Asynchronous
from tests.infra.front_doors import two_doors

OWN = Asynchronous(instance_type="ml.c5.xlarge", most_instances=3, concurrent=2, idle_minutes=7)


def with_jobs_endpoint(environment: Environment) -> Environment:
    """Return the environment with two front doors, of which one has such jobs."""
    changed = two_doors(environment)
    rain, snow = changed.endpoints
    assert rain.front_door is not None
    assert rain.front_door.jobs is not None
    jobs = replace(rain.front_door.jobs, asynchronous=OWN)
    return replace(changed, endpoints=(replace(rain, front_door=replace(rain.front_door, jobs=jobs)), snow))
