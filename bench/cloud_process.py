"""The local cloud in a process of its own, as `python -m tidegate local up` has it: the process's side.

It deploys a cloud assembly, says in a line of JSON what a client needs, answers each line of its standard input with
what was noted meanwhile, and lives until that input ends.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.tape import Tape
from localcloud.cloud import LocalCloud
from localcloud.deploy.report import Progress
from localcloud.physics.settings import PhysicsSettings

WEIGHTS_SECONDS = 0.25
"""Waited for between any two rounds; long enough for `react` to see the endpoint still busy, and to stop there."""


def main(assembly: Path) -> None:
    """Run the cloud."""
    tape = Tape()
    tape.attach()
    with LocalCloud(settings=PhysicsSettings(weights_seconds=WEIGHTS_SECONDS)) as cloud:
        cloud.deployer.deploy(assembly, _show)
        _say({"environment": cloud.environment, "functions": _functions(cloud)})
        for line in sys.stdin:
            _say(tape.obey(line.strip()))


def _show(progress: Progress) -> None:
    _say({"progress": f"{progress.logical_id} {progress.status.lower().replace('_', ' ')}"})


def _functions(cloud: LocalCloud) -> dict[str, Any]:
    listed = cloud.client("lambda").list_functions()["Functions"]
    return {each["Handler"].split(".")[-2]: _function(cloud, each) for each in listed}


def _function(cloud: LocalCloud, listed: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function's name and the environment of its workers, role credentials included."""
    role = cloud.client("iam").get_role(RoleName=listed["Role"].rsplit("/", 1)[1])["Role"]
    minted = cloud.credentials.mint(role["Arn"], role["RoleId"], "bench")
    environment = {
        **cloud.environment,
        **listed["Environment"]["Variables"],
        "AWS_ACCESS_KEY_ID": minted.access_key_id,
        "AWS_SECRET_ACCESS_KEY": minted.secret_access_key,
        "AWS_SESSION_TOKEN": minted.session_token,
    }
    return {"name": listed["FunctionName"], "environment": environment}


def _say(message: Mapping[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
