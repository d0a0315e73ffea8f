"""Who may call a method: nobody in particular, the account's roles, or whom an authorizer knows."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from localcloud.credentials import CredentialStore, Principal
from localcloud.errors import AwsError
from localcloud.front.calls import signature_of
from localcloud.front.iam import Access, Caller, Verdict, resource_verdict
from localcloud.front.permissions import Need
from localcloud.services.api_gateway.exchange import Exchange
from localcloud.services.api_gateway.gateway_errors import GatewayError, bad_authorizer, forbidden, no_route
from localcloud.services.api_gateway.lambda_authorizer import LambdaAuthorizers

_ACTION = "execute-api:Invoke"
_EXPLICITLY = "with an explicit deny"
Refusal = Callable[[Principal, Need], str | None]


class Authorization:
    """Lets requests in, or not.

    Parameters
    ----------
    credentials
        Tells whose an access key is.
    refusal
        Returns why a role may not do something; None if it may.
    authorizers
        Asks authorizers that are functions.
    account, region
        Where the APIs are.
    """

    def __init__(
        self, credentials: CredentialStore, refusal: Refusal, authorizers: LambdaAuthorizers, account: str, region: str
    ) -> None:
        self._credentials = credentials
        self._refusal = refusal
        self._authorizers = authorizers
        self._account = account
        self._region = region

    def check(self, exchange: Exchange) -> None:
        """Raise `GatewayError` unless the caller may call the method; note who it is."""
        kind = exchange.method["authorizationType"]
        if kind == "AWS_IAM":
            self._check_signed(exchange)
        elif kind == "CUSTOM":
            self._check_permit(exchange)
        else:
            self._check_anybody(exchange)

    def _check_anybody(self, exchange: Exchange) -> None:
        """Hold the caller, who is nobody, against the API's policy if it has one."""
        verdict = self._policy(exchange, Caller(""))
        if verdict not in (None, Verdict.ALLOWED):
            raise self._not_allowed(exchange, "anonymous", verdict is Verdict.DENIED)

    def _check_signed(self, exchange: Exchange) -> None:
        principal = self._principal(exchange)
        if principal.is_admin:
            return
        verdict = self._policy(exchange, Caller(self._account, principal.role_arn, principal.arn))
        refusal = self._refusal(principal, Need(_ACTION, exchange.arn))
        denied = verdict is Verdict.DENIED or (refusal is not None and _EXPLICITLY in refusal)
        if denied or (refusal is not None and verdict is not Verdict.ALLOWED):
            raise self._not_allowed(exchange, principal.arn, denied)

    def _check_permit(self, exchange: Exchange) -> None:
        authorizer = exchange.stage.snapshot.design.authorizers.get(exchange.method["authorizerId"])
        if authorizer is None:
            raise bad_authorizer()
        by_policy = self._policy(exchange, Caller(""))
        if by_policy is Verdict.DENIED:
            raise self._not_allowed(exchange, "anonymous", True)
        permit = self._authorizers.permit(exchange, authorizer)
        latency = exchange.context.pop("authorizer", {"integrationLatency": 0})
        exchange.context["authorizer"] = {**permit.context, "principalId": permit.principal, **latency}
        exchange.usage_key = permit.usage_key
        verdict = permit.verdict(exchange.arn, self._known())
        if verdict is Verdict.DENIED:
            raise forbidden(f"User is not authorized to access this resource {_EXPLICITLY}")
        if Verdict.ALLOWED not in (verdict, by_policy):
            raise forbidden("User is not authorized to access this resource")

    def _principal(self, exchange: Exchange) -> Principal:
        key, region, service, token = self._signature(exchange)
        if key is None:
            raise _unreadable(exchange)
        if (service, region) != ("execute-api", self._region):
            wanted = f"'execute-api' in '{self._region}', not '{service}' in '{region}'"
            message = f"Credential should be scoped to correct service: {wanted}."
            raise GatewayError("INVALID_SIGNATURE", message, error_type="InvalidSignatureException")
        try:
            principal = self._credentials.principal(key, token)
        except AwsError as error:
            raise _bad_credentials(error) from error
        exchange.context["identity"].update(
            accountId=principal.account,
            accessKey=key,
            caller=principal.user_id,
            user=principal.user_id,
            userArn=principal.arn,
        )
        return principal

    @staticmethod
    def _signature(exchange: Exchange) -> tuple[str | None, str | None, str | None, str | None]:
        try:
            return signature_of(dict(exchange.request.environ))
        except AwsError as error:
            raise _bad_credentials(error) from error

    def _policy(self, exchange: Exchange, caller: Caller) -> Verdict | None:
        """Return what the API's own policy says; None if it has none."""
        document = exchange.stage.snapshot.design.settings.get("policy")
        if not document:
            return None
        # A policy may leave out all but the end of the ARN, which AWS fills in when it is stored.
        full = str(document).replace('"execute-api:/', f'"{exchange.arn_prefix}{exchange.request.api_id}/')
        access = Access(_ACTION, exchange.arn, self._known())
        return resource_verdict(full, access, caller)[0]

    def _known(self) -> Mapping[str, str | list[str]]:
        return {
            "aws:securetransport": "true",
            "aws:requestedregion": self._region,
            "aws:currenttime": datetime.now(UTC).isoformat(),
        }

    def _not_allowed(self, exchange: Exchange, who: str, explicitly: bool) -> GatewayError:
        masked = exchange.arn.replace(f":{self._account}:", f":********{self._account[-4:]}:")
        end = f" {_EXPLICITLY}" if explicitly else ""
        return forbidden(f"User: {who} is not authorized to perform: {_ACTION} on resource: {masked}{end}")


def _unreadable(exchange: Exchange) -> GatewayError:
    """Return the error for a request without a signature, or with a header that is none."""
    header = exchange.request.header("authorization")
    if not header:
        return no_route()
    message = f"Authorization header requires 'Credential' parameter. Authorization={header}"
    return GatewayError("INVALID_SIGNATURE", message, error_type="IncompleteSignatureException")


def _bad_credentials(error: AwsError) -> GatewayError:
    expired = "xpired" in error.message
    kind = "EXPIRED_TOKEN" if expired else "INVALID_SIGNATURE"
    return GatewayError(kind, error.message, 403, error_type=error.code)
