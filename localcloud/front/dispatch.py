"""The way of an API call: identify, authorise, answer."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localcloud.credentials import CredentialStore, Principal, current_principal
from localcloud.errors import AwsError, NotSimulatedError
from localcloud.front.authorizer import Authorizer
from localcloud.front.calls import Call, Environ, identify
from localcloud.front.moto_store import ALLOWED, MotoStore
from localcloud.front.protocols import Answer, answer, error_answer, parameters
from localcloud.front.validation import validate
from localcloud.service import Handler, Service

_log = logging.getLogger(__name__)
_GLOBAL_SERVICES = ("iam", "sts", "s3")

# Services that speak, or spoke, the query protocol, whose own checks of parameters have another code.
_QUERY_SERVICES = ("cloudwatch", "elasticache", "sts")

RawHandler = Callable[[Call], Answer]
Check = Callable[[Mapping[str, Any]], None]


class Dispatcher:
    """Answers API calls from services of our own first, then from moto, and refuses all others by name.

    Parameters
    ----------
    store
        moto.
    credentials
        Tells who calls.
    authorizer
        Tells whether the caller may.
    region
        The only region there is.
    """

    def __init__(self, store: MotoStore, credentials: CredentialStore, authorizer: Authorizer, region: str) -> None:
        self._store = store
        self._credentials = credentials
        self._authorizer = authorizer
        self._region = region
        self._owned: dict[str, Handler] = {}
        self._raw: dict[str, RawHandler] = {}
        self._checks: dict[str, Check] = {}

    def own(self, services: Iterable[Service]) -> None:
        """Answer the operations of `services`; a later service takes over what an earlier one has."""
        for service in services:
            for operation, handler in service.operations().items():
                self._owned[f"{service.name}:{operation}"] = handler

    def relay(self, name: str, handler: RawHandler) -> None:
        """Let `handler` answer ``service:Operation`` from the raw request."""
        self._raw[name] = handler

    def check(self, name: str, check: Check) -> None:
        """Hold the parameters of ``service:Operation`` against `check` before it is answered."""
        self._checks[name] = check

    def operations(self) -> dict[str, list[str]]:
        """Return the operations that are answered, by service: all others are refused by name."""
        names = {*self._owned, *(f"{service}:{name}" for service, names in ALLOWED.items() for name in names)}
        found: dict[str, list[str]] = {}
        for service, name in sorted(full.split(":") for full in names):
            found.setdefault(service, []).append(name)
        return found

    def answer(self, environ: Environ, body: bytes) -> Answer:
        """Answer one request; whatever goes wrong is an answer too."""
        call, content_type = None, environ.get("CONTENT_TYPE", "")
        try:
            call = identify(environ, body)
            return self._answer(call)
        except AwsError as error:
            return error_answer(call, _in_terms_of(call, error), content_type)
        except Exception as error:
            _log.exception("%s failed in the local cloud itself", call.name if call else environ.get("PATH_INFO"))
            return error_answer(call, AwsError("InternalFailure", f"localcloud: {error!r}", 500), content_type)

    def _answer(self, call: Call) -> Answer:
        self._check_region(call)
        principal = self._credentials.principal(call.access_key, call.token)
        current_principal.set(principal)
        handler = self._owned.get(call.name)
        if handler is not None:
            return self._answer_owned(call, principal, handler)
        if not principal.is_admin or call.name in self._checks:
            self._check_relayed(call, principal)
        return self._raw.get(call.name, self._store.call)(call)

    def _answer_owned(self, call: Call, principal: Principal, handler: Handler) -> Answer:
        params = parameters(call)
        self._authorizer.check_call(principal, call.name, params)
        validate(params, call.model.input_shape)
        self._check_params(call, params)
        return answer(call, handler(params))

    def _check_relayed(self, call: Call, principal: Principal) -> None:
        params = parameters(call)
        self._authorizer.check_call(principal, call.name, params)
        self._check_params(call, params)

    def _check_params(self, call: Call, params: Mapping[str, Any]) -> None:
        if call.name in self._checks:
            self._checks[call.name](params)

    def _check_region(self, call: Call) -> None:
        if call.region not in (None, self._region) and call.service not in _GLOBAL_SERVICES:
            raise NotSimulatedError(f"region {call.region!r} (this cloud is {self._region})")


def _in_terms_of(call: Call | None, error: AwsError) -> AwsError:
    """Return a refusal under the code and status that the service's protocol gives it."""
    if error.code == "ValidationException" and call is not None and call.service in _QUERY_SERVICES:
        return AwsError("ValidationError", error.message)
    if error.code != "AccessDeniedException" or call is None:
        return error
    if call.protocol in ("query", "rest-xml"):
        code = "AuthorizationError" if call.service == "sns" else "AccessDenied"
        return AwsError(code, error.message, 403)
    return AwsError(error.code, error.message, 403 if call.protocol == "rest-json" else 400)
