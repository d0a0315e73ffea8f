"""plan, rehearse and judge aa, as they are typed."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.tidegate.rehearsal.metrics import CloudWatch
from tests.unit.tidegate.rehearsal.recordings import recording
from tidegate import cli
from tidegate.commands import context
from tidegate.rehearsal.recording import Answered, read, write

ROOT = Path(__file__).resolve().parents[4]
EXAMPLE = str(ROOT / "docs" / "examples" / "canary-with-errors.csv")
POLICY = """
rollout:
  strategy: canary
  steps:
    - {weight: 10, bake_seconds: 600}
    - {weight: 100}
  soak_seconds: 300
  progress_deadline_seconds: 7200
  judge: {tolerated_error_percent: 1, horizon_seconds: 1800}
alarms: {error_rate_percent: 5, min_requests: 10, bad_periods: 2, of_periods: 3}
"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "careful.yaml"
    path.write_text(POLICY)
    return str(path)


def test_rehearse_shows_what_others_miss(policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "new" / "rehearsal.svg"
    words = ["rehearse", "--policy", policy, "--metrics", EXAMPLE, "--runs", "3"]
    assert cli.main([*words, "--plot", str(plot)]) == 0
    shown = capsys.readouterr().out
    assert "careful, in the new version's median run: rolled back: 5xx " in shown
    assert "SageMaker guardrails, canary, in the new version's median run: promoted" in shown
    assert "careful: alarm on 5xx above 5 % in 2 of 3 periods; judged" in shown
    names = [each.text for each in ET.parse(plot).iter() if each.get("class") == "title"]
    assert names[:2] == ["Recorded", "careful"]
    assert cli.main([*words, "-o", "json", "--alone"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["policy"], found["new"]["rolled_back"], found["good"]["promoted"]) == ("careful", 3, 3)
    assert found["new"]["rolled_back_seconds"] <= 1800


def test_a_policy_of_the_environments_beside_another(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--metrics", EXAMPLE, "--runs", "1", "--alone", "-o", "json"]
    files = ["rain:prod", str(ROOT / "environments" / "staging.yaml"), policy]
    assert cli.main(["rehearse", *(word for file in files for word in ("--policy", file)), *words]) == 0
    assert [each["policy"] for each in json.loads(capsys.readouterr().out)] == ["rain:prod", "rain:staging", "careful"]


def test_a_new_version_that_was_not_recorded(policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "live.csv"
    write(recording(live=Answered(6000, 6, 60)), path)
    words = ["rehearse", "--policy", policy, "--metrics", str(path), "--runs", "2", "--alone"]
    assert cli.main(words) == 0
    assert "--new-errors 2 rehearses one" in capsys.readouterr().out
    assert cli.main([*words, "--new-errors", "2", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["new"]["rolled_back"] == 2
    assert cli.main([*words, "--new-slow", "1", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["new"]["promoted"] == 2


def test_aa(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["judge", "aa", "--policy", policy, "--metrics", EXAMPLE, "--runs", "10"]
    assert cli.main(words) == 0
    assert "false alarms: 0 of 10 (0 %; with 95 % confidence below" in capsys.readouterr().out
    assert cli.main([*words, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["promoted"] == 10


def test_plan(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "--policy", policy]
    assert cli.main([*words, "--rps", "100", "--errors", "1"]) == 0
    assert "warning" not in capsys.readouterr().out
    assert cli.main([*words, "--metrics", EXAMPLE, "-o", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["traffic"]["requests_per_second"] == pytest.approx(94.3, abs=0.1)
    assert [step["weight"] for step in found["steps"]] == [10.0]
    assert [each["metric"] for each in found["steps"][0]["metrics"]] == ["5xx", "latency"]


def test_a_plan_that_sees_nothing_is_refused(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "--policy", policy, "--rps", "0.01", "--errors", "0.1"]
    assert cli.main(words) == 3
    shown = capsys.readouterr()
    assert "warning: 5xx: step 1 (10 %) may end before" in shown.out
    assert "cannot see anything at this traffic" in shown.err
    assert cli.main([*words, "-o", "json"]) == 3
    assert json.loads(capsys.readouterr().out)["blind"] is True


def test_what_is_deployed_on_its_own_traffic(
    account: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account.deploy(policy=yaml.safe_load(POLICY)["rollout"])
    series = {("blue", "Invocations", "Sum"): [6000.0] * 30, ("blue", "Invocation5XXErrors", "Sum"): [6.0] * 30}
    account.cloudwatch = CloudWatch(series, endpoint="rain-local")
    monkeypatch.setattr(context, "open_environment", lambda _: account.aws)
    saved = tmp_path / "saved.csv"
    assert cli.main(["rehearse", "--runs", "1", "--alone", "--save", str(saved), "-o", "json"]) == 0
    assert [each["policy"] for each in json.loads(capsys.readouterr().out)] == ["rain-local"]
    assert read(saved).live.requests == 180_000
    assert cli.main(["judge", "aa", "--runs", "1"]) == 0
    assert cli.main(["plan", "--hours", "2"]) == 0
    assert "rain-local, 2 h of CloudWatch, blue as the live version: 100 requests a second" in capsys.readouterr().out
    assert cli.main(["plan", "--hours", "500"]) == 2


@pytest.mark.parametrize(
    ("words", "status", "problem"),
    [
        ("rehearse --policy {policy} --metrics none.csv", 2, "none.csv cannot be read"),
        ("rehearse --policy {policy} --metrics {csv} --runs 0", 2, "--runs: 0 is not from 1"),
        ("rehearse --policy {policy} --metrics {csv} --hours 3", 2, "--hours: only for what CloudWatch gives"),
        ("rehearse --policy {policy} --metrics {csv} --new-errors 200", 2, "--new-errors: 200 is not a percentage"),
        ("rehearse --policy {policy} --policy {policy} --metrics {csv}", 2, "two policies are called 'careful'"),
        ("rehearse --policy rain:prdo --metrics {csv}", 2, "there is no environment 'prdo'"),
        ("rehearse --policy hail:prod --metrics {csv}", 2, "has no endpoint 'hail'"),
        ("rehearse --policy careful --metrics {csv}", 2, "'careful' is neither a YAML file nor ENDPOINT:ENV"),
        ("judge aa --policy {policy} --policy rain:prod --metrics {csv}", 2, "2 policies are given"),
        ("judge aa --policy {policy} --metrics {short}", 2, "it holds 5 min, and the policy's steps take 15 min"),
        ("plan --policy {policy} --rps 0", 2, "--rps: 0 is no traffic"),
        ("plan --policy {policy} --rps 5 --metrics {csv}", 2, "--rps and --metrics both say"),
        ("plan --policy {policy} --metrics {csv} --errors 1", 2, "--errors: 1, but --rps is not given"),
        ("plan --policy {policy} --rps 5 --errors 0", 2, "--errors: 0 is not a share above 0"),
        ("plan --policy {policy} --rps 5 --see 1", 2, "--see: 1 times as bad is not worse"),
        ("plan --policy {unjudged} --rps 5", 3, "unjudged has no judge"),
        ("plan --policy {broken} --rps 5", 2, "rollout.steps[0].weight: 0 is not allowed"),
        ("plan --policy {alarms} --rps 5", 2, "alarms.min_requests: 'ten' is not a number"),
    ],
)
def test_what_is_wrong_is_named(
    words: str, status: int, problem: str, policy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "unjudged": POLICY.replace("  judge: {tolerated_error_percent: 1, horizon_seconds: 1800}\n", ""),
        "broken": POLICY.replace("weight: 10,", "weight: 0,"),
        "alarms": POLICY.replace("min_requests: 10", "min_requests: ten"),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    write(recording(5), tmp_path / "short.csv")
    paths = {name: tmp_path / f"{name}.yaml" for name in files}
    typed = words.format(policy=policy, csv=EXAMPLE, short=tmp_path / "short.csv", **paths)
    assert cli.main(typed.split()) == status
    shown = capsys.readouterr().err.replace("\n", " ")
    assert problem in shown
    assert "next:" in shown
