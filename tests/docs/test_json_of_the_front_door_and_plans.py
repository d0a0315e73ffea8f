"""The operators' page names the fields of what plans, rehearsals, front doors, jobs, batches and erasures print."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.inference.batch.state import Answer, State, Wish
from lambdas.inference.jobs.job import Job
from tests.docs.pages import DOCS, Page
from tidegate import batches, jobs_views
from tidegate.batches import BatchEvent, Run
from tidegate.commands import door, erase, judge, plan, rehearse, switch
from tidegate.dead_letters import DeadLetter
from tidegate.erasing_job import Report
from tidegate.erasing_jobs import Erased
from tidegate.front_door import FrontDoor
from tidegate.jobs import Redriven
from tidegate.rehearsal import outcomes, recording, sources
from tidegate.rehearsal.foresight import Expected, foresee
from tidegate.rehearsal.traffic import AsRecorded
from tidegate.switches import FLAGS, Profile

PAGE = Page("operators.md")
TEMPLATES = DOCS.parent / "tests" / "infra" / "snapshots" / "local.json"

SOURCE = sources.find("rain:prod")
EXPECTED = Expected(100, 0.001)
PLAN = plan.document(SOURCE, EXPECTED, foresee(SOURCE.policy, EXPECTED, SOURCE.period_seconds, 2))
RECORDED = recording.read(Path(DOCS / "examples" / "canary-with-errors.csv"))
(OUTCOME,) = outcomes.rehearse([SOURCE.contender(has_slow=True)], RECORDED, AsRecorded(RECORDED), 1, 1)
REHEARSED = rehearse.document(OUTCOME)
ROLLED_BACK = OUTCOME.new
assert ROLLED_BACK is not None
AA = judge.document(ROLLED_BACK)

JOB = Job("rain-local", "j1", "shop", "hash", "in.json", created_at=1.0, expires=2)
BATCH = Run("r", "RUNNING", "s3://in/", "s3://out/", "1.2.0", 5, 2, 1, "", "", "", "", "operator", "alice", "")
WAITING = State("rain-local", waiting=(Wish("c1", "s3://in/", "text/csv", "operator", "alice", 1.0),))
STANDING = batches.standing_document(WAITING, [BATCH])
PROFILE = Profile("app", "env", "profile", "at-once", FLAGS)
CONTEXT: Any = SimpleNamespace(endpoint=SimpleNamespace(name="rain-local"))


def described() -> dict[str, Any]:
    """Return what the template of a front door with all its parts tells operators."""
    (parameter,) = [
        resource["Properties"]
        for stack in json.loads(TEMPLATES.read_text()).values()
        for resource in stack.get("Resources", {}).values()
        if resource["Type"] == "AWS::SSM::Parameter" and "/front-door/" in str(resource["Properties"]["Name"])
    ]
    _, parts = parameter["Value"]["Fn::Join"]
    told: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "x" for part in parts))
    return told


@pytest.mark.parametrize(
    ("command", "document"),
    [
        ("`plan`", PLAN),
        ("... its `traffic`", PLAN["traffic"]),
        ("... its `steps`", PLAN["steps"][0]),
        ("... `metrics` of a step", PLAN["steps"][0]["metrics"][0]),
        ("`rehearse`", REHEARSED),
        ("... its `new`, `good`", REHEARSED["new"]),
        ("... its `new`, `good`", REHEARSED["good"]),
        ("... `typical`", REHEARSED["good"]["typical"]),
        ("`judge aa`", AA),
        ("... its `reasons`", AA["reasons"][0]),
        ("`door`", door.document(FrontDoor("https://x/", "jwt", described()))),
        ("`door --key`", door.key_document("shop", "key")),
        ("`switch`", switch.states_document(dict.fromkeys(FLAGS, True), PROFILE)),
        ("`switch on`", switch.document("cache", on=True, changed=True, configured=True)),
        ("`jobs show`", jobs_views.document(JOB, "bucket")),
        ("`jobs dead`", jobs_views.letter_document(DeadLetter("", "why", 1.0, "body", "receipt"))),
        ("`jobs redrive`", jobs_views.redriven_document([("j1", Redriven.QUEUED)])[0]),
        ("`batch start`", batches.answer_document(BatchEvent("rain", "start", "c1", "alice"), Answer("c1", True, ""))),
        ("`batch status`", STANDING),
        ("... its `run`", STANDING["run"]),
        ("... its `waiting`", STANDING["waiting"][0]),
        ("`erase`", erase.document(CONTEXT, "ana", erase.Outcome("", Report(), 0, Erased(0), 0))),
    ],
)
def test_fields_of_the_json(command: str, document: dict[str, Any]) -> None:
    assert sorted(PAGE.fields(command)) == sorted(document)


def test_what_came_of_queueing_a_job_again_is_told() -> None:
    (told,) = [line for line in PAGE.text.splitlines() if line.startswith("| `jobs redrive`")]
    assert all(what.name.lower() in told for what in Redriven)
