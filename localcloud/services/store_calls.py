"""Calls that the store answers, and AWS would refuse or answer otherwise than moto."""

from localcloud.front.authorizer import Authorizer
from localcloud.front.dispatch import Dispatcher
from localcloud.front.moto_store import MotoStore
from localcloud.front.permissions import Scope
from localcloud.front.trust import TrustChecks
from localcloud.services.events.event_service import check_rule, check_targets
from localcloud.services.log_streams import LogStreams
from localcloud.services.parameters import ParameterTiers
from localcloud.services.queue_policies import check_queue_policy
from localcloud.services.queues import Queues
from localcloud.services.transactions import Transactions


def hold_against_aws(
    dispatcher: Dispatcher, store: MotoStore, queues: Queues, authorizer: Authorizer, scope: Scope
) -> None:
    """Let calls that the store answers be refused, or answered, as AWS does."""
    dispatcher.relay("sqs:ReceiveMessage", queues.receive_call)
    dispatcher.relay("logs:FilterLogEvents", LogStreams(store, scope).filter_call)
    dispatcher.relay("dynamodb:TransactWriteItems", Transactions(store).write_call)
    dispatcher.check("events:PutRule", check_rule)
    dispatcher.check("events:PutTargets", check_targets)
    dispatcher.check("ssm:PutParameter", ParameterTiers(scope.account, scope.region).check)
    for operation in ("CreateQueue", "SetQueueAttributes"):
        dispatcher.check(f"sqs:{operation}", check_queue_policy)
    for operation, check in TrustChecks(authorizer, scope).checks().items():
        dispatcher.check(operation, check)
