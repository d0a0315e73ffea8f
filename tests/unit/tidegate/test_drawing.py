"""What `status` and `watch` show at the moments that matter."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from lambdas.rollout.policy import Judging
from lambdas.rollout.state import Phase, State
from tests.unit.tidegate.states import AB_TEST, FREEZE, IDLE, LIVE, NEXT, NOW, POLICY, SHADOW, rolling
from tidegate import drawing
from tidegate.live import VersionsByConfig
from tidegate.looking import Clock, Look, Looker
from tidegate.moving import MovingPicture
from tidegate.settings import find_endpoint

ROLLOUT = "260101-100000-003"
MIXED = "rain-local-mixed"


def look_at(account: Any, state: State, weights: dict[str, float], config: str = MIXED) -> Look:
    """Return a look at an endpoint in that state."""
    account.record(state)
    account.serve(config, weights, {})
    account.audit(11, "Shifting green to 25 % of the traffic.", rollout=ROLLOUT, phase="SHIFT")
    endpoint = find_endpoint(account.aws, "local", None)
    return Looker(account.aws, endpoint, VersionsByConfig(account.aws, lambda _: "?"), Clock(lambda: NOW)).look()


def drawn(look: Look, width: int = 140, **options: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(drawing.draw(look.snapshot, look.trail, **options))
    return out.getvalue()


def picture(account: Any, state: State, weights: dict[str, float], config: str = MIXED) -> str:
    return drawn(look_at(account, state, weights, config))


def line(text: str, start: str) -> str:
    """Return the one line in which `start` stands, without the tree's guides."""
    (found,) = [each for each in text.splitlines() if start in each]
    return re.sub(r"[├└│─]", "", found).strip()


def test_a_bake_shows_how_long_it_still_takes(account: Any) -> None:
    shown = picture(account, rolling(), {"blue": 75.0, "green": 25.0})
    assert line(shown, "strategy") == "strategy   canary, step 2 of 4"
    assert line(shown, "phase") == "phase      BAKE for 6 min"
    assert "the bake, until" in line(shown, "waits for  ")
    assert "(in 4 min)" in line(shown, "waits for  ")
    assert "(in 23 h 53 min)" in line(shown, "deadline")
    assert line(shown, "bake 10 min, 4 min left").startswith("●  2   25 %")


def test_steps_are_ticked_up_to_the_present_one(account: Any) -> None:
    shown = picture(account, rolling(), {"blue": 75.0, "green": 25.0})
    marks = [re.sub(r"[├└│─ ]", "", each)[0] for each in shown.partition("Steps")[2].splitlines()[1:7]]
    assert marks == ["✔", "✔", "●", "○", "○", "○"]


def test_gates_and_what_else_a_step_asks_stand_beside_it(account: Any) -> None:
    shown = picture(account, rolling(), {"blue": 75.0, "green": 25.0})
    assert "hook before: ask-the-change-board ✔   500 requests at least" in line(shown, " 2   25 %")
    assert line(shown, " 3   50 %").endswith("approval   5xx at most 2 %")
    assert line(shown, "100 %   soak").endswith("soak 30 min")


def test_the_latest_judgement_is_shown_with_its_numbers(account: Any) -> None:
    judged = {"verdict": "hold", "findings": [{"text": "5xx 31/1,204 vs 204/22,870"}, {"text": "latency 9/1,204"}]}
    shown = picture(account, rolling(judged=judged), {"blue": 75.0, "green": 25.0})
    assert "judge" in line(shown, "hold")
    assert line(shown, "5xx 31/1,204 vs 204/22,870")
    assert line(shown, "latency 9/1,204")
    assert "judge" not in picture(account, rolling(), {"blue": 75.0, "green": 25.0})


def test_steps_that_need_a_verdict_say_whether_it_has_been_given(account: Any) -> None:
    judged = rolling(policy=replace(POLICY, judge=Judging()), cleared=("judged:0",))
    shown = picture(account, judged, {"blue": 75.0, "green": 25.0})
    assert "judge ✔" in line(shown, " 1   10 %")
    assert "judge" in line(shown, " 2   25 %")
    assert "judge ✔" not in line(shown, " 2   25 %")
    assert "judge" not in line(shown, " 4  100 %")


