"""The life of an endpoint: created, updated as a whole, re-weighted, scaled, deleted."""

from collections.abc import Callable, Sequence

from localcloud.physics.catalogue import validation
from localcloud.physics.descriptions import event_detail
from localcloud.physics.hosting import Hosting
from localcloud.physics.planning import (
    initial_plans,
    refuse_autoscaled_changes,
    refuse_change_of_kind,
    retained_plan,
    weight_changes,
)
from localcloud.physics.provisioning import Fleet, Outcome, Provisioning, retire
from localcloud.physics.records import (
    BUSY,
    CREATING,
    DELETING,
    FAILED,
    IN_SERVICE,
    UPDATING,
    Deployment,
    Endpoint,
    Model,
    Named,
    Plan,
    Request,
    Variant,
)


class Lifecycle:
    """Moves endpoints from state to state. Callers need not hold the lock.

    Parameters
    ----------
    hosting
        What there is.
    at_the_end
        Called when an endpoint is gone; what it captured is then written, for its bucket may be about to go too.
    """

    def __init__(self, hosting: Hosting, at_the_end: Callable[[], None]) -> None:
        self._hosting = hosting
        self._at_the_end = at_the_end

    def find(self, name: str) -> Endpoint:
        """Return an endpoint, or refuse as SageMaker does."""
        endpoint = self._hosting.endpoints.get(name)
        if endpoint is None:
            raise validation(f'Could not find endpoint "{self._hosting.arn("endpoint", name)}".')
        return endpoint

    def create(self, request: Request) -> Endpoint:
        """Begin to create an endpoint."""
        hosting, name = self._hosting, request["EndpointName"]
        with hosting.lock:
            arn = hosting.arn("endpoint", name)
            if name in hosting.endpoints:
                raise validation(f'Cannot create already existing endpoint "{arn}".')
            config = hosting.configs.get(request["EndpointConfigName"])
            plans = initial_plans(hosting, config)
            now = hosting.clock.now()
            endpoint = Endpoint(name, arn, config, CREATING, now, now)
            hosting.endpoints[name] = endpoint
            hosting.tag(arn, request)
            self._announce(endpoint)
            self._deploy(endpoint, config_capture(config.request), plans, hosting.settings.create_seconds)
            self._test_topics(config, plans[0].model)
            return endpoint

    def update(self, request: Request) -> Endpoint:
        """Begin to replace the fleet by one for another configuration."""
        hosting = self._hosting
        with hosting.lock:
            endpoint = self._idle(request["EndpointName"])
            hosting.configs.get(endpoint.config.name)  # an update is refused once the live configuration is gone
            config = hosting.configs.get(request["EndpointConfigName"])
            refuse_change_of_kind(endpoint, config)
            refuse_autoscaled_changes(hosting, endpoint, config)
            retained, live = _retained(request), endpoint.hosted()
            plans = [retained_plan(plan, live.get(plan.name), retained) for plan in initial_plans(hosting, config)]
            capture = endpoint.capture if "DataCaptureConfig" in retained else config_capture(config.request)
            self._begin(endpoint, UPDATING)
            self._deploy(endpoint, capture, plans, hosting.settings.update_seconds, config.name)
            self._test_topics(config, plans[0].model)
            return endpoint

    def change_weights(self, request: Request) -> Endpoint:
        """Begin to change weights, and the capacity of at most one variant."""
        with self._hosting.lock:
            endpoint = self._idle(request["EndpointName"])
            self._hosting.configs.get(endpoint.config.name)
            changes = weight_changes(endpoint, request["DesiredWeightsAndCapacities"])
            for change in changes:
                change.variant.desired_weight = change.weight
                change.variant.desired_count = change.count
            self._begin(endpoint, UPDATING)
            self._scale(endpoint, [change.variant for change in changes])
            self._test_topics(endpoint.config, next(iter(endpoint.variants.values())).model)
            return endpoint

    def delete(self, name: str) -> None:
        """Begin to delete an endpoint; its scalable targets and its queue go with it."""
        hosting = self._hosting
        with hosting.lock:
            endpoint = self.find(name)
            self._refuse_busy(endpoint)
            if hosting.autoscaling is not None:
                hosting.autoscaling.forget_endpoint(name)
            self._begin(endpoint, DELETING)
            hosting.clock.call_later(hosting.settings.delete_seconds, lambda: self._deleted(endpoint))

    def stop(self) -> None:
        """Stop all containers, without ceremony."""
        with self._hosting.lock:
            self._hosting.stopped = True
            instances = [i for endpoint in self._hosting.endpoints.values() for i in endpoint.instances()]
        for instance in instances:
            instance.container.stop()

    def _idle(self, name: str) -> Endpoint:
        endpoint = self.find(name)
        self._refuse_busy(endpoint)
        if endpoint.status == FAILED:
            raise validation(f'Cannot update failed endpoint "{endpoint.arn}".')
        return endpoint

    def _refuse_busy(self, endpoint: Endpoint) -> None:
        if endpoint.status in BUSY:
            raise validation(f'Cannot update in-progress endpoint "{endpoint.arn}".')

    def _begin(self, endpoint: Endpoint, status: str) -> None:
        endpoint.failure_reason = None
        self._set_status(endpoint, status)

    def _set_status(self, endpoint: Endpoint, status: str) -> None:
        endpoint.status = status
        endpoint.modified_at = self._hosting.clock.now()
        self._announce(endpoint)

    def _announce(self, endpoint: Endpoint) -> None:
        detail = event_detail(endpoint, dict(self._hosting.tags.get(endpoint.arn, {})))
        emit, arn = self._hosting.emit, endpoint.arn
        self._hosting.lock.later(lambda: emit("aws.sagemaker", "SageMaker Endpoint State Change", detail, [arn]))

    def _test_topics(self, config: Named, model: Model) -> None:
        test = self._hosting.test_topics
        if test is not None:
            self._hosting.lock.later(lambda: test(config, model))

    def _deploy(
        self,
        endpoint: Endpoint,
        capture: Request | None,
        plans: list[Plan],
        least_seconds: float,
        config_name: str | None = None,
    ) -> None:
        config = self._hosting.configs.get(config_name or endpoint.config.name)
        endpoint.deployment = Deployment(config, plans, capture, self._hosting.clock.now())
        Provisioning(self._hosting, endpoint.name, plans, least_seconds, lambda o: self._deployed(endpoint, o))

    def _deployed(self, endpoint: Endpoint, outcome: Outcome) -> None:
        """Switch traffic to the new fleet at one stroke, or stay with the old one."""
        with self._hosting.lock:
            deployment, endpoint.deployment = endpoint.deployment, None
            if outcome.failure is not None or deployment is None:
                endpoint.failure_reason = outcome.failure
                self._set_status(endpoint, FAILED if endpoint.status == CREATING else IN_SERVICE)
                return
            replaced = endpoint.instances()
            endpoint.variants = self._put_in_service(deployment, outcome.fleet, shadow=False)
            endpoint.shadows = self._put_in_service(deployment, outcome.fleet, shadow=True)
            endpoint.config, endpoint.capture = deployment.config, deployment.capture
            self._set_status(endpoint, IN_SERVICE)
            retire(self._hosting, replaced)

    def _put_in_service(self, deployment: Deployment, fleet: Fleet, *, shadow: bool) -> dict[str, Variant]:
        now = self._hosting.clock.now()
        return {
            plan.name: Variant(plan.config, plan.model, plan.weight, plan.weight, plan.count, now, fleet[plan.name])
            for plan in deployment.plans
            if plan.shadow is shadow
        }

    def _scale(self, endpoint: Endpoint, variants: Sequence[Variant]) -> None:
        settings = self._hosting.settings
        wanted = [(variant, variant.desired_count - len(variant.instances)) for variant in variants]
        more = [Plan(variant.config, variant.model, 0.0, count) for variant, count in wanted if count > 0]
        if not any(count for _, count in wanted):
            # Weights alone need no instances, so no capacity fault can strike here.
            self._hosting.clock.call_later(settings.weights_seconds, lambda: self._scaled(endpoint, Outcome({})))
            return
        least = settings.capacity_seconds
        if more:
            Provisioning(self._hosting, endpoint.name, more, least, lambda o: self._scaled(endpoint, o))
        else:
            self._hosting.clock.call_later(least, lambda: self._scaled(endpoint, Outcome({})))

    def _scaled(self, endpoint: Endpoint, outcome: Outcome) -> None:
        with self._hosting.lock:
            for variant in endpoint.hosted().values():
                if outcome.failure is not None:
                    variant.desired_weight, variant.desired_count = variant.current_weight, len(variant.instances)
                    continue
                variant.current_weight = variant.desired_weight
                variant.instances += outcome.fleet.get(variant.name, [])
                surplus = variant.instances[variant.desired_count :]
                variant.instances = variant.instances[: variant.desired_count]
                retire(self._hosting, surplus)
            endpoint.failure_reason = outcome.failure
            self._set_status(endpoint, IN_SERVICE)

    def _deleted(self, endpoint: Endpoint) -> None:
        with self._hosting.lock:
            retire(self._hosting, endpoint.instances())
        self._at_the_end()
        with self._hosting.lock:
            self._hosting.endpoints.pop(endpoint.name, None)
            self._hosting.tags.pop(endpoint.arn, None)


def config_capture(config: Request) -> Request | None:
    """Return the data capture that a configuration asks for."""
    return config.get("DataCaptureConfig")


def _retained(request: Request) -> set[str]:
    """Return the kinds of properties that an update keeps from the live variants."""
    if not request.get("RetainAllVariantProperties"):
        return set()
    excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties") or []}
    return {"DesiredInstanceCount", "DesiredWeight", "DataCaptureConfig"} - excluded
