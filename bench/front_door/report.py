"""The page of the documentation."""

from collections.abc import Sequence

from bench.drift.measurement import Measurement
from bench.drift.report import markdown
from bench.machine import Machine

INTRODUCTION = """# What the front door costs

```
make bench-front-door                          # all of this page's numbers, in one run; writes this page
make bench-front-door BENCH_ARGS=--quick       # short: indicative, not for the goals
```

Everything runs on one machine: the load, the local cloud (API Gateway, Lambda's workers as processes with the real
runtime interface client, SageMaker's endpoints with the real serving container), and whatever else the machine had to
do. So milliseconds are this machine's, and ratios of what was measured side by side are what counts.
"""

HOW = """## What was measured

- Load is an open loop: requests leave at fixed instants, however long earlier ones take, and latency counts from the
  instant when a request was due. Nothing is tried again. Past the front door means stock boto3 and `InvokeEndpoint`.
- The rollouts are the engine's own, with the steps of `environments/local.yaml`; phases are cut by its audit trail.
- The bare function is what one would write by hand: `boto3`, the body passed on, the answer passed back. It checks
  nothing, names no version, keeps no audit, and cannot be switched off.
- Ratios against the bare function come from rounds in turns; the goal holds for the median of the rounds.
"""


def page(found: Sequence[Measurement], machine: Machine, seconds: float, busiest: float) -> str:
    """Return the page."""
    goals = [goal for part in found for goal in part.goals]
    circumstances = (
        f"One run on {machine.cores} shared cores, {seconds / 60:.0f} minutes; {sum(goal.met for goal in goals)} of "
        f"{len(goals)} goals met. Load (processes that wanted a core, averaged over a minute): "
        f"{machine.load_before:.1f} before it, {busiest:.1f} at most during it, our own processes included."
    )
    rows = [[each.name, each.wanted, each.got, _verdict(each.met, each.why)] for each in goals]
    parts = [INTRODUCTION, "## Goals\n", circumstances + "\n", markdown(["goal", "wanted", "got", ""], rows)]
    for part in found:
        parts += [f"## {part.title}\n", markdown(part.head, part.rows), *(f"{note}\n" for note in part.notes)]
    return "\n".join([*parts, HOW])


def _verdict(met: bool, why: str) -> str:
    if met:
        return "met"
    return f"**missed**: {why}" if why else "**missed**"
