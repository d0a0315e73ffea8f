"""Every server with every model, format and number of clients, in turns."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.errors import BenchError
from bench.load import LoadGenerator
from bench.rounds import Tell
from bench.serving import models
from bench.serving.limit import Limit, Loop, limit
from bench.serving.models import Case
from bench.serving.peers import bench_model
from bench.serving.rows import Bound, Missing, Row, Sample, summarise
from bench.serving.running import Running, running
from bench.serving.servers import RAW, Server
from bench.serving.wire import FORMATS

ROUNDS, SECONDS = 3, 0.8
"""What the goals are judged by: rounds, and seconds of a turn. Fewer or shorter ones only indicate."""

LIMIT_SECONDS = 0.25
FIRST_SECONDS = 0.5
"""A turn that does not count, with the most clients: some servers learn."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured, and for how long.

    Parameters
    ----------
    servers
        All of them, this container included.
    models, formats, clients
        Of which every combination is a cell.
    rounds
        In each of which every server has one turn at each cell.
    seconds, warm_up_seconds
        Of a turn: what counts, and what comes before it.
    """

    servers: Sequence[Server]
    models: Sequence[str] = models.NAMES
    formats: Sequence[str] = FORMATS
    clients: Sequence[int] = (1, 8, 64, 192)
    rounds: int = ROUNDS
    seconds: float = SECONDS
    warm_up_seconds: float = 0.25

    @property
    def is_indicative(self) -> bool:
        """Whether the turns are too few or too short for the goals."""
        return self.rounds < ROUNDS or self.seconds < SECONDS


@dataclass
class Findings:
    """What has been measured so far."""

    rows: list[Row] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    bounds: dict[str, Bound] = field(default_factory=dict)
    is_indicative: bool = False


@dataclass(frozen=True)
class _Stage:
    """One model in one format: where all servers are up and take turns."""

    plan: Plan
    case: Case
    format: str
    bare: Limit
    load: LoadGenerator
    tell: Tell
    findings: Findings

    @property
    def name(self) -> str:
        return f"{self.case.name}, {self.format}"

    def lose(self, server: str, error: Exception, clients: int | None = None) -> None:
        self.findings.missing.append(
            Missing(server=server, model=self.case.name, format=self.format, clients=clients, reason=str(error))
        )


def measure(plan: Plan, folder: Path, core: int, load: LoadGenerator, tell: Tell) -> Findings:
    """Measure everything; the servers run on `core`, and this thread is to be elsewhere."""
    findings = Findings(is_indicative=plan.is_indicative)
    servers = _installed(plan, findings, tell)
    for name in plan.models:
        case = models.build(name, folder / name)
        expected = [float(value) for value in bench_model.load(case.folder).run(case.rows)[0]]
        with limit(case, core) as bare:
            for format_ in plan.formats:
                stage = _Stage(plan, case, format_, bare, load, tell, findings)
                _measure_stage(stage, servers, expected, folder, core)
            findings.bounds[name] = _bound(bare)
    return findings


def _installed(plan: Plan, findings: Findings, tell: Tell) -> list[Server]:
    servers = []
    for server in plan.servers:
        tell(f"{server.name}: installing, where it is not yet")
        try:
            server.install()
        except BenchError as error:
            findings.missing += [
                Missing(server=server.name, model=model, format=format_, clients=None, reason=str(error))
                for model in plan.models
                for format_ in plan.formats
            ]
        else:
            servers.append(server)
    return servers


def _measure_stage(
    stage: _Stage, servers: Sequence[Server], expected: Sequence[float], folder: Path, core: int
) -> None:
    with ExitStack() as stack:
        up: dict[str, Running] = {}
        for number, server in enumerate(servers):
            stage.tell(f"{stage.name}: starting {server.name}")
            own = folder / f"{stage.case.name}-{stage.format}-{number}"
            try:
                if stage.format not in server.formats:
                    raise BenchError(f"reads no {stage.format}")
                up[server.name] = stack.enter_context(running(server, stage.case, stage.format, expected, own, core))
                up[server.name].take_turn(stage.load, max(stage.plan.clients), FIRST_SECONDS, FIRST_SECONDS)
            except BenchError as error:
                up.pop(server.name, None)
                stage.lose(server.name, error)
        _take_rounds(stage, up)


def _take_rounds(stage: _Stage, up: dict[str, Running]) -> None:
    samples: dict[tuple[str, int], list[Sample]] = defaultdict(list)
    loops: list[Loop] = []
    for number in range(1, stage.plan.rounds + 1):
        for clients in stage.plan.clients:
            bare = stage.bare.loop(stage.bare.best_batch, LIMIT_SECONDS)
            loops.append(bare)
            for name in list(up):
                stage.tell(f"{stage.name}: round {number} of {stage.plan.rounds}, {clients} clients, {name}")
                try:
                    samples[name, clients].append(_turn(stage, up[name], clients, bare))
                except BenchError as error:
                    stage.lose(name, error, clients)
    _add_rows(stage, up, samples, loops)


def _turn(stage: _Stage, server: Running, clients: int, bare: Loop) -> Sample:
    turn = server.take_turn(stage.load, clients, stage.plan.seconds, stage.plan.warm_up_seconds)
    return Sample(
        rps=turn.load.rate,
        p50_s=turn.load.percentile(0.5),
        p99_s=turn.load.percentile(0.99),
        ratio_to_raw=turn.load.rate / bare.rate,
        cpu_s=turn.cpu_seconds,
        generator_busy=turn.load.busy,
    )


def _add_rows(
    stage: _Stage, up: dict[str, Running], samples: dict[tuple[str, int], list[Sample]], loops: Sequence[Loop]
) -> None:
    for clients in stage.plan.clients:
        raw = [
            Sample(rps=each.rate, p50_s=each.p50, p99_s=each.p99, ratio_to_raw=1.0, cpu_s=each.cpu_seconds,
                   generator_busy=0.0)
            for each in loops
        ]  # fmt: skip
        cells = [(RAW, raw, stage.bare.cold_seconds, stage.bare.rss_bytes)]
        cells += [(name, samples[name, clients], each.cold_seconds, each.rss_bytes) for name, each in up.items()]
        stage.findings.rows += [
            summarise(
                taken, server=name, model=stage.case.name, format_=stage.format, clients=clients,
                cold_s=cold, rss_bytes=rss,
            )
            for name, taken, cold, rss in cells
            if taken
        ]  # fmt: skip


def _bound(bare: Limit) -> Bound:
    best = [bare.loop(bare.best_batch, LIMIT_SECONDS) for _ in range(3)]
    single = [bare.loop(1, LIMIT_SECONDS) for _ in range(3)]
    rate = median(each.rate for each in best)
    return Bound(
        best_batch=bare.best_batch,
        batch_s=bare.best_batch / rate,
        single_s=median(each.p50 for each in single),
        rps=rate,
        load_s=bare.load_seconds,
    )
