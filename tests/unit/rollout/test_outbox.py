"""What is to be told is told at least once, and what was told is forgotten, whatever else changes meanwhile."""

from dataclasses import dataclass, replace
from typing import Any

from lambdas.rollout.errors import ConflictError, PermanentError, RetryableError
from lambdas.rollout.outbox import TRIES, Outbox


@dataclass(frozen=True)
class Kept:
    """A state with messages."""

    outbox: tuple[str, ...] = ()
    others: int = 0


class World:
    """A state, who is told, and what goes wrong."""

    def __init__(self, *messages: str) -> None:
        self.state = Kept(messages)
        self.told: list[str] = []
        self.faults: list[str] = []
        self.warnings: list[str] = []
        self.refusals: dict[str, Exception] = {}
        self.conflicts = 0
        log: Any = self
        self.outbox: Outbox[Kept] = Outbox(
            load=lambda: self.state, save=self.save, tell=self.tell, fault=self.faults.append, log=log
        )

    def save(self, state: Kept) -> None:
        if self.conflicts:
            self.conflicts -= 1
            self.state = replace(self.state, outbox=(*self.state.outbox, "late"), others=self.state.others + 1)
            raise ConflictError("it has changed")
        self.state = state

    def tell(self, message: str) -> None:
        if message in self.refusals:
            raise self.refusals[message]
        self.told.append(message)

    def warning(self, message: str) -> None:
        self.warnings.append(message)


def test_what_was_told_is_forgotten() -> None:
    world = World("a", "b")
    world.outbox.deliver()
    assert (world.told, world.state.outbox) == (["a", "b"], ())


def test_what_could_not_be_told_waits_and_keeps_nothing_behind_it() -> None:
    world = World("a", "b", "c")
    world.refusals = {"a": RetryableError("busy"), "b": PermanentError("refused")}
    world.outbox.deliver()
    assert (world.told, world.state.outbox) == (["c"], ("a", "b"))
    assert world.faults == ["a message could not be sent, which is tried again at every look until it can be: refused"]
    world.refusals = {}
    world.outbox.deliver()
    assert (world.told, world.state.outbox) == (["c", "a", "b"], ())


def test_what_others_wrote_meanwhile_stays() -> None:
    world = World("a")
    world.conflicts = 1
    world.outbox.deliver()
    assert world.state == Kept(("late",), others=1)


def test_a_state_that_never_stands_still_is_left_to_the_next_look() -> None:
    world = World("a")
    world.conflicts = TRIES
    world.outbox.deliver()
    assert "a" in world.state.outbox
    world.outbox.deliver()
    assert world.told.count("a") == 2


def test_a_table_that_is_away_is_no_failure_of_what_was_decided() -> None:
    world = World("a")

    def away() -> Kept:
        raise RetryableError("away")

    replace(world.outbox, load=away).deliver()
    assert world.warnings == ["what there is to tell waits: away"]
