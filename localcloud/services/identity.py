"""STS: who a caller is, and credentials of roles that trust it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from localcloud.credentials import CredentialStore, Principal, current_principal
from localcloud.errors import AwsError, NotSimulatedError
from localcloud.front.authorizer import Authorizer
from localcloud.front.stored_policies import RolePolicies
from localcloud.service import Service, operation


class IdentityService(Service):
    """Answers STS.

    Parameters
    ----------
    credentials
        Mints credentials.
    authorizer
        Reads trust policies.
    role
        Returns a role's policies by ARN; None if there is no such role.
    """

    name: ClassVar[str] = "sts"

    def __init__(
        self, credentials: CredentialStore, authorizer: Authorizer, role: Callable[[str], RolePolicies | None]
    ) -> None:
        self._credentials = credentials
        self._authorizer = authorizer
        self._role = role

    @operation("GetCallerIdentity")
    def get_caller_identity(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        """Return who makes the request."""
        caller = current_principal.get()
        return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}

    @operation("AssumeRole")
    def assume_role(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return credentials of a role, whose policies they are then held against."""
        if params.get("Policy") or params.get("PolicyArns"):
            raise NotSimulatedError("AssumeRole with a session policy")
        role_arn, session = params["RoleArn"], params["RoleSessionName"]
        role = self._role(role_arn)
        self._check_trust(role_arn, role, current_principal.get())
        role_id = role.role_id if role is not None else ""
        minted = self._credentials.mint(role_arn, role_id, session, params.get("DurationSeconds", 3600))
        return {
            "Credentials": {
                "AccessKeyId": minted.access_key_id,
                "SecretAccessKey": minted.secret_access_key,
                "SessionToken": minted.session_token,
                "Expiration": datetime.fromtimestamp(minted.expires_at, UTC),
            },
            "AssumedRoleUser": {"AssumedRoleId": minted.principal.user_id, "Arn": minted.principal.arn},
        }

    def _check_trust(self, role_arn: str, role: RolePolicies | None, caller: Principal) -> None:
        """Refuse roles that are not there, or do not trust the caller; the administrator may try out any role."""
        if role is None or not (caller.is_admin or self._authorizer.trusts(role_arn, caller)):
            message = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
            raise AwsError("AccessDenied", message, 403)
