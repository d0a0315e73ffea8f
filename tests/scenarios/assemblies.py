"""Cloud assemblies of environments, each synthesised once a run, whichever worker needs it first."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from stacks.config import Environment
from stacks.synth import app_context, use_bundled_node
from tests.once import once


class Assemblies:
    """Synthesises.

    Parameters
    ----------
    folder
        Where assemblies go; other processes may use it as well.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, environment: Environment) -> Path:
        """Return the environment's assembly, which is not to be changed."""
        name = self._folder / hashlib.sha256(repr(environment).encode()).hexdigest()[:20]
        with once(name) as first:
            if first:
                shutil.rmtree(name, ignore_errors=True)
                _synthesise(environment, name)
        return name

    def changed(self, environment: Environment, change: Callable[[Path], None]) -> Path:
        """Return a copy of the environment's assembly, edited by `change`."""
        copy = shutil.copytree(self.of(environment), self._new())
        change(copy)
        return copy

    def anew(self, environment: Environment) -> Path:
        """Return an assembly from templates that are not what they were."""
        output = self._new()
        _synthesise(environment, output)
        return output

    def _new(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._folder)) / "assembly"


def _synthesise(environment: Environment, output: Path) -> None:
    from aws_cdk import App  # takes seconds, so only where templates are needed

    from stacks.stage import TidegateStage

    use_bundled_node()
    os.environ["CDK_VALIDATION"] = "false"  # takes seconds, and `python -m stacks.gate` does it
    name = environment.environment
    app = App(context=app_context(name), outdir=str(output))
    TidegateStage(app, f"tidegate-{name}", environment=environment)
    app.synth()
