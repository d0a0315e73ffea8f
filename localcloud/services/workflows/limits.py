"""Where state machines differ from AWS's; the documentation shows this list."""

from localcloud.physics.limits import Limit
from localcloud.services.workflows.interpreter import MOST_AT_A_TIME

LIMITS: tuple[Limit, ...] = (
    Limit(
        "State machines",
        "STANDARD ones in JSONPath, of the states Task, Map, Choice (BooleanEquals), Pass, Succeed and Fail, with "
        "Retry and Catch. Tasks are "
        "lambda:invoke and sagemaker:createProcessingJob.sync; a Map is DISTRIBUTED, over a JSON list in S3. "
        "Expressions are $.name.name, $$.name and States.Format. Any other state, field, resource, expression, "
        "version, alias and redrive is refused by name.",
        "The whole of the Amazon States Language, and more than 200 services.",
    ),
    Limit(
        "Items of a Map",
        f"At most {MOST_AT_A_TIME} at a time.",
        "Up to 10,000 at a time.",
    ),
    Limit(
        "State machine logs and events",
        "LoggingConfiguration and TracingConfiguration are kept and shown; the role must be allowed to deliver logs, "
        "and nothing is written. There is no execution history, and no event of a changed status.",
        "Logs, traces, histories and events.",
    ),
    Limit(
        "Deleting a state machine",
        "At once; executions that run are stopped.",
        "In the background, once its executions have ended.",
    ),
)
