"""Which schedules are run: all, and the sample of them that the tests run."""

from dataclasses import replace

from localcloud.simulation.explore import Plan

ALL = (
    Plan("canary", every=2, quiet_sample=3),
    Plan("linear", every=8, sample=3, quiet_sample=12),
    Plan("blue-green", every=3, sample=2, quiet_sample=8),
    Plan("all-at-once", every=4, sample=2, quiet_sample=8),
    Plan("shadow", every=5, sample=3, quiet_sample=8),
    Plan("ab-test", every=5, sample=3, quiet_sample=12),
    Plan("gates", every=8, sample=4, quiet_sample=12),
    Plan("no-go", every=6, sample=3, quiet_sample=12),
    Plan("broken-hook", every=8, sample=4, quiet_sample=16),
    Plan("broken", every=5, sample=2, quiet_sample=6),
    Plan("queue", every=10, sample=8, quiet_sample=32),
    Plan("restart", every=10, sample=8, quiet_sample=32),
    Plan("withdrawn", every=8, sample=4, quiet_sample=12),
    Plan("back", every=12, sample=4, quiet_sample=20),
    Plan("fleet", every=8, sample=3, quiet_sample=12),
    Plan("peak", every=8, sample=3, quiet_sample=16),
    Plan("share", every=7, sample=3, quiet_sample=16),
    Plan("slow", every=40, sample=8, quiet_sample=64),
    Plan("pause", every=8, sample=4, quiet_sample=16),
    Plan("freeze", every=8, sample=4, quiet_sample=16),
    Plan("promote", every=8, sample=4, quiet_sample=16),
    Plan("abort-and-retry", every=12, sample=4, quiet_sample=32),
)

QUICK = tuple(
    replace(plan, every=plan.every * 16, sample=plan.sample * 2, quiet_sample=plan.quiet_sample * 16) for plan in ALL
)
