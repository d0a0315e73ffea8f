"""What is live, as the rollout engine recorded it. Read only."""

from lambdas.retraining.said import Live
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Champion
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.errors import MissingError
from lambdas.rollout.state import Kind
from lambdas.rollout.versions import BOOTSTRAP


class RolloutTable:
    """Implements `lambdas.retraining.ports.Rollouts`."""

    def __init__(self, store: DynamoStore | None = None) -> None:
        self._store = store or DynamoStore()

    def live(self, name: str, settings: Settings) -> Live:
        """Return what is live, and which other version is on its way or waits to be."""
        state = self._store.load(name)
        if state is None or state.retired:
            raise MissingError(f"{name} has no rollout item; it is created with the endpoint's first deployment")
        live, rollout = state.live, state.rollout
        bootstrap = live.package_arn is None and live.version == BOOTSTRAP
        version = settings.bootstrap.version if bootstrap else live.version
        on_its_way = rollout.version if rollout is not None and rollout.kind is Kind.MODEL else ""
        waits = state.queued.version if state.queued is not None else ""
        return Live(Champion(version, live.package_arn, live.config, live.slot), on_its_way or waits)
