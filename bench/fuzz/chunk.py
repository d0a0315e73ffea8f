"""Some thousand inputs of one kind for one model: drawn by Hypothesis, mutated, sent and tallied by one process."""

import json
from dataclasses import dataclass
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings

from bench.fuzz import grammar, malformed
from bench.fuzz.inputs import Input
from bench.fuzz.lockstep import Lockstep
from bench.fuzz.mutation import mutant
from bench.fuzz.tally import Tally
from bench.fuzz.targets import Served
from model_containers.serving.serving.signature import Signature

INPUTS = 4000
MUTANTS = 19
"""Of each input that Hypothesis has drawn; drawing takes a hundred times as long."""


@dataclass(frozen=True)
class Chunk:
    """What is to be sent.

    Parameters
    ----------
    served
        The model.
    kind
        One of `grammar.KINDS`, or `malformed.KIND`.
    inputs
        How many.
    number
        Sets it apart from others of a run; with the run's seed it says what will be drawn.
    hang_seconds
        How long an answer may take.
    """

    served: Served
    kind: str
    inputs: int
    number: int
    hang_seconds: float


def run(chunk: Chunk) -> Tally:
    """Send the inputs, and return what came of them."""
    chance, tally = Random(chunk.number), Tally(chunk.kind)
    signature = chunk.served.signature
    if chunk.kind == malformed.KIND:
        bodies = inputs_of(grammar.JSON, signature, chunk.inputs, chance)
        wires = malformed.wires(bodies, chance)
        malformed.send(chunk.served.port, wires, chunk.hang_seconds, chance, tally)
        return tally
    lockstep = Lockstep(chunk.served.port, chunk.hang_seconds, _good(signature), tally)
    try:
        lockstep.send(inputs_of(chunk.kind, signature, chunk.inputs, chance))
    finally:
        lockstep.close()
    return tally


def _good(signature: Signature) -> Input:
    (row,) = signature.sample[:1].tolist()
    labels = [column.labels for column in signature.columns]
    cells = [labels[place][int(value)] if any(labels) and labels[place] else value for place, value in enumerate(row)]
    rows = [cells] if not signature.is_tensor else signature.sample[:1].reshape(1, *signature.row_shape).tolist()
    headers = (("content-type", grammar.JSON), ("accept", grammar.JSON))
    return Input("/invocations", headers, json.dumps({"instances": rows}).encode())


def inputs_of(kind: str, signature: Signature, count: int, chance: Random) -> list[Input]:
    """Return inputs of a kind for a model: drawn ones, and mutants of each."""
    drawn = _drawn(kind, signature, -(-count // (1 + MUTANTS)), chance)
    inputs = []
    for each in drawn:
        inputs += [each, *(mutant(each, chance.choice(drawn), chance) for _ in range(MUTANTS))]
    while len(inputs) < count:  # Hypothesis gives up on what it believes to have seen
        inputs.append(mutant(chance.choice(drawn), chance.choice(drawn), chance))
    chance.shuffle(inputs)
    return inputs[:count]


def _drawn(kind: str, signature: Signature, count: int, chance: Random) -> list[Input]:
    drawn: list[Input] = []

    @seed(chance.randrange(1 << 30))
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(grammar.inputs(kind, signature))
    def keep(one: Input) -> None:
        drawn.append(one)

    keep()
    return drawn
