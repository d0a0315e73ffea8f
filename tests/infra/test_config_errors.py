"""A file that cannot be deployed is refused with the field, the value, what is allowed and the way out."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.config import ENVIRONMENTS, ConfigError, load_environment


def edited(folder: Path, path: str, value: object, base: str = "dev") -> Path:
    """Write `base`'s file with one field changed (`...` removes it); return the folder to load it from."""
    body = yaml.safe_load((ENVIRONMENTS / f"{base}.yaml").read_text())
    *parents, last = path.replace("[", ".").replace("]", "").split(".")
    place = body
    for key in parents:
        place = place[int(key)] if key.isdigit() else place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return written(folder, yaml.safe_dump(body), base)


def written(folder: Path, text: str, name: str = "dev") -> Path:
    (folder / f"{name}.yaml").write_text(text)
    return folder


def problems(folder: Path, name: str = "dev") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_environment(name, folder)
    return [str(problem) for problem in caught.value.problems]


FLEET = "endpoints[0].fleet"

WRONG = [
    (f"{FLEET}.instance_type", "ml.g55.xlarge", "write it like ml.g5.xlarge, or ml.m5.large without a GPU"),
    (
        f"{FLEET}.instance_type",
        "ml.m5.3xlarge",
        "SageMaker has no such size for endpoints. "
        "Way out: choose another: ml.m5 has large, xlarge, 2xlarge, 4xlarge, 12xlarge, 24xlarge",
    ),
    (f"{FLEET}.instance_type", "ml.m5", "write it like ml.g5.xlarge"),
    (f"{FLEET}.instance_type", "ml.m5.large", "this image is not for it"),
    (f"{FLEET}.inference_ami_version", None, "driver too old"),
    (
        f"{FLEET}.inference_ami_version",
        "al2-ami-sagemaker-inference-gpu-9",
        "did you mean al2-ami-sagemaker-inference-gpu-",
    ),
    (f"{FLEET}.image.dockerfile", "Dockerfile.cpu", "write Dockerfile.gpu"),
    (f"{FLEET}.image.folder", "../elsewhere", "below the repository's folder"),
    (f"{FLEET}.min_instances", 3, "not be more than max_instances (2)"),
    (f"{FLEET}.min_instances", 0, "from 1 to 100. Way out: raise it to 1"),
    (f"{FLEET}.max_instances", 101, "Way out: lower it to 100"),
    (f"{FLEET}.min_instances", True, "whole number"),
    (f"{FLEET}.max_instances", 1, "nothing can scale"),
    (f"{FLEET}.target_invocations_per_instance", None, "nothing would ever scale"),
    (f"{FLEET}.capture", "sagmaker", "did you mean sagemaker?"),
    (f"{FLEET}.metrics_period_seconds", 20, "one of 10, 30, 60"),
    (f"{FLEET}.serverless", {"memory": 1}, "cannot be rolled out by weight"),
    (f"{FLEET}.shadow", True, "Way out: remove shadow:, and write rollout.strategy: shadow"),
    (f"{FLEET}.min_instances", "two", "write it in digits, without quotation marks or a unit"),
    (f"{FLEET}.min_instances", 1.4, "round it to 1"),
    (f"{FLEET}.min_instances", None, "write a whole number after the colon"),
    (f"{FLEET}.network_isolation", "yes", "write true or false, without quotation marks"),
    (f"{FLEET}.image", "serving", "write each field on a line of its own, indented"),
    (f"{FLEET}.image.dockerfile", [], "Way out: choose one"),
    (f"{FLEET}.zzz", 1, "Way out: remove zzz:"),
    (f"{FLEET}.kms_key_id", "alias/x", "local NVMe"),
    (f"{FLEET}.instance_typ", "ml.g5.xlarge", "did you mean instance_type?"),
    ("endpoints[0].alarms.bad_periods", 4, "only 3 periods"),
    ("endpoints[0].alarms.of_periods", 8641, "from 1 to 100"),
    ("endpoints[0].alarms.error_rate_percent", 101, "from 0 to 100"),
    ("endpoints[0].rollout.steps", [{"weight": 10, "bake_seconds": 60}], "never reaches 100"),
    ("endpoints[0].rollout.steps[0].weight", 60, "weights must rise"),
    ("endpoints[0].rollout.steps[0].bake_seconds", 29, "it must be at least 30"),
    ("endpoints[0].rollout.soak_seconds", 10, "it must be at least 30"),
    ("endpoints[0].rollout.progress_deadline_seconds", 100, "room for the time that instances take"),
    ("endpoints[0].rollout.stepz", [], "did you mean steps?"),
    ("endpoints[0].rollout.deadline_seconds", 300, "did you mean progress_deadline_seconds?"),
    ("endpoints[0].rollout.strategy", "blue-gren", "did you mean blue-green?"),
    ("endpoints[0].rollout.steps[0].weight", "10 %", "write it in digits"),
    ("endpoints[0].rollout.steps[0].weight", 0.5, "round it to 1"),
    ("endpoints[0].rollout.steps[0].weight", float("inf"), "write it in digits"),
    ("endpoints[0].rollout.steps", [], "[] is not allowed; the strategy canary needs at least one"),
    ("endpoints[0].rollout.windows", [{"days": ["Friday"], "start": "08:00", "end": "12:00"}], "did you mean fri?"),
    ("endpoints[0].rollout.windows", [{"days": ["WED"], "start": "08:00", "end": "12:00"}], "did you mean wed?"),
    ("endpoints[0].rollout.timezone", "Europe/Entenhausen", "write one such as Europe/Berlin, or UTC"),
    ("endpoints[0].image_repositories", ["docker.io/x"], "an ECR repository"),
    ("endpoints[0].bootstrap.version", "1.0", "write it like 1.0.0"),
    ("endpoints[0].name", "Rain", "lower-case"),
    ("endpoints", [], "at least one entry"),
    ("endpoints", "rain", "it must be a list"),
    ("environment", "prod", "the name of the file"),
    ("account", 123456789012, "in quotation marks"),
    ("account", "1234", 'write it like "123456789012"'),
    ("region", "eu-west-1", "account and region are given together"),
    ("log_retention_days", 2, "one of 1, 3, 5"),
    ("retain_data", "yes", "true or false"),
    ("reserved_concurrency", 3, "raise it to 4"),
    ("alert_emails", ["nobody"], "an e-mail address"),
    ("retain_data", True, "worth telling somebody"),
]


