"""Where pipelines differ from AWS's; the documentation shows this list."""

from localcloud.physics.limits import Limit

LIMITS: tuple[Limit, ...] = (
    Limit(
        "Pipeline steps",
        "Processing, Training, Condition, Lambda and Fail; any other type, caching, job names of one's own, selective "
        "execution, versions, retries of executions and MLflow are refused by name. PipelineExperimentConfig is "
        "accepted without effect.",
        "Many more.",
    ),
    Limit(
        "Failing pipeline steps",
        "Once a step has failed no other is begun; those that run are waited for. A job that is stopped by somebody "
        "else, or by its StoppingCondition, fails its step.",
        "Documented is that the execution fails; what becomes of parallel steps, and of stopped jobs, is not.",
    ),
    Limit(
        "Pipeline conditions",
        "Values of different kinds are never equal (true is not 1), and comparing their order fails the step.",
        "Not documented.",
    ),
    Limit(
        "Pipeline retries",
        "Service faults and throttling are tried again three times unless a policy says otherwise. Capacity and "
        "internal errors occur when a rehearsal orders them.",
        "How often is not documented.",
    ),
)