def test_variants_show_version_weight_instances_and_alarms(account: Any) -> None:
    account.cloudwatch.states = {
        "rain-local-green-unhealthy": ("OK", datetime.fromtimestamp(NOW, UTC)),
        "rain-local-green-5xx-rate": ("ALARM", datetime.fromtimestamp(NOW, UTC)),
        "rain-local-blue-unhealthy": ("OK", datetime.fromtimestamp(NOW, UTC)),
    }
    look = look_at(account, rolling(), {"blue": 75.0, "green": 25.0})
    account.sagemaker.endpoint["ProductionVariants"][1] |= {"CurrentInstanceCount": 3, "DesiredInstanceCount": 4}
    shown = picture(account, rolling(), {"blue": 75.0, "green": 25.0})
    assert line(shown, "blue   live").startswith("blue   live   1.1.0        ██████████████████░░░░░░  75%")
    assert line(shown, "green  new").startswith("green  new    1.2.0        ██████░░")
    assert "unhealthy OK   5xx-rate ALARM" in shown
    assert "rain-local-green-5xx-rate" in shown
    assert look.snapshot.variants[0].version == "1.1.0"


def test_a_weight_on_its_way_is_told(account: Any) -> None:
    account.record(rolling(phase=Phase.SHIFT, verified_since=None))
    look = look_at(account, rolling(phase=Phase.SHIFT, verified_since=None), {"blue": 90.0, "green": 10.0})
    view = look.snapshot.variants[1]
    moving = replace(view, variant=replace(view.variant, desired_weight=25.0, instances=3, desired_instances=4))
    shown = drawn(replace(look, snapshot=replace(look.snapshot, variants=(moving,))))
    assert line(shown, "green  new").endswith("10% -> 25   3/4 instances")
    assert "25 % of the traffic on green, verified" in line(shown, "waits for  ")


def test_waiting_for_approval_names_the_command_and_stops_the_deadline(account: Any) -> None:
    state = rolling(phase=Phase.APPROVE, step=2, waiting_since=NOW - 100, verified_since=NOW - 1000)
    shown = picture(account, state, {"blue": 50.0, "green": 50.0})
    assert "approve --step" in line(shown, "waits for  ")
    assert "stands still" in line(shown, "deadline")
    assert "bake 15 min, over   approval" in line(shown, "●  3   50 %")


def test_paused(account: Any) -> None:
    shown = picture(account, rolling(paused=True, waiting_since=NOW), {"blue": 75.0, "green": 25.0})
    assert "PAUSED" in shown.splitlines()[0]
    assert line(shown, "waits for  ").endswith("somebody to resume it")


def test_rolling_back_shows_why_and_where_it_was_given_up(account: Any) -> None:
    state = rolling(phase=Phase.ROLLBACK, abort_reason="7 of 100 requests failed")
    shown = picture(account, state, {"blue": 75.0, "green": 25.0})
    assert line(shown, "reason").endswith("7 of 100 requests failed")
    assert line(shown, "waits for  ").endswith("green to have no traffic")
    assert line(shown, " 2   25 %").startswith("✖")
    assert line(shown, " 3   50 %").startswith("–")
    assert "deadline" not in shown


def test_frozen_with_a_queued_version(account: Any) -> None:
    shown = picture(account, replace(IDLE, frozen=FREEZE, queued=NEXT), {"blue": 100.0}, LIVE.config)
    assert "FROZEN" in shown.splitlines()[0]
    assert line(shown, "waits for  ").endswith("an unfreeze (frozen by alice: Black Friday), for 1.3.0 to start")
    assert line(shown, "by alice for 1 h").startswith("frozen")
    assert "Steps" not in shown


def test_a_version_that_waits_for_a_rollout_to_end(account: Any) -> None:
    shown = picture(account, replace(rolling(), queued=NEXT), {"blue": 75.0, "green": 25.0})
    assert line(shown, "queued").endswith("1.3.0 comes next")


def test_an_ab_test(account: Any) -> None:
    shown = picture(account, rolling(policy=AB_TEST, step=0, cleared=()), {"blue": 50.0, "green": 50.0})
    assert line(shown, " 1   50 %").endswith("bake 1 h, 54 min left   A/B test, decided by error-rate")