@pytest.mark.parametrize(("path", "value", "reason"), WRONG)
def test_wrong_field_is_named_with_its_reason(tmp_path, path, value, reason):
    found = problems(edited(tmp_path, path, value))
    assert any(reason in problem for problem in found), found
    assert all(". Way out: " in problem for problem in found)
    area = path.split(".")[0].split("[")[0]
    assert all(area in problem or "account" in problem for problem in found)


def named(body: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the file's content with one endpoint for each name."""
    (rain,) = body["endpoints"]
    return {**body, "endpoints": [{**rain, "name": name} for name in names]}


def test_more_endpoints_than_a_rule_can_name_are_refused(tmp_path):
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    names = [f"e{number}" for number in range(40)]
    (problem,) = problems(written(tmp_path, yaml.safe_dump(named(body, *names))))
    room = re.search(r"the alarms of (\d+) find room", problem)
    assert room, problem
    fitting = named(body, *names[: int(room[1])])
    assert len(load_environment("dev", written(tmp_path, yaml.safe_dump(fitting))).endpoints) >= 8


def test_a_role_whose_name_would_be_too_long_is_refused(tmp_path):
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    body |= {"account": "123456789012", "region": "xx-somewhereveryfarfromhere-1"}
    assert load_environment("dev", written(tmp_path, yaml.safe_dump(body))).region == body["region"]
    (problem,) = problems(written(tmp_path, yaml.safe_dump(named(body, "abcdefghijklmnopqrstu"))))
    assert "longer than the 64 characters" in problem


def test_error_names_path_value_and_way_out(tmp_path):
    (problem,) = problems(edited(tmp_path, f"{FLEET}.image.dockerfile", "Dockerfile.cpu"))
    assert problem.startswith(
        "endpoints[0].fleet.image.dockerfile: 'Dockerfile.cpu' is not allowed; ml.g5.xlarge is a GPU"
    )
    assert problem.endswith("Way out: write Dockerfile.gpu, or choose another instance type")


def test_missing_field_is_named(tmp_path):
    assert problems(edited(tmp_path, f"{FLEET}.instance_type", ...)) == [
        "endpoints[0].fleet.instance_type: nothing stands there; it is required. Way out: add instance_type:"
    ]


def test_all_problems_are_told_at_once(tmp_path):
    folder = edited(tmp_path, f"{FLEET}.capture", "on")
    body = yaml.safe_load((folder / "dev.yaml").read_text())
    body["retain"] = True
    body["endpoints"][0]["alarms"]["min_requests"] = "ten"
    found = problems(written(folder, yaml.safe_dump(body)))
    assert [problem.split(":")[0] for problem in found] == [
        "retain",
        "endpoints[0].fleet.capture",
        "endpoints[0].alarms.min_requests",
    ]


def test_cpu_instances_take_no_driver(tmp_path):
    value = "al2023-ami-sagemaker-inference-gpu-4-1"
    (problem,) = problems(edited(tmp_path, f"{FLEET}.inference_ami_version", value, "local"), "local")
    assert "has no GPU" in problem


@pytest.mark.parametrize("second", ["rain", "rain-dev-x"])
def test_endpoints_whose_resources_could_be_confused_are_refused(tmp_path, second):
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    body["endpoints"].append(body["endpoints"][0] | {"name": second})
    assert any("could not be told from" in problem for problem in problems(written(tmp_path, yaml.safe_dump(body))))


def test_off_is_a_word_not_false(tmp_path):
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    (rain,) = body["endpoints"]
    del rain["rollout"]["judge"], rain["monitoring"], rain["retraining"]  # they work on what is captured
    text = yaml.safe_dump(body).replace("capture: sagemaker", "capture: off")
    assert load_environment("dev", written(tmp_path, text)).endpoints[0].fleet.captures is False


def test_field_that_stands_twice_is_refused(tmp_path):
    text = (ENVIRONMENTS / "dev.yaml").read_text() + "retain_data: true\n"
    (problem,) = problems(written(tmp_path, text))
    assert "retain_data" in problem
    assert "twice" in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "account: null\nendpoints: [",
            r"line 2, column 13: 'endpoints: \[' is not allowed; it is not YAML: .*expected",
        ),
        ("account: a: b", r"line 1, column 11: 'account: a: b' is not allowed; it is not YAML: mapping values"),
        ("x: 2026-13-45", r"line 1, column 4: 'x: 2026-13-45' is not allowed; it is not YAML: month must be"),
        ("x: !!int a", r"line 1, column 4: .* it is not YAML: invalid literal"),
        ("? [1]", r"line 1, column 3: .* it is not YAML: this is no name of a field"),
        ("account: \x07", "character 10: '#x0007' is not allowed; it is not YAML: .*Way out: remove it"),
    ],
)
def test_what_is_not_yaml_is_refused_by_its_line(tmp_path, text, problem):
    assert re.match(problem, problems(written(tmp_path, text))[0])


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "dev.yaml").write_bytes("team: Zürich".encode("latin-1"))
    assert problems(tmp_path) == ["byte 8: '0xfc' is not allowed; the file is not UTF-8. Way out: save it as UTF-8"]


def test_unknown_environment_lists_the_known():
    with pytest.raises(ConfigError, match="the environments are dev, local, loop, prod, staging"):
        load_environment("production")


@pytest.mark.parametrize("block", ["monitoring", "retraining"])
def test_a_block_with_nothing_below_it_is_not_taken_for_left_out(tmp_path, block):
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    body["endpoints"][0][block] = None
    (tmp_path / "dev.yaml").write_text(yaml.safe_dump(body))
    with pytest.raises(
        ConfigError, match=rf"{block}: nothing stands there; there is nothing below it\. Way out: .* {{}}"
    ):
        load_environment("dev", tmp_path)
