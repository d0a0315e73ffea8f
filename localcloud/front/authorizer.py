"""The decision whether a caller may do something, from all policies that have a say."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from localcloud.credentials import Principal
from localcloud.errors import AwsError
from localcloud.front.iam import Access, Caller, Verdict, identity_verdict, resource_verdict
from localcloud.front.permissions import Need, Scope, needs_of
from localcloud.front.stored_policies import StoredPolicies
from localcloud.physics.scalable import KINDS

# What a request does with the customer's key of the resource that it touches.
_KEY_ACTIONS = {
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
    "s3:PutObject": ("kms:GenerateDataKey",),
    "s3:GetObject": ("kms:Decrypt",),
    "s3:GetObjectVersion": ("kms:Decrypt",),
    **{
        f"dynamodb:{name}": ("kms:Decrypt",)
        for name in (
            "GetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "Query",
            "Scan",
            "ConditionCheckItem",
            "BatchGetItem",
            "BatchWriteItem",
        )
    },
}
_SCALING_LINKED_ROLES = {kind.namespace: kind.role_arn for kind in KINDS.values()}


class Authorizer:
    """Holds requests against identity, resource and key policies.

    Parameters
    ----------
    stored
        Policies of roles, queues, topics, buckets and keys.
    functions
        Returns the resource policy of a function, by ARN.
    scope
        Account and region.
    """

    def __init__(self, stored: StoredPolicies, functions: Callable[[str], str | None], scope: Scope) -> None:
        self._stored = stored
        self._functions = functions
        self._scope = scope
        self._linked_roles: set[str] = set()

    def check_call(self, principal: Principal, name: str, params: Mapping[str, Any]) -> None:
        """Raise `AwsError` unless the caller may make the API call ``service:Operation``."""
        if not principal.is_admin:
            for need in needs_of(name, params, self._scope):
                self.check(principal, need)
        if name == "application-autoscaling:RegisterScalableTarget":
            self._ensure_linked_role(principal, str(params.get("ServiceNamespace")))

    def check(self, principal: Principal, need: Need) -> None:
        """Raise `AwsError` unless the role may do what is needed, and use the key that guards the resource."""
        refusal = self.refusal(principal, need)
        if refusal is not None:
            raise AwsError("AccessDeniedException", refusal)

    def refusal(self, principal: Principal, need: Need) -> str | None:
        """Return why a role may not do something; None if it may."""
        need = self._of_the_key_itself(need)
        for item in (need, *self._key_needs(need)):
            reason = self._role_refusal(principal, item)
            if reason is not None:
                who = f"User: {principal.arn} is not authorized to perform: {item.action} on resource: {item.resource}"
                return f"{who} {reason}"
        return None

    def service_refusal(self, service: str, need: Need, source_arn: str) -> str | None:
        """Return why an AWS service may not act on a resource on behalf of `source_arn`; None if it may."""
        caller = Caller(self._scope.account, service=service)
        context = {
            "aws:sourcearn": source_arn,
            "aws:sourceaccount": self._scope.account,
            "aws:sourceowner": self._scope.account,
            "aws:principalservicename": service,
            "aws:principalisawsservice": "true",
        }
        for item in (need, *self._key_needs(need)):
            access = Access(item.action, item.resource, self._context({**context, **item.context}))
            verdict, _ = resource_verdict(self._resource_policy(item.resource), access, caller)
            if verdict is not Verdict.ALLOWED:
                return f"the policy of {item.resource} does not let {service} perform {item.action} for {source_arn}"
        return None

    def may_assume(self, role_arn: str, service: str, source_arn: str = "") -> bool:
        """Whether a role's trust policy lets an AWS service assume it, where it says so for a resource of its own."""
        role = self._stored.role(role_arn)
        if role is None:
            return False
        source = {"aws:sourceaccount": self._scope.account, **({"aws:sourcearn": source_arn} if source_arn else {})}
        access = Access("sts:AssumeRole", role_arn, self._context(source))
        return resource_verdict(role.trust, access, Caller(self._scope.account, service=service))[0] is Verdict.ALLOWED

    def trusts(self, role_arn: str, principal: Principal) -> bool:
        """Whether a role's trust policy lets a caller assume it."""
        role = self._stored.role(role_arn)
        if role is None:
            return False
        access = Access("sts:AssumeRole", role_arn, self._context(_identity_context(principal)))
        verdict, delegated = resource_verdict(role.trust, access, self._caller(principal))
        return verdict is Verdict.ALLOWED or (verdict is Verdict.SILENT and delegated)

    def _role_refusal(self, principal: Principal, need: Need) -> str | None:
        role = self._stored.role(principal.role_arn or "")
        documents, boundary = (role.documents, role.boundary) if role else ((), None)
        known = {**_identity_context(principal), **self._of_key(need), **need.context}
        access = Access(need.action, need.resource, self._context(known))
        by_identity = identity_verdict(documents, access)
        by_resource, delegated = resource_verdict(self._resource_policy(need.resource), access, self._caller(principal))
        if Verdict.DENIED in (by_identity, by_resource):
            kind = "an identity-based" if by_identity is Verdict.DENIED else "a resource-based"
            return f"with an explicit deny in {kind} policy"
        if boundary is not None and identity_verdict([boundary], access) is not Verdict.ALLOWED:
            return f"because no permissions boundary allows the {need.action} action"
        if need.action.startswith("kms:") and by_resource is Verdict.SILENT and not delegated:
            return f"because no resource-based policy allows the {need.action} action"
        if Verdict.ALLOWED in (by_identity, by_resource):
            return None
        return f"because no identity-based policy allows the {need.action} action"

    def _resource_policy(self, arn: str) -> str | None:
        if arn.startswith("arn:aws:lambda:"):
            return self._functions(arn)
        return self._stored.resource_policy(arn) if arn.startswith("arn:") else None

    def _of_the_key_itself(self, need: Need) -> Need:
        """Return the need of a key that is named by an alias: permissions are those on the key."""
        key = self._stored.key_of_alias(need.resource) if ":alias/" in need.resource else None
        return replace(need, resource=key) if key is not None else need

    def _key_needs(self, need: Need) -> list[Need]:
        actions = _KEY_ACTIONS.get(need.action, ())
        key = self._stored.customer_key(need.resource) if actions else None
        if key is None:
            return []
        service = need.resource.split(":")[2]
        via = {
            "kms:viaservice": f"{service}.{self._scope.region}.amazonaws.com",
            "kms:calleraccount": self._scope.account,
        }
        return [Need(action, key, via) for action in actions]

    def _of_key(self, need: Need) -> dict[str, str | list[str]]:
        """Return the aliases of the key that something is asked of."""
        return {"kms:resourcealiases": self._stored.aliases(need.resource)} if need.action.startswith("kms:") else {}

    def _ensure_linked_role(self, principal: Principal, namespace: str) -> None:
        """Create a service-linked role of autoscaling at its first use, as AWS does on the caller's behalf."""
        role = _SCALING_LINKED_ROLES.get(namespace)
        if role is None or namespace in self._linked_roles:
            return
        if not principal.is_admin:
            arn = role(self._scope.account)
            self.check(principal, Need("iam:CreateServiceLinkedRole", arn, {"iam:awsservicename": arn.split("/")[2]}))
        self._linked_roles.add(namespace)

    def _caller(self, principal: Principal) -> Caller:
        return Caller(self._scope.account, principal.role_arn, principal.arn)

    def _context(self, extra: Mapping[str, str | list[str]]) -> dict[str, str | list[str]]:
        """Return the condition keys of a request; loopback counts as a secure transport."""
        return {
            "aws:securetransport": "true",
            "s3:tlsversion": "1.3",
            "aws:requestedregion": self._scope.region,
            "aws:currenttime": datetime.now(UTC).isoformat(),
            **extra,
        }


def _identity_context(principal: Principal) -> dict[str, str | list[str]]:
    return {
        "aws:principalarn": principal.role_arn or principal.arn,
        "aws:principalaccount": principal.account,
        "aws:userid": principal.user_id,
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false",
    }