def test_a_shadow_is_ahead_of_all_steps_and_takes_no_traffic(account: Any) -> None:
    state = rolling(
        policy=SHADOW,
        phase=Phase.SHADOW,
        step=0,
        done=("CreateShadowConfig",),
        smoke_passed=0,
        cleared=(),
        shadow_config="rain-local-shadow",
    )
    account.serve("rain-local-shadow", {"blue": 100.0}, {})
    shadow = {"VariantName": "green", "CurrentWeight": 20.0, "DesiredWeight": 20.0}
    account.record(state)
    account.sagemaker.endpoint["ShadowProductionVariants"] = [shadow]
    endpoint = find_endpoint(account.aws, "local", None)
    versions = VersionsByConfig(account.aws, lambda _: "?")
    shown = drawn(Looker(account.aws, endpoint, versions, Clock(lambda: NOW)).look())
    assert line(shown, "strategy").endswith("shadow, then canary, 4 steps")
    assert line(shown, "● shadow").startswith("● shadow: copies of 20 % of the requests   compare 10 min, 4 min left")
    assert line(shown, "prepare").startswith("○")
    assert line(shown, "green  shadow").startswith("green  shadow 1.2.0")
    assert "20% copied" in shown
    assert line(shown, "blue   live").count("100%") == 1


def test_capacity_by_share_says_for_how_long_a_rollback_can_be_refused(account: Any) -> None:
    state = rolling(policy=replace(POLICY, capacity="share"))
    shown = picture(account, state, {"blue": 75.0, "green": 25.0})
    assert "a rollback too: while AWS looks for them, and then for up to 25 min" in " ".join(shown.split())
    assert "capacity" not in picture(account, rolling(), {"blue": 75.0, "green": 25.0})


def test_at_rest_it_says_how_the_last_rollout_ended(account: Any) -> None:
    ended = rolling(phase=Phase.ROLLED_BACK, phase_since=NOW - 300, abort_reason="it was worse").rollout
    account.record(IDLE)
    account.summarise("rain-local", ended)
    shown = picture(account, IDLE, {"blue": 100.0}, LIVE.config)
    assert line(shown, "rollout").endswith("none active; 1.2.0 ended in ROLLED_BACK 5 min ago: it was worse")


def test_an_endpoint_that_the_engine_does_not_know_yet(account: Any) -> None:
    account.serve("seed", {"blue": 100.0}, {"blue": "s3://assets/seed.tar.gz"})
    endpoint = find_endpoint(account.aws, "local", None)
    versions = VersionsByConfig(account.aws, lambda _: "bootstrap")
    shown = drawn(Looker(account.aws, endpoint, versions, Clock(lambda: NOW)).look())
    assert "has not recorded this endpoint yet" in shown
    assert "bootstrap" in line(shown, "blue   live")


def test_a_config_of_somebody_else_is_looked_up(account: Any) -> None:
    account.serve("by-hand", {"blue": 100.0}, {"blue": "s3://elsewhere/model.tar.gz"})
    account.record(rolling())
    endpoint = find_endpoint(account.aws, "local", None)
    versions = VersionsByConfig(account.aws, {"s3://elsewhere/model.tar.gz": "9.9.9"}.__getitem__)
    look = Looker(account.aws, endpoint, versions, Clock(lambda: NOW)).look()
    assert look.snapshot.variants[0].version == "9.9.9"


@pytest.mark.parametrize("height", [30, 26])
def test_the_picture_keeps_within_the_terminal_by_leaving_out_audit_entries(account: Any, height: int) -> None:
    look = look_at(account, rolling(), {"blue": 75.0, "green": 25.0})
    trail = [replace(look.trail[0], key=f"AUDIT#r#{number:08d}") for number in range(40)]
    console = Console(file=io.StringIO(), width=120, height=height, force_terminal=True)
    lines = console.render_lines(drawing.fitted(console, look.snapshot, trail), pad=False)
    assert height - 1 <= len(lines) <= height


def test_watch_keeps_the_clock_running_between_looks_and_leaves_the_last_picture(account: Any) -> None:
    look = look_at(account, rolling(), {"blue": 75.0, "green": 25.0})
    out = io.StringIO()
    moments = iter(NOW + number / 8 for number in range(10_000))
    console = Console(file=out, width=120, height=40, force_terminal=True, color_system=None, legacy_windows=False)

    class Interrupted(Exception):
        pass

    def looks() -> Any:
        yield look
        while out.getvalue().count("BAKE for") < 4:
            yield look
        raise Interrupted

    with pytest.raises(Interrupted):
        MovingPicture(console, lambda: next(moments)).show(looks())
    drawn_clocks = set(re.findall(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] \d\d:\d\d:\d\d", out.getvalue()))
    assert len(drawn_clocks) >= 2
    assert "\x1b[?1049h" in out.getvalue(), "the terminal's other screen"
    left = out.getvalue().rpartition("\x1b[?1049l")[2]
    assert "BAKE for" in left
