"""What alarms do beside changing their state: tell a topic or a function, or scale something."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from localcloud.services.deliveries import Deliveries, DeliveryError, Parcel, Sender

_log = logging.getLogger(__name__)
_SERVICES = {"sns": "cloudwatch.amazonaws.com", "lambda": "lambda.alarms.cloudwatch.amazonaws.com"}


class ScalingPolicies(Protocol):
    """Application Auto Scaling, as alarms see it."""

    def act(self, policy_arn: str, alarm: dict[str, Any]) -> None:
        """Carry out a policy, given the alarm's StateReasonData."""


class AlarmActions:
    """Carries out the actions of alarms, off the thread that evaluates them.

    Parameters
    ----------
    deliveries
        Brings messages to topics and functions.
    region
        Named in the subject.
    """

    def __init__(self, deliveries: Deliveries, region: str) -> None:
        self._deliveries = deliveries
        self._region = region
        self.policies: ScalingPolicies | None = None
        self._executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="localcloud-alarm-actions")

    def __call__(self, action_arn: str, payload: dict[str, Any]) -> None:
        """Carry out one action."""
        try:
            self._executor.submit(self._carry_out, action_arn, payload)
        except RuntimeError:  # closed meanwhile
            return

    def close(self) -> None:
        """Carry out nothing more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _carry_out(self, action_arn: str, payload: dict[str, Any]) -> None:
        service = action_arn.split(":")[2]
        subject = f'{payload.get("NewStateValue")}: "{payload.get("AlarmName")}" in {self._region}'
        sender = Sender(_SERVICES.get(service, "cloudwatch.amazonaws.com"), str(payload.get("AlarmArn", "")))
        try:
            if service == "autoscaling" and self.policies is not None:
                self.policies.act(action_arn, payload)
                return
            self._deliveries.send(action_arn, Parcel(json.dumps(payload, default=str), subject=subject), sender)
        except DeliveryError as error:
            _log.warning("an alarm's action failed: %s", error)
        except Exception:
            _log.exception("an alarm's action failed in the local cloud itself")
