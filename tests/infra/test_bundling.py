"""The Lambda asset and the model's archive are the same from the same input, and built only when that changes."""

import ast
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from stacks.bundling import AWS_SERVICES, BundlingError, archive_model, bundle_functions, gather_job
from stacks.config import ROOT


class FakePip:
    """Unpacks a package with what pip leaves behind, and counts how often it is asked."""

    def __init__(self):
        self.runs = 0

    def __call__(self, requirements: Path, folder: Path) -> None:
        self.runs += 1
        content = {
            "thing.py": "value = 1\n",
            "__pycache__/thing.pyc": f"run {self.runs}",
            "bin/thing": "#!/somewhere/python",
            "thing-1.0.dist-info/METADATA": "Name: thing",
            "thing-1.0.dist-info/RECORD": f"run {self.runs}",
            "thing-1.0.dist-info/INSTALLER": "pip",
            "botocore/data/endpoints.json": "{}",
            "botocore/data/sagemaker/service-2.json": "{}",
            "botocore/data/ec2/service-2.json": "{}",
        }
        for name, text in content.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "lambdas" / "rollout").mkdir(parents=True)
    (tmp_path / "lambdas" / "requirements.txt").write_text("thing==1.0\n")
    (tmp_path / "lambdas" / "rollout" / "tick.py").write_text("def handler(event, context): ...\n")
    return tmp_path


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_asset_holds_code_and_packages_and_nothing_else(repository):
    assert set(files(bundle_functions(repository, FakePip()))) == {
        "botocore/data/endpoints.json",
        "botocore/data/sagemaker/service-2.json",
        "lambdas/rollout/tick.py",
        "thing-1.0.dist-info/METADATA",
        "thing.py",
    }


def test_same_input_gives_the_same_asset(repository):
    pip = FakePip()
    first = bundle_functions(repository, pip)
    before = files(first)
    shutil.rmtree(repository / "build")
    os.utime(repository / "lambdas" / "rollout" / "tick.py", (0, 0))
    second = bundle_functions(repository, pip)
    assert pip.runs == 2
    assert (second, files(second)) == (first, before)


def test_changed_code_makes_another_asset_without_pip(repository):
    pip = FakePip()
    first = bundle_functions(repository, pip)
    (repository / "lambdas" / "rollout" / "tick.py").write_text("def handler(event, context): pass\n")
    second = bundle_functions(repository, pip)
    assert second != first
    assert "pass" in (second / "lambdas" / "rollout" / "tick.py").read_text()
    assert pip.runs == 1


def test_changed_requirements_run_pip_again(repository):
    pip = FakePip()
    first = bundle_functions(repository, pip)
    (repository / "lambdas" / "requirements.txt").write_text("thing==1.1\n")
    assert bundle_functions(repository, pip) != first
    assert pip.runs == 2


def test_failed_install_leaves_nothing_behind(repository):
    def fail(requirements, folder):
        (folder / "half.py").write_text("")
        raise BundlingError("no index")

    with pytest.raises(BundlingError):
        bundle_functions(repository, fail)
    assert not any((repository / "build" / "lambda").iterdir())
    assert bundle_functions(repository, FakePip()).is_dir()


