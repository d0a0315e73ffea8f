"""What Step Functions asks of roles and callers, beside the permission for the call itself."""

from localcloud.credentials import Principal, current_principal
from localcloud.errors import AwsError
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need, Scope
from localcloud.services.role_access import RoleAccess
from localcloud.services.workflows.definition import PROCESS, Definition
from localcloud.services.workflows.records import Machine

_STATES = "states.amazonaws.com"
_JOB_RULE = "rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule"
_LOG_DELIVERY = (
    "CreateLogDelivery",
    "DeleteLogDelivery",
    "DescribeLogGroups",
    "DescribeResourcePolicies",
    "GetLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "UpdateLogDelivery",
)
READ, START = ("kms:Decrypt",), ("kms:Decrypt", "kms:GenerateDataKey")


class Permissions:
    """Holds state machines' roles and callers against policies.

    Parameters
    ----------
    authorizer
        Reads the policies.
    roles
        Opens the roles' sessions.
    scope
        Account and region.
    """

    def __init__(self, authorizer: Authorizer, roles: RoleAccess, scope: Scope) -> None:
        self._authorizer = authorizer
        self._roles = roles
        self._scope = scope

    def check_role(self, role: str, definition: Definition, *, logs: bool) -> None:
        """Raise `AwsError` unless a role is Step Functions' to take, and may do what is set up with a state machine."""
        if not self._authorizer.may_assume(role, _STATES):
            message = f"Neither the global service principal {_STATES}, nor the regional one is authorized to assume "
            raise AwsError("AccessDeniedException", f"{message}the provided role {role}.")
        needs = []
        if PROCESS in definition.flow.resources():
            rule = self._scope.arn("events", _JOB_RULE)
            needs += [Need(f"events:{action}", rule) for action in ("DescribeRule", "PutRule", "PutTargets")]
        if logs:
            needs += [Need(f"logs:{action}", "*") for action in _LOG_DELIVERY]
        with self._roles.open(role, "create") as session:
            for need in needs:
                refusal = self._authorizer.refusal(session.credentials.principal, need)
                if refusal is not None:
                    what = "create managed-rule" if need.action.startswith("events") else "access the Log Destination"
                    raise AwsError("AccessDeniedException", f"{role} is not authorized to {what}: {refusal}")

    def check_caller(self, machine: Machine, actions: tuple[str, ...]) -> None:
        """Raise `AwsError` unless the caller may use the key of a state machine's data."""
        principal = current_principal.get(None)
        if machine.key is None or principal is None or principal.is_admin:
            return
        via: dict[str, str | list[str]] = {
            "kms:viaservice": f"states.{self._scope.region}.amazonaws.com",
            "kms:calleraccount": self._scope.account,
            "kms:encryptioncontext:aws:states:statemachinearn": machine.arn,
        }
        for action in actions:
            refusal = self._authorizer.refusal(principal, Need(action, machine.key, via))
            if refusal is not None:
                raise AwsError("KmsAccessDeniedException", refusal)

    def role_refusal(self, principal: Principal, machine: Machine) -> str | None:
        """Return why a state machine's role may not keep the data of its executions; None if it may."""
        context: dict[str, str | list[str]] = {"kms:encryptioncontext:aws:states:statemachinearn": machine.arn}
        needs = [Need(action, machine.key, context) for action in START] if machine.key else []
        return next(filter(None, (self._authorizer.refusal(principal, need) for need in needs)), None)

    def map_refusal(self, principal: Principal, machine: Machine) -> str | None:
        """Return why a role may not run a Map's items, which are executions; None if it may."""
        executions = machine.arn.replace(":stateMachine:", ":execution:")
        needs = [
            Need("states:StartExecution", machine.arn),
            *(Need(f"states:{action}", f"{executions}:any") for action in ("DescribeExecution", "StopExecution")),
        ]
        return next(filter(None, (self._authorizer.refusal(principal, need) for need in needs)), None)
