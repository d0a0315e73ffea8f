"""Takes in what may start a run or change one, through SQS: drift, new data, orders, and executions' states.

Calls: ssm GetParameter, GetParametersByPath; dynamodb GetItem of the rollout table, GetItem and TransactWriteItems
(PutItem) of the retraining table; s3 ListBucket, GetObject and PutObject of the artefact bucket; sagemaker
StartPipelineExecution, DescribePipelineExecution, ListPipelineExecutions, ListPipelineExecutionSteps,
StopPipelineExecution, DescribeProcessingJob, DescribeEndpointConfig, DescribeModel, DescribeModelPackage,
UpdateModelPackage; events PutEvents; sns Publish; and it consumes its queue.
"""

from typing import Any

from lambdas.retraining.controller import Controller
from lambdas.retraining.handlers.events import look, pipeline_of, read_event
from lambdas.retraining.handlers.wiring import begin
from lambdas.rollout.handlers.batch import at_once_again, each_message
from lambdas.rollout.handlers.wiring import logger


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take in a batch of events; each that could not be comes again."""
    controller = begin(context)
    return each_message(event, at_once_again(lambda message: _take(controller, message)))


def _take(controller: Controller, message: dict[str, Any]) -> None:
    if pipeline := pipeline_of(message):
        for name in controller.of_pipeline(pipeline):
            controller.tell(name, look())
        return
    found = read_event(message)
    if found is None:
        logger.info(f"an event of {message.get('source')} says nothing here")
        return
    controller.tell(*found)
