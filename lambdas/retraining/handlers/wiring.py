"""The real world's ports."""

from lambdas.contract import RETRAINING_DETAIL_TYPE, RETRAINING_EVENT_SOURCE
from lambdas.retraining.adapters.bucket import S3Files
from lambdas.retraining.adapters.models import SageMakerModels
from lambdas.retraining.adapters.parameters import SsmSettings
from lambdas.retraining.adapters.pipelines import SageMakerPipelines
from lambdas.retraining.adapters.rollouts import RolloutTable
from lambdas.retraining.adapters.table import DynamoStore
from lambdas.retraining.controller import Controller
from lambdas.retraining.ports import Ports
from lambdas.rollout.adapters.bus import EventBridge
from lambdas.rollout.adapters.clients import time_limit
from lambdas.rollout.adapters.sns import SnsNotifier
from lambdas.rollout.handlers.faults import CountedFaults
from lambdas.rollout.handlers.wiring import PowertoolsLog, SystemClock, begin_long

LAST_CALL_SECONDS = 48.0
"""The functions' time-out is 60 s, and the slowest call takes 5 s to give up."""


def begin(context: object) -> Controller:
    """Start the log and the time limit of a function, and return the controller. No client is made before its use."""
    begin_long(context)
    time_limit.start(LAST_CALL_SECONDS)
    return Controller(
        Ports(
            store=DynamoStore(),
            rollouts=RolloutTable(),
            models=SageMakerModels(),
            files=S3Files(),
            pipelines=SageMakerPipelines(),
            announcer=EventBridge(RETRAINING_EVENT_SOURCE, RETRAINING_DETAIL_TYPE),
            faults=CountedFaults(),
            notifier=SnsNotifier(),
            settings=SsmSettings(),
            clock=SystemClock(),
            log=PowertoolsLog(),
        )
    )