def test_real_packages_are_pure_python_and_start_here():
    folder = bundle_functions(ROOT)
    assert not [path for path in folder.rglob("*") if path.suffix in (".so", ".pyc", ".pyd")]
    script = (
        "import boto3, aws_lambda_powertools; boto3.client('sagemaker', region_name='us-east-1'); print(boto3.__file__)"
    )
    environment = {"PYTHONPATH": str(folder), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith(str(folder)), done.stderr


def test_time_zones_are_shipped():
    """Lambda's image may have none, and a laptop's own must not stand in for them here."""
    script = (
        "import zoneinfo; zoneinfo.reset_tzpath(())\n"
        "from lambdas.rollout.policy import Policy, Window\n"
        "windows = (Window(('mon',), '08:00', '09:00'),)\n"
        "policy = Policy(60, 600, 'blue-green', windows=windows, timezone='Europe/Berlin')\n"
        "import tzdata; print(policy.opens_at(0.0), tzdata.__file__)"
    )
    folder = bundle_functions(ROOT)
    environment = {"PYTHONPATH": str(folder), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], env=environment, capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.stdout.split() == ["370800.0", str(folder / "tzdata" / "__init__.py")], done.stderr


def test_every_service_that_the_functions_call_is_shipped():
    called = {
        call.args[0].value
        for path in (ROOT / "lambdas").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", getattr(call.func, "attr", "")) in ("client", "Lazy")
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert called <= set(AWS_SERVICES)


def test_model_archive_is_the_same_from_the_same_files(tmp_path):
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    (model / "model.onnx").write_bytes(b"weights")
    (model / "code" / "extra.json").write_text("{}")
    first = archive_model(model, tmp_path / "one")
    os.utime(model / "model.onnx", (0, 0))
    (model / "model.onnx").chmod(0o600)
    second = archive_model(model, tmp_path / "two")
    assert first.read_bytes() == second.read_bytes()
    assert first.parent.name == second.parent.name
    with tarfile.open(fileobj=io.BytesIO(first.read_bytes())) as archive:
        assert archive.getnames() == ["code/extra.json", "model.onnx"]
    (model / "model.onnx").write_bytes(b"other weights")
    assert archive_model(model, tmp_path / "one").parent.name != first.parent.name


def test_ready_archive_is_taken_as_it_is(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.tar.gz").write_bytes(b"packed")
    (model / "model_card.json").write_text("{}")
    assert archive_model(model, tmp_path / "build").read_bytes() == b"packed"


def test_missing_model_is_named(tmp_path):
    with pytest.raises(BundlingError, match=r"bootstrap\.folder"):
        archive_model(tmp_path / "nowhere", tmp_path)


def test_a_baseline_is_no_part_of_its_model(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.onnx").write_bytes(b"weights")
    before = archive_model(model, tmp_path / "build")
    (model / "baseline.json").write_text("{}")
    assert archive_model(model, tmp_path / "build") == before


JOB = {
    "lambdas/__init__.py": "",
    "lambdas/contract.py": "",
    "lambdas/monitoring/profile/bins.py": "edges = 1",
    "model_containers/__init__.py": "",
    "model_containers/counting/Dockerfile": "FROM scratch",
    "model_containers/counting/__main__.py": "print()",
    "model_containers/counting/requirements.txt": "",
}
ELSEWHERE = (
    "README.md",
    "lambdas/monitoring/adapters/s3.py",
    "lambdas/monitoring/handlers/monitor.py",
    "lambdas/rollout/state.py",
    "model_containers/counting/data/rows.csv",
    "model_containers/counting/__pycache__/x.pyc",
    "model_containers/counting/pipeline.json",
    "model_containers/serving/app.py",
)


@pytest.fixture
def jobs(tmp_path):
    for name in (*JOB, *ELSEWHERE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(JOB.get(name, ""))
    return tmp_path


def test_a_job_image_is_made_from_its_own_files_and_what_counts(jobs):
    assert set(files(gather_job("counting", jobs))) == set(JOB)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_other_file_makes_another_job_image(jobs, name):
    before = gather_job("counting", jobs)
    (jobs / name).write_text("changed")
    assert gather_job("counting", jobs) == before


@pytest.mark.parametrize("name", JOB)
def test_each_of_its_files_makes_another_job_image(jobs, name):
    before = gather_job("counting", jobs)
    (jobs / name).write_text("changed")
    assert gather_job("counting", jobs) != before


def test_a_container_that_cannot_be_built_is_named(jobs):
    (jobs / "model_containers" / "counting" / "Dockerfile").unlink()
    with pytest.raises(BundlingError, match=r"there is no .*counting/Dockerfile, and jobs run in its image"):
        gather_job("counting", jobs)


@pytest.mark.parametrize("container", ["monitoring", "training"])
def test_whatever_a_job_image_copies_is_in_its_context(container):
    context = gather_job(container, ROOT)
    dockerfile = (context / "model_containers" / container / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in dockerfile.splitlines() if line.startswith("COPY ")]
    sources = [source for words in copied for source in words if not source.startswith("--")]
    assert sources
    assert [source for source in sources if not (context / source).exists()] == []
