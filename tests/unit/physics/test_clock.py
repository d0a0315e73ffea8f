import threading
import time

from localcloud.clock import RealClock, VirtualClock


def test_virtual_actions_run_in_order_of_their_time_with_now_at_it() -> None:
    clock, seen = VirtualClock(100.0), []
    clock.call_later(2, lambda: seen.append(("b", clock.now())))
    clock.call_later(1, lambda: seen.append(("a", clock.now())))
    clock.call_later(2, lambda: seen.append(("c", clock.now())))
    clock.advance(5)
    assert seen == [("a", 101.0), ("b", 102.0), ("c", 102.0)]
    assert clock.now() == 105.0


def test_virtual_actions_that_actions_ask_for_run_within_the_same_advance() -> None:
    clock, seen = VirtualClock(0.0), []

    def again() -> None:
        seen.append(clock.now())
        clock.call_later(1, again)

    clock.call_later(1, again)
    clock.advance(3.5)
    assert seen == [1.0, 2.0, 3.0]


def test_cancelled_timer_does_not_run() -> None:
    clock, seen = VirtualClock(), []
    clock.call_later(1, lambda: seen.append(1)).cancel()
    clock.advance(2)
    assert seen == []
    assert clock.next_due() is None


def test_real_clock_survives_a_failing_action_and_keeps_order() -> None:
    clock, seen, done = RealClock(), [], threading.Event()
    clock.call_later(0.02, lambda: seen.append("second"))
    clock.call_later(0.0, lambda: 1 / 0)
    clock.call_later(0.01, lambda: seen.append("first"))
    clock.call_later(0.03, done.set)
    clock.start()
    assert done.wait(60)
    clock.stop()
    assert seen == ["first", "second"]


def test_stopped_real_clock_runs_nothing_more() -> None:
    clock, seen = RealClock(), []
    clock.start()
    clock.stop()
    clock.call_later(0.0, lambda: seen.append(1))
    time.sleep(0.05)
    assert seen == []
