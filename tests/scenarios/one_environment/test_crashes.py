"""Crashes and doubled events in the middle of a rollout change nothing about how it ends."""

from tests.scenarios.loop import Loop

REACT = "tidegate-local-react"


def test_a_rollout_survives_kills_in_the_middle_of_its_steps_and_doubled_events(loop: Loop) -> None:
    before = len(loop.rollouts())
    loop.cloud.faults.duplicate_events = True
    with loop.traffic() as traffic:
        loop.approve("1.1.0")
        for phase in ("PREPARE", "BAKE", "SOAK"):
            loop.wait_for_phase(phase, "PROMOTED")
            with loop.killing(REACT) as killed:
                loop.wait_for(lambda: killed, f"react to be killed in {phase}")
        rollout = loop.wait_for_end(before + 1)
    assert rollout.outcome == "PROMOTED", loop.story()
    assert loop.weights() == {rollout.slot: 100.0}
    assert not traffic.failures
