"""Application Auto Scaling: scalable targets, their policies, and what alarms and scheduled actions ask of them."""

import logging
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from localcloud.clock import Clock
from localcloud.errors import AwsError
from localcloud.physics.cloudwatch.store import MetricStore
from localcloud.physics.paging import page
from localcloud.physics.scalable import VARIANTS, Kind, ScalableFleet
from localcloud.physics.scaling_loop import ScalingLoop
from localcloud.physics.scaling_policies import STEPS, check_policy, policy_type
from localcloud.physics.scaling_targets import Target, described, fits, kind_of, named
from localcloud.physics.settings import PhysicsSettings
from localcloud.physics.times import to_datetime
from localcloud.service import Service, operation

_DEFAULT_PAGE = 50

_log = logging.getLogger(__name__)


class AutoScalingService(Service):
    """Scalable targets: variants of endpoints, and provisioned concurrency of functions.

    Parameters
    ----------
    clock
        Time between evaluations.
    account, region
        For ARNs.
    metrics
        CloudWatch's samples; without them, customised metrics are refused.
    settings
        How often it looks.
    """

    name = "application-autoscaling"

    def __init__(
        self,
        clock: Clock,
        *,
        account: str,
        region: str,
        metrics: MetricStore | None = None,
        settings: PhysicsSettings | None = None,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._prefix = f"arn:aws:application-autoscaling:{region}:{account}:scalable-target/"
        self._policy_prefix = f"arn:aws:autoscaling:{region}:{account}:scalingPolicy:"
        self.account, self.region = account, region
        # Never held while the fleet is called: the fleet calls in here under its own lock.
        self._lock = threading.RLock()
        self._targets: dict[str, Target] = {}
        self._fleets: dict[Kind, ScalableFleet] = {}
        self._loop = ScalingLoop(clock, self, self._fleets, metrics, settings or PhysicsSettings())

    def attach(self, fleet: ScalableFleet, kind: Kind = VARIANTS) -> None:
        """Scale the resources of `fleet`."""
        self._fleets[kind] = fleet

    def stop(self) -> None:
        """Scale no more."""
        self._loop.stop()

    def is_registered(self, endpoint: str, variant: str) -> bool:
        """Whether the variant is a scalable target."""
        with self._lock:
            return f"endpoint/{endpoint}/variant/{variant}" in self._targets

    def forget_endpoint(self, endpoint: str) -> None:
        """Deregister the targets of an endpoint that is deleted."""
        with self._lock:
            gone = {rid for rid, each in self._targets.items() if (each.kind, each.place()[0]) == (VARIANTS, endpoint)}
            kept = {rid: target for rid, target in self._targets.items() if rid not in gone}
            self._targets = kept

    def registered(self) -> list[Target]:
        """Return all targets."""
        with self._lock:
            return list(self._targets.values())

    def is_current(self, target: Target) -> bool:
        """Whether a target is still registered."""
        with self._lock:
            return self._targets.get(target.resource_id) is target

    @operation("RegisterScalableTarget")
    def register_scalable_target(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Register a resource, or change what is registered."""
        kind = kind_of(request)
        resource_id = request["ResourceId"]
        if resource_id not in self._targets:
            self._check_exists(kind, resource_id)
        with self._lock:
            target = self._targets.get(resource_id)
            target = self._new_target(kind, request) if target is None else target
            minimum = _given(request, "MinCapacity", target.minimum)
            maximum = _given(request, "MaxCapacity", target.maximum)
            if minimum > maximum:
                raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
            target.minimum, target.maximum = minimum, maximum
            target.suspended.update(request.get("SuspendedState") or {})
            self._targets[resource_id] = target
            self._clock.call_later(0.0, lambda: self._loop.keep_minimum(target))
            return {"ScalableTargetARN": target.arn}

    @operation("DeregisterScalableTarget")
    def deregister_scalable_target(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Deregister a resource; its policies and scheduled actions go with it."""
        with self._lock:
            self.find(request)
            del self._targets[request["ResourceId"]]
            return {}

    @operation("DescribeScalableTargets")
    def describe_scalable_targets(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Describe targets."""
        with self._lock:
            wanted = request.get("ResourceIds") or list(self._targets)
            found = [self._targets[rid] for rid in wanted if rid in self._targets]
            found = [target for target in found if fits(target, request)]
            chosen, token = page(found, request.get("NextToken"), int(request.get("MaxResults") or _DEFAULT_PAGE))
            answer: dict[str, Any] = {"ScalableTargets": [described(target) for target in chosen]}
        return {**answer, "NextToken": token} if token else answer

    @operation("PutScalingPolicy")
    def put_scaling_policy(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Create or change a policy."""
        check_policy(kind_of(request), request, has_metrics=self._metrics is not None)
        with self._lock:
            target = self.find(request)
            before = target.policies.get(request["PolicyName"])
            arn = before["PolicyARN"] if before else self._policy_arn(request)
            created = before["CreationTime"] if before else to_datetime(self._clock.now())
            target.policies[request["PolicyName"]] = {
                **request,
                "PolicyType": policy_type(request),
                "PolicyARN": arn,
                "CreationTime": created,
                "Alarms": [],
            }
            self._loop.start()
            return {"PolicyARN": arn, "Alarms": []}

    @operation("DeleteScalingPolicy")
    def delete_scaling_policy(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Delete a policy."""
        with self._lock:
            target = self._targets.get(request["ResourceId"])
            if target is None or request["PolicyName"] not in target.policies:
                raise AwsError(
                    "ObjectNotFoundException",
                    f"No scaling policy found for {named(request)}, policy name: {request['PolicyName']}",
                )
            del target.policies[request["PolicyName"]]
            return {}

    @operation("DescribeScalingPolicies")
    def describe_scaling_policies(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Describe policies."""
        with self._lock:
            policies = [
                policy
                for target in self._targets.values()
                for policy in target.policies.values()
                if request.get("ResourceId") in (None, target.resource_id)
                and fits(target, request)
                and (not request.get("PolicyNames") or policy["PolicyName"] in request["PolicyNames"])
            ]
        chosen, token = page(policies, request.get("NextToken"), int(request.get("MaxResults") or _DEFAULT_PAGE))
        return {"ScalingPolicies": chosen, "NextToken": token} if token else {"ScalingPolicies": chosen}

    @operation("TagResource")
    def tag_resource(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Tag a target."""
        self._by_arn(request).tags.update(request["Tags"])
        return {}

    @operation("UntagResource")
    def untag_resource(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Untag a target."""
        for key in request["TagKeys"]:
            self._by_arn(request).tags.pop(key, None)
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """List a target's tags."""
        return {"Tags": dict(self._by_arn(request).tags)}

    def _by_arn(self, request: Mapping[str, Any]) -> Target:
        for target in self._targets.values():
            if target.arn == request["ResourceARN"]:
                return target
        raise AwsError("ResourceNotFoundException", f"No scalable target found for {request['ResourceARN']}")

    def _check_exists(self, kind: Kind, resource_id: str) -> None:
        owner, part = kind.place(resource_id)
        fleet = self._fleets.get(kind)
        if fleet is not None and fleet.capacity(owner, part) is None:
            raise AwsError("ValidationException", f"No {kind.what} found for resource ID: {resource_id}")

    def _new_target(self, kind: Kind, request: Mapping[str, Any]) -> Target:
        if request.get("MinCapacity") is None or request.get("MaxCapacity") is None:
            raise AwsError("ValidationException", "MinCapacity and MaxCapacity are required for a new scalable target")
        suspended = dict.fromkeys(
            ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
        )
        arn, tags = self._prefix + uuid.uuid4().hex[:20], dict(request.get("Tags") or {})
        role = kind.role_arn(self.account)
        return Target(kind, request["ResourceId"], arn, role, self._clock.now(), 0, 0, suspended, tags)

    def find(self, request: Mapping[str, Any]) -> Target:
        """Return the target that a request names; raise ObjectNotFoundException if it is not registered."""
        kind_of(request)
        if request["ResourceId"] not in self._targets:
            message = f"No scalable target registered for {named(request)}"
            raise AwsError("ObjectNotFoundException", message)
        return self._targets[request["ResourceId"]]

    def set_bounds(self, target: Target, minimum: int | None, maximum: int | None) -> None:
        """Give a target the bounds of a scheduled action, and bring its capacity between them."""
        with self._lock:
            target.minimum = target.minimum if minimum is None else minimum
            target.maximum = target.maximum if maximum is None else maximum
        self._loop.bring_between_bounds(target)

    def _policy_arn(self, request: Mapping[str, Any]) -> str:
        return (
            f"{self._policy_prefix}{uuid.uuid4()}:resource/{request['ServiceNamespace']}/{request['ResourceId']}:"
            f"policyName/{request['PolicyName']}"
        )

    def act(self, policy_arn: str, alarm: Mapping[str, Any]) -> None:
        """Carry out a step scaling policy, whose alarm's StateReasonData is given; others are left to themselves."""
        found = self._find_policy(policy_arn)
        if found is None:
            _log.warning("an alarm names scaling policy %s, which does not exist", policy_arn)
            return
        target, policy = found
        if policy["PolicyType"] == STEPS:
            self._loop.step(target, policy["StepScalingPolicyConfiguration"], alarm)

    def _find_policy(self, arn: str) -> tuple[Target, dict[str, Any]] | None:
        with self._lock:
            for target in self._targets.values():
                for policy in target.policies.values():
                    if policy["PolicyARN"] == arn:
                        return target, policy
        return None


def _given(request: Mapping[str, Any], name: str, otherwise: int) -> int:
    return otherwise if request.get(name) is None else int(request[name])
