"""The deployer: cloud assemblies in, stacks out."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.deploy.actions import Actions, Catalogue
from localcloud.deploy.assembly import StackArtifact, read_assembly
from localcloud.deploy.assets import ImageRegistry, Publisher
from localcloud.deploy.blueprint import Blueprint
from localcloud.deploy.bootstrap import ensure_version
from localcloud.deploy.catalogue import resource_type
from localcloud.deploy.deployment import Deployment
from localcloud.deploy.errors import AssemblyError, DeployFailedError, ResourceFailedError, StackStateError
from localcloud.deploy.errors import TemplateError as TemplateError
from localcloud.deploy.graph import ordered
from localcloud.deploy.names import stack_arn
from localcloud.deploy.parameters import dynamic_references, parameter_values, ssm_reader
from localcloud.deploy.references import LiveResources, check_exports, check_name, importer
from localcloud.deploy.removal import Doomed, remove, summary
from localcloud.deploy.report import Progress, Reporter, Watch, harmless
from localcloud.deploy.scope import Access, CallbackUrl
from localcloud.deploy.service import CloudFormationService
from localcloud.deploy.state import StackState
from localcloud.deploy.template import Template, parse_template
from localcloud.deploy.validation import validate

__all__ = ["DeployFailedError", "Deployer", "Progress", "StackResult"]

_SETTLED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
_GONE = {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"}


@dataclass(frozen=True)
class StackResult:
    """What became of one stack.

    Parameters
    ----------
    name, status
        The stack and its status.
    changes
        Logical id and ``create``, ``update``, ``replace`` or ``delete`` of everything touched; empty when nothing was.
    outputs
        The stack's outputs.
    warnings
        What did not go as wished and failed nothing, such as a replaced resource that could not be deleted.
    elapsed
        Seconds.
    """

    name: str
    status: str
    changes: tuple[tuple[str, str], ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    elapsed: float = 0.0


class Deployer:
    """Deploys and destroys the stacks of cloud assemblies, and remembers them.

    Parameters
    ----------
    client
        Gives a boto3 client, with administrator's credentials, for a service name.
    images
        Where container image assets are registered.
    account, region
        Of the cloud.
    callback_url
        Takes a token, returns a URL for a custom resource's answer and what waits for that answer.
    pause
        Sleeps between looks at something that takes time.
    catalogue
        Gives the resource type of a name.
    """

    def __init__(
        self,
        client: Callable[[str], Any],
        images: ImageRegistry,
        *,
        account: str,
        region: str,
        callback_url: CallbackUrl,
        pause: Callable[[float], None] = time.sleep,
        catalogue: Catalogue = resource_type,
    ) -> None:
        self._access = Access(client, account, region, callback_url, pause)
        self._images = images
        self._catalogue = catalogue
        self._stacks: dict[str, StackState] = {}
        self._busy = threading.Lock()

    def deploy(self, assembly: Path | str, progress: Watch = lambda _: None) -> list[StackResult]:
        """Deploy every stack of the assembly, in the order in which they depend on one another.

        All templates are checked before anything is touched.

        Raises
        ------
        DeployFailedError
            A stack failed; it has been rolled back, and the stacks before it stay as deployed.
        """
        with self._alone():
            artifacts = read_assembly(Path(assembly))
            templates = [self._checked(artifact) for artifact in artifacts]
            watch = harmless(progress)
            return [self._deploy(*pair, watch) for pair in zip(artifacts, templates, strict=True)]

    def destroy(self, target: Path | str | Sequence[str], progress: Watch = lambda _: None) -> list[StackResult]:
        """Delete the stacks of an assembly (a path) or those named (a list), what was deployed last first.

        Raises
        ------
        DeployFailedError
            A resource could not be deleted; the stack is ``DELETE_FAILED`` and can be destroyed again.
        """
        with self._alone():
            names = self._names(target)
            doomed = [stack for name, stack in reversed(self._stacks.items()) if name in names]
            watch = harmless(progress)
            return [self._destroy(stack, watch) for stack in doomed]

    def stacks(self) -> dict[str, Any]:
        """Return all stacks as JSON, by name."""
        return {name: stack.public() for name, stack in list(self._stacks.items())}

    def service(self) -> CloudFormationService:
        """Return CloudFormation's read operations over these stacks."""
        return CloudFormationService(self._stacks)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            raise StackStateError("another deploy or destroy is in progress")
        try:
            yield
        finally:
            self._busy.release()

    def _checked(self, artifact: StackArtifact) -> Template:
        here = (self._access.account, self._access.region)
        for wanted, ours in zip((artifact.account, artifact.region), here, strict=True):
            if wanted not in (ours, "unknown-account", "unknown-region"):
                raise AssemblyError(f"stack {artifact.name} is for {wanted}, but this cloud is {'/'.join(here)}")
        template = parse_template(artifact.template)
        validate(artifact.name, template, self._catalogue)
        return template

    def _names(self, target: Path | str | Sequence[str]) -> set[str]:
        if isinstance(target, Path | str):
            return {artifact.name for artifact in read_assembly(Path(target))}
        return set(target)

    def _deploy(self, artifact: StackArtifact, template: Template, progress: Watch) -> StackResult:
        began = time.monotonic()
        self._publish(artifact)
        stack = self._stacks.get(artifact.name)
        if stack is None or stack.status in _GONE:
            stack = self._new_stack(artifact.name)
        parameters = self._parameters(artifact, template, stack)
        if stack.template == artifact.template and stack.parameters == parameters and stack.tags == artifact.tags:
            return StackResult(stack.name, stack.status, outputs=stack.outputs, elapsed=time.monotonic() - began)
        deployment = self._run(stack, artifact, template, parameters, Reporter(stack, progress))
        return StackResult(
            stack.name,
            stack.status,
            tuple(deployment.changes),
            stack.outputs,
            tuple(deployment.warnings),
            time.monotonic() - began,
        )

    def _publish(self, artifact: StackArtifact) -> None:
        if artifact.bootstrap_parameter:
            ensure_version(self._access.client("ssm"), artifact.bootstrap_parameter, artifact.bootstrap_version)
        for manifest in artifact.asset_manifests:
            Publisher(self._access, self._images).publish(manifest)

    def _new_stack(self, name: str) -> StackState:
        access = self._access
        identifier = stack_arn(access.partition, access.region, access.account, name)
        return StackState(name, identifier, created_at=time.time())

    def _parameters(self, artifact: StackArtifact, template: Template, stack: StackState) -> dict[str, Any]:
        access = self._access
        pseudo = {
            "AWS::AccountId": access.account,
            "AWS::Region": access.region,
            "AWS::Partition": access.partition,
            "AWS::URLSuffix": access.url_suffix,
            "AWS::StackName": stack.name,
            "AWS::StackId": stack.id,
            "AWS::NotificationARNs": [],
        }
        return {**parameter_values(template.parameters, artifact.parameters, ssm_reader(access.client)), **pseudo}

    def _run(
        self,
        stack: StackState,
        artifact: StackArtifact,
        template: Template,
        parameters: dict[str, Any],
        reporter: Reporter,
    ) -> Deployment:
        creating = stack.status == "REVIEW_IN_PROGRESS"
        imports: set[str] = set()
        deployment = Deployment(
            stack=stack,
            blueprint=Blueprint(
                template,
                parameters=parameters,
                resources=LiveResources(stack),
                import_value=importer(self._stacks, stack.name, imports),
                dynamic=dynamic_references(ssm_reader(self._access.client)),
            ),
            actions=Actions(self._access, self._catalogue, stack, reporter),
            tags=dict(artifact.tags),
            check_name=lambda kind, name, logical_id: self._check_name(stack, kind, name, logical_id),
            check_exports=lambda exports: check_exports(self._stacks, stack.name, stack.exports, exports),
            creating=creating,
        )
        self._begin(stack, reporter, creating)
        deployment.run()
        stack.template, stack.parameters, stack.tags = dict(artifact.template), parameters, dict(artifact.tags)
        stack.imports, stack.updated_at = frozenset(imports), None if creating else time.time()
        return deployment

    def _begin(self, stack: StackState, reporter: Reporter, creating: bool) -> None:
        if creating:
            # Only now, so that a template that CloudFormation would refuse leaves no stack behind.
            self._stacks.pop(stack.name, None)
            self._stacks[stack.name] = stack
            reporter.stack("CREATE_IN_PROGRESS")
        elif stack.status not in _SETTLED:
            raise StackStateError(f"stack {stack.name} is {stack.status} and cannot be updated; destroy it first")

    def _check_name(self, stack: StackState, kind: str, name: str, logical_id: str) -> None:
        holder = check_name(self._stacks, self._catalogue(kind), kind, name, (stack.name, logical_id))
        if holder:
            raise ResourceFailedError(f"{logical_id}: {kind} {name} already exists in stack {holder}")

    def _destroy(self, stack: StackState, progress: Watch) -> StackResult:
        began = time.monotonic()
        check_exports(self._stacks, stack.name, stack.exports, {})
        reporter = Reporter(stack, progress)
        reporter.stack("DELETE_IN_PROGRESS")
        order = reversed(ordered({name: state.dependencies for name, state in stack.resources.items()}))
        doomed = [Doomed(stack.resources[name], stack.resources[name].deletion_policy) for name in order]
        failed = remove(Actions(self._access, self._catalogue, stack, reporter), doomed)
        changes = tuple((entry.state.logical_id, "delete") for entry in doomed if not entry.kept)
        stack.resources = {name: state for name, state in stack.resources.items() if name in failed}
        if failed:
            reporter.stack("DELETE_FAILED", summary(failed))
            raise DeployFailedError(stack.name, stack.status, summary(failed))
        reporter.stack("DELETE_COMPLETE")
        del self._stacks[stack.name]
        return StackResult(stack.name, "DELETE_COMPLETE", changes, elapsed=time.monotonic() - began)
