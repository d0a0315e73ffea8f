"""The test notifications of asynchronous endpoints.

"When you call the CreateEndpoint API, Amazon SageMaker Asynchronous Inference sends a test notification to check that
you have configured an Amazon SNS topic. [It] also sends test notifications after calls to UpdateEndpoint and
UpdateEndpointWeightsAndCapacities. This lets SageMaker AI check that you have the required permissions. The
notification can simply be ignored."
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-create-endpoint.html

It says nothing of what becomes of the call where the role may not publish: here that is in the local cloud's own log.
That one topic for successes and errors is told once is inferred.
"""

import json
import logging

from localcloud.physics.async_settings import async_settings, is_asynchronous
from localcloud.physics.mirroring import Aside
from localcloud.physics.ports import AccessError, RoleAccount
from localcloud.physics.records import Model, Named

TEST_MESSAGE = json.dumps({"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "TestNotification"})

_log = logging.getLogger(__name__)


class TopicTests:
    """Sends test notifications; see `localcloud.physics.hosting.Hosting.test_topics`.

    Parameters
    ----------
    account
        SNS under the models' execution roles.
    aside
        Runs what is sent apart from whoever calls.
    """

    def __init__(self, account: RoleAccount, aside: Aside) -> None:
        self._account = account
        self._aside = aside

    def __call__(self, config: Named, model: Model) -> None:
        """Tell the topics of a configuration, if it is asynchronous and has any."""
        if not is_asynchronous(config.request):
            return
        settings, role = async_settings(config.request), str(model.request["ExecutionRoleArn"])
        for topic in sorted({each for each in (settings.success_topic, settings.error_topic) if each is not None}):
            self._send(role, topic)

    def _send(self, role: str, topic: str) -> None:
        if not self._aside(lambda: self._publish(role, topic)):
            _log.warning("no test notification to %s: the local cloud has too much to do", topic)

    def _publish(self, role: str, topic: str) -> None:
        try:
            self._account.publish(role, topic, TEST_MESSAGE)
        except AccessError as refused:
            _log.warning("no test notification to %s: %s", topic, refused)
