"""Which schedules are run: all, and the sample of them that the tests run."""

from dataclasses import replace

from localcloud.simulation.explore import Plan

ALL = (
    Plan("queue", every=32, sample=8, quiet_sample=128),
    Plan("restart", every=32, sample=8, quiet_sample=128),
    Plan("broken", every=4, quiet_sample=6),
    Plan("withdrawn", every=10, sample=4, quiet_sample=20),
    Plan("back", every=32, sample=4, quiet_sample=64),
    Plan("canary", every=4, quiet_sample=5),
    Plan("linear", every=14, sample=3, quiet_sample=28),
    Plan("blue-green", every=4, quiet_sample=12),
    Plan("all-at-once", every=4, quiet_sample=12),
    Plan("shadow", every=7, sample=3, quiet_sample=14),
    Plan("ab-test", every=9, sample=3, quiet_sample=24),
    Plan("gates", every=14, sample=4, quiet_sample=32),
    Plan("no-go", every=12, sample=3, quiet_sample=20),
    Plan("broken-hook", every=16, sample=4, quiet_sample=32),
    Plan("ab-test-manual", every=16, sample=4, quiet_sample=32),
    Plan("window", every=16, sample=4, quiet_sample=40),
    Plan("ab-test-lost", every=14, sample=3, quiet_sample=24),
    Plan("shadow-worse", every=12, sample=3, quiet_sample=16),
    Plan("step-limit", every=14, sample=3, quiet_sample=24),
    Plan("errors-counted", every=14, sample=3, quiet_sample=24),
    Plan("judged", every=20, sample=3, quiet_sample=40),
    Plan("judged-worse", every=16, sample=3, quiet_sample=32),
    Plan("judged-blind", every=60, sample=4, quiet_sample=120),
    Plan("judged-silent", every=60, sample=4, quiet_sample=120),
    Plan("ab-test-evidence", every=28, sample=4, quiet_sample=56),
    Plan("hand-on-weights", every=16, sample=4, quiet_sample=32),
    Plan("hand-on-config", every=12, sample=3, quiet_sample=20),
    Plan("fleet", every=12, sample=3, quiet_sample=20),
    Plan("peak", every=16, sample=3, quiet_sample=40),
    Plan("share", every=12, sample=3, quiet_sample=40),
    Plan("slow", every=160, sample=8, quiet_sample=300),
    Plan("pause", every=24, sample=4, quiet_sample=40),
    Plan("freeze", every=16, sample=4, quiet_sample=32),
    Plan("promote", every=16, sample=4, quiet_sample=32),
    Plan("abort-and-retry", every=32, sample=4, quiet_sample=80),
)

QUICK = tuple(
    replace(
        plan,
        every=plan.every * 16,
        sample=plan.sample * 2,
        way_back_sample=plan.way_back_sample * 2,
        quiet_sample=plan.quiet_sample * 8,
    )
    for plan in ALL
)
