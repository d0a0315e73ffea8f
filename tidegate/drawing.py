"""The picture of an endpoint that `status` shows once and `watch` keeps drawing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from lambdas.rollout.gates import AFTER, APPROVAL, BEFORE, JUDGED
from lambdas.rollout.judge import Verdict
from lambdas.rollout.policy import FULL_SHARE
from lambdas.rollout.state import Kind, Rollout
from tidegate import steps, views
from tidegate.live import Alarm
from tidegate.rollouts import AuditEntry
from tidegate.snapshot import NEW, SHADOW, Snapshot, VariantView
from tidegate.steps import Gate, StepView

AUDIT_LINES = 12
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAMES_A_SECOND = 4
_MARKS = {
    steps.DONE: ("✔", "green"),
    steps.PRESENT: ("●", "bold cyan"),
    steps.TO_COME: ("○", "dim"),
    steps.GIVEN_UP: ("✖", "bold red"),
    steps.NOT_REACHED: ("–", "dim"),
}
_VERDICTS = {Verdict.PROMOTE: "green", Verdict.HOLD: "yellow", Verdict.ROLLBACK: "bold red"}
_GATE_NAMES = {BEFORE: "hook before", AFTER: "hook after", APPROVAL: "approval", JUDGED: "judge"}


def draw(
    snapshot: Snapshot,
    trail: Sequence[AuditEntry],
    *,
    lines: int = AUDIT_LINES,
    alive: bool = False,
    trouble: str = "",
) -> RenderableType:
    """Return the picture.

    Parameters
    ----------
    snapshot
        What is drawn.
    trail
        The audit trail, of which the last entries are shown.
    lines
        How many.
    alive
        Whether to show a clock that runs.
    trouble
        Why the picture is not up to date, if it is not.
    """
    parts: list[RenderableType] = [_title(snapshot, alive), _facts(snapshot, trouble)]
    if snapshot.rollout is not None:
        parts += [Text(""), _steps(snapshot)]
    parts += [Text(""), _variants(snapshot)]
    shown = trail[-lines:] if lines else []
    if shown:
        parts += [Text(""), Text("Audit trail", style="bold"), views.audit_lines(shown)]
    return Group(*parts)


def fitted(console: Console, snapshot: Snapshot, trail: Sequence[AuditEntry], trouble: str = "") -> RenderableType:
    """Return the picture with as many audit entries as the terminal has room for."""
    for lines in range(min(AUDIT_LINES, len(trail)), 0, -1):
        picture = draw(snapshot, trail, lines=lines, alive=True, trouble=trouble)
        if len(console.render_lines(picture, pad=False)) <= console.height:
            return picture
    return draw(snapshot, trail, lines=0, alive=True, trouble=trouble)


def _title(snapshot: Snapshot, alive: bool) -> RenderableType:
    title = Text.assemble((snapshot.endpoint.name, "bold"), "  ", views.state_text(snapshot.endpoint.status))
    for badge in _badges(snapshot):
        title.append("  ").append(f" {badge} ", style="bold black on yellow")
    if not alive:
        return title
    # Drawn from the time, so that whoever sees it move knows that all of this is alive.
    frame = _FRAMES[int(snapshot.at * _FRAMES_A_SECOND) % len(_FRAMES)]
    grid = Table.grid(expand=True)
    grid.add_column()
    grid.add_column(justify="right")
    grid.add_row(title, Text(f"{frame} {datetime.fromtimestamp(snapshot.at).astimezone():%H:%M:%S}", style="cyan"))
    return grid


def _badges(snapshot: Snapshot) -> list[str]:
    frozen = snapshot.state is not None and snapshot.state.frozen is not None
    paused = snapshot.rollout is not None and snapshot.rollout.paused
    return [name for name, shown in (("FROZEN", frozen), ("PAUSED", paused)) if shown]


def _facts(snapshot: Snapshot, trouble: str) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in [*_of_rollout(snapshot), *_of_endpoint(snapshot, trouble)]:
        grid.add_row(name, fact)
    return grid


def _of_rollout(snapshot: Snapshot) -> list[tuple[str, Text]]:
    rollout, now = snapshot.rollout, snapshot.at
    if rollout is None:
        return _at_rest(snapshot)
    found = [
        ("rollout", _identity(rollout)),
        ("strategy", Text(f"{_strategy(rollout)}, {_place(snapshot)}")),
        (
            "phase",
            Text.assemble((rollout.phase.value, _phase_style(rollout)), f" for {_since(rollout.phase_since, now)}"),
        ),
    ]
    found += [*_waiting(snapshot), *_deadline(snapshot, rollout), *_judged(rollout)]
    if rollout.abort_reason:
        found.append(("reason", Text(rollout.abort_reason, style="red")))
    return found


def _judged(rollout: Rollout) -> list[tuple[str, Text]]:
    if not rollout.judged:
        return []
    findings = [finding["text"] for finding in rollout.judged["findings"]]
    verdict = Text(rollout.judged["verdict"], style=_VERDICTS.get(rollout.judged["verdict"], ""))
    return [("judge", Text.assemble(verdict, *(f"\n{finding}" for finding in findings)))]


def _deadline(snapshot: Snapshot, rollout: Rollout) -> list[tuple[str, Text]]:
    if snapshot.deadline is not None:
        by = views.moment(snapshot.deadline, snapshot.at)
        return [("deadline", Text(f"rolled back unless a step is finished by {by}"))]
    return [("deadline", Text("stands still while it waits for people"))] if rollout.waiting_since is not None else []


def _identity(rollout: Rollout) -> Text:
    what = "onto the changed fleet" if rollout.kind is Kind.FLEET else f"beside {rollout.stable_slot}"
    return Text.assemble(f"{rollout.id}: ", (rollout.version, "bold"), f" on {rollout.slot}, {what}")


def _strategy(rollout: Rollout) -> str:
    policy = rollout.policy
    name = policy.strategy if policy.shadow is None else f"{policy.strategy}, then {policy.shifting}"
    return f"{name} (straight: {rollout.straight})" if rollout.straight else name


def _phase_style(rollout: Rollout) -> str:
    return "bold red" if rollout.abort_reason else "bold cyan"


def _place(snapshot: Snapshot) -> str:
    numbers = [step.number for step in snapshot.steps if step.number is not None]
    at = [step.number for step in snapshot.steps if step.number and step.status in (steps.PRESENT, steps.GIVEN_UP)]
    return f"step {at[0]} of {len(numbers)}" if at else views.count(len(numbers), "step")


def _at_rest(snapshot: Snapshot) -> list[tuple[str, Text]]:
    if snapshot.state is None:
        return [("rollout", Text("the engine has not recorded this endpoint yet", style="yellow"))]
    last = snapshot.latest
    found = [("live", Text(snapshot.state.live.version, style="bold"))]
    if last is None:
        return [*found, ("rollout", Text("none has taken place yet")), *_waiting(snapshot)]
    reason = f": {last.reason}" if last.reason else ""
    when = views.ago(last.ended_at, snapshot.at)
    outcome = Text.assemble(
        f"none active; {last.version} ended in ", views.state_text(last.outcome), f" {when}{reason}"
    )
    return [*found, ("rollout", outcome), *_waiting(snapshot)]


def _waiting(snapshot: Snapshot) -> list[tuple[str, Text]]:
    waiting = snapshot.waiting
    if not waiting.what:
        return []
    until = f", until {views.moment(waiting.until, snapshot.at)}" if waiting.until is not None else ""
    return [("waits for", Text(f"{waiting.what}{until}", style="yellow"))]


def _of_endpoint(snapshot: Snapshot, trouble: str) -> list[tuple[str, Text]]:
    state, found = snapshot.state, []
    if state is not None and state.queued is not None and state.rollout is not None:
        found.append(("queued", Text(f"{state.queued.version} comes next")))
    if state is not None and state.frozen is not None:
        why = f": {state.frozen.reason}" if state.frozen.reason else ""
        found.append(("frozen", Text(f"by {state.frozen.by} {views.since(state.frozen.at, snapshot.at)}{why}")))
    if snapshot.refusal_seconds is not None:
        found.append(("capacity", _capacity(snapshot.refusal_seconds)))
    if snapshot.endpoint.failure:
        found.append(("failure", Text(snapshot.endpoint.failure, style="red")))
    if trouble:
        found.append(("out of date", Text(trouble, style="bold red")))
    return found


def _capacity(seconds: int) -> Text:
    return Text(
        "share: while the instances for a step start, SageMaker refuses every change of the weights, a rollback too: "
        f"while AWS looks for them, and then for up to {views.duration(seconds)} (the fleet's download and start-up "
        "time-outs)"
    )


def _since(at: float, now: float) -> str:
    return views.duration(max(0.0, now - at))


def _steps(snapshot: Snapshot) -> RenderableType:
    tree = Tree(Text("Steps", style="bold"), guide_style="dim")
    for step in snapshot.steps:
        tree.add(_step(step, snapshot))
    return tree


def _step(step: StepView, snapshot: Snapshot) -> Text:
    mark, style = _MARKS[step.status]
    line = Text.assemble((mark, style), " ", (_name(step, snapshot), "bold" if step.status == steps.PRESENT else ""))
    if step.kind in (steps.STEP, steps.SHADOW):
        line.append(_bake(step))
    for gate in step.gates:
        line.append("   ").append(_gate(gate))
    for note in step.notes:
        line.append(f"   {note}", style="dim")
    if step.status == steps.NOT_REACHED:
        line.stylize("dim")
    return line


def _name(step: StepView, snapshot: Snapshot) -> str:
    rollout = snapshot.rollout
    if rollout is None:
        raise LookupError("there is no rollout to draw")
    if step.kind == steps.SHADOW:
        return f"shadow: copies of {step.weight} % of the requests"
    if step.kind == steps.PREPARE:
        smoke = ", smoke test" if rollout.policy.smoke_test else ""
        return f"prepare: instances of {rollout.slot}{smoke}"
    if step.kind == steps.FINISH:
        return f"finish: {rollout.stable_slot} is removed"
    return f"{step.number:>2}  {step.weight:>3} %"


def _bake(step: StepView) -> str:
    last = step.kind == steps.STEP and step.weight == FULL_SHARE
    name = "compare" if step.kind == steps.SHADOW else ("soak" if last else "bake")
    whole = f"   {name} {views.duration(step.bake_seconds)}"
    if step.left_seconds is None:
        return whole
    return f"{whole}, {views.duration(step.left_seconds)} left" if step.left_seconds else f"{whole}, over"


def _gate(gate: Gate) -> Text:
    name = _GATE_NAMES[gate.name]
    if gate.function:
        name = f"{name}: {gate.function.rpartition(':function:')[2]}"
    return Text(f"{name} ✔", style="green") if gate.passed else Text(name, style="yellow")


def _variants(snapshot: Snapshot) -> RenderableType:
    tree = Tree(Text("Variants", style="bold"), guide_style="dim")
    for view in snapshot.variants:
        branch = tree.add(_variant(view))
        if view.alarms:
            branch.add(_alarms(view, snapshot.endpoint.name))
        for alarm in view.alarms:
            if alarm.state == "ALARM":
                branch.add(Text(f"{alarm.name}: {alarm.reason}" if alarm.reason else alarm.name, style="red"))
    return tree


def _variant(view: VariantView) -> Text:
    variant = view.variant
    moving = "" if variant.weight == variant.desired_weight else f" -> {variant.desired_weight:g}"
    style = {NEW: "cyan", SHADOW: "magenta"}.get(view.role, "green")
    copies = " copied" if view.role == SHADOW else ""
    return Text.assemble(
        (f"{variant.name:<6}", "bold"),
        f" {view.role:<6} {view.version:<12} ",
        (views.bar(view.share), style),
        f" {view.share:>4.0%}{moving}{copies}   {variant.instances}/{variant.desired_instances} instances",
    )


def _alarms(view: VariantView, endpoint: str) -> Text:
    line = Text()
    for alarm in view.alarms:
        line.append("   " if line else "").append(_short(alarm, f"{endpoint}-{view.variant.name}-"))
    return line


def _short(alarm: Alarm, prefix: str) -> Text:
    return Text.assemble((f"{alarm.name.removeprefix(prefix)} ", "dim"), views.state_text(alarm.state))
