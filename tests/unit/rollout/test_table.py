"""The real conditional writes, against DynamoDB as moto has it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas import contract
from lambdas.rollout import items
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.answers import paired
from lambdas.rollout.cleaner import Cleaner
from lambdas.rollout.decision import Entry
from lambdas.rollout.episode import Episode
from lambdas.rollout.errors import ConflictError
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.judge import Paired, Tally
from lambdas.rollout.judge.counts import Replays
from lambdas.rollout.judge.incomparable import Incomparable
from lambdas.rollout.policy import Answers, Judging
from lambdas.rollout.seeds import SeedError, Seeds
from lambdas.rollout.state import Candidate, Command, State

TABLE = "tidegate-test-rollouts"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoStore]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv(contract.ENV_TABLE, TABLE)
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        keys: list[Any] = [(contract.TABLE_PARTITION_KEY, "HASH"), (contract.TABLE_SORT_KEY, "RANGE")]
        index: list[Any] = [(contract.WAKE_INDEX_PARTITION_KEY, "HASH"), (contract.WAKE_INDEX_SORT_KEY, "RANGE")]
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
                {"AttributeName": "lane", "AttributeType": "S"},
                {"AttributeName": "wake", "AttributeType": "N"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": contract.WAKE_INDEX,
                    "KeySchema": [{"AttributeName": n, "KeyType": k} for n, k in index],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        yield DynamoStore(Lazy("dynamodb", lambda service: dynamodb))


@pytest.fixture
def state(fleet: Fleet) -> State:
    return State.first("rain-local", "config-1", fleet)


def test_state_comes_back_as_it_was_written(store: DynamoStore, state: State, world: Any) -> None:
    world.approve()
    rolling = world.until(lambda s: s.rollout is not None and s.rollout.verified_since is not None)
    command = Command("c1", "pause", 1.25, "ops")
    rich = replace(rolling, commands=(command,), seen=("a", "b"), armed=1_800_000_000.123456, version=0)
    store.save(rich, now=5.0)
    assert store.load("rain-local") == replace(rich, version=1)


def test_way_back_that_an_older_version_of_the_code_wrote_is_read(world: Any) -> None:
    world.approve()
    rolling = world.until(lambda s: s.rollout is not None)
    failed = Candidate("arn", "1.0.0", 0.0, {"Image": "image"}, back_again=True)
    state = replace(rolling, failed=failed, rollout=replace(rolling.rollout, urgent=True, back_again=True))
    item = items.state_item(state)
    assert items.read_state(item) == state
    del item["failed"]["back_again"], item["rollout"]["back_again"]
    read = items.read_state(item)
    assert read.failed == replace(failed, back_again=False)
    assert read.rollout is not None
    assert read.rollout.goes_back, "for it is urgent"


def test_write_of_a_stale_state_is_refused_whole(store: DynamoStore, state: State) -> None:
    first = store.save(state, now=1.0)
    store.save(first, [Entry("one", "the first to write")], now=2.0)
    with pytest.raises(ConflictError):
        store.save(first, [Entry("two", "the second")], now=3.0, episode=Episode("arn", 1.0))
    assert [item["text"] for item in store.items_of("rain-local", "AUDIT#")] == ["the first to write"]
    assert store.episodes("rain-local") == {}


def test_new_state_does_not_overwrite_an_old_one(store: DynamoStore, state: State) -> None:
    store.save(state, now=1.0)
    with pytest.raises(ConflictError):
        store.save(state, now=1.0)


def test_audit_entries_keep_their_order_and_their_numbers(store: DynamoStore, state: State) -> None:
    saved = store.save(state, [Entry("a", "one", {"weight": 10}), Entry("b", "two", {"rate": 0.5})], now=0.0)
    store.save(saved, [Entry("c", "three", rollout="r1", phase="BAKE", step=0)], now=1.5)
    found = store.items_of("rain-local", "AUDIT#-")
    assert [(item["text"], item["numbers"]) for item in found] == [("one", {"weight": 10}), ("two", {"rate": 0.5})]
    [entry] = store.items_of("rain-local", "AUDIT#r1#")
    assert entry["at"] == "1970-01-01T00:00:01.500+00:00"
    assert (entry["endpoint"], entry["rollout"], entry["phase"], entry["step"]) == ("rain-local", "r1", "BAKE", 0)


def test_index_lists_the_active_by_wake_apart_from_the_idle(store: DynamoStore, state: State) -> None:
    for name, wake, retired in (("late", 50.5, False), ("early", 10, False), ("idle", None, False), ("gone", 1, True)):
        store.save(replace(state, name=name, wake=wake, retired=retired), now=0.0)
    assert [(due.name, due.wake) for due in store.active()] == [("early", 10), ("late", 50.5)]
    assert [due.name for due in store.idle()] == ["idle"]


def test_episode_comes_back_by_its_package(store: DynamoStore, state: State) -> None:
    open_one, closed = Episode("arn:1", 1.5), Episode("arn:2", 1.0, closed_at=2.0, outcome="refused")
    saved = store.save(state, now=0.0, episode=open_one)
    store.save(saved, now=0.0, episode=closed)
    assert store.episodes("rain-local") == {"arn:1": open_one, "arn:2": closed}


def test_seed_answers_what_was_recorded_first(store: DynamoStore) -> None:
    seeds = Seeds(store)
    assert seeds.record("rain-local", {"Image": "a"}) == {"Image": "a"}
    assert seeds.record("rain-local", {"Image": "b"}) == {"Image": "a"}
    assert seeds.recall("rain-local") == {"Image": "a"}
    seeds.forget("rain-local")
    with pytest.raises(SeedError, match="rain-local"):
        seeds.recall("rain-local")


def test_clean_up_removes_what_engine_and_template_made_and_then_the_items(
    store: DynamoStore, state: State, world: Any
) -> None:
    world.approve()
    final = world.until_over()
    store.save(replace(final, version=0), [Entry("a", "b")], now=0.0)
    Seeds(store).record(contract.pin_key("rain-local"), {"EndpointConfigName": "rain-local-bootstrap-1"})
    deleted: list[tuple[str, str]] = []
    world.sagemaker.models_of = lambda config: [f"model-of-{config}"]
    world.sagemaker.delete = lambda kind, name: deleted.append((kind, name))
    cleaner = Cleaner(store, world.sagemaker, world.sagemaker)
    for number in (2, 3):
        bootstrap = f"rain-local-bootstrap-{number}"
        cleaner.remember("rain-local", {"EndpointConfigName": bootstrap, "ModelName": bootstrap})
    assert cleaner.stays("rain-local")
    world.sagemaker.on_mutation = lambda kind, argument: None
    cleaner.clean("rain-local")
    expected = {(artefact.kind, artefact.name) for artefact in final.artefacts}
    expected |= {("config", f"rain-local-bootstrap-{number}") for number in (1, 2, 3)}
    expected |= {("model", f"rain-local-bootstrap-{number}") for number in (2, 3)}
    expected |= {("model", "model-of-rain-local-bootstrap-1")}
    assert set(deleted) == expected
    assert world.sagemaker.scaled == set()
    assert store.items_of("rain-local") == []


def test_package_key_is_short_whatever_the_arn(fleet: Fleet) -> None:
    assert len(items.package_sort_key("arn:" + "x" * 2000)) == len("PACKAGE#") + 32


def test_paired_answers_of_one_rollout_are_read_in_their_order(store: DynamoStore) -> None:
    replays = (Replays(990.0, Tally(0, 2)), Replays(1000.0, Tally(1, 7)))

    def put(rollout: str, number: int, at: float) -> None:
        found = Paired(at, 50, number, replays if number == 2 else ())
        store.put_new(paired.item(paired.key("rain-local", rollout, number), found, "capture"))

    put("r1", 2, 30.0)
    put("r1", 11, 20.5)
    put("r2", 3, 10.0)
    assert store.pairs("rain-local", "r1") == (Paired(20.5, 50, 11), Paired(30.0, 50, 2, replays))
    assert store.pairs("rain-local", "r3") == store.pairs("sun-local", "r1") == ()


def test_what_answers_have_in_place_of_the_field_is_read_as_it_was_written(store: DynamoStore) -> None:
    kept = [
        Incomparable(unread=1, fieldless=2),
        Incomparable(fieldless=5, names=()),
        Incomparable(unread=1, fieldless=5, names=("label", "scores"), many=True),
    ]
    found = tuple(Paired(20.5, 0, 0, (), each) for each in kept)
    for number, each in enumerate(found):
        store.put_new(paired.item(paired.key("rain-local", "r1", number), each, "capture"))
    assert store.pairs("rain-local", "r1") == found


def test_a_judged_rollout_comes_back_as_it_was_written(store: DynamoStore, world: Any) -> None:
    world.settings.policy = replace(
        world.settings.policy, judge=Judging(answers=Answers(5.0, "rain"), horizon_seconds=300)
    )
    world.metrics.baseline_ms = 12.5
    world.approve()
    rolling = world.until(lambda s: s.rollout is not None and s.rollout.judged is not None)
    assert rolling.rollout.judged["findings"]
    store.save(replace(rolling, version=0), now=5.0)
    assert store.load("rain-local") == replace(rolling, version=1)
