"""Functions as integrations and authorizers: invoked if their policy lets the API, and for so long only."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

from localcloud.errors import AwsError
from localcloud.services.api_gateway.gateway_errors import broken, timed_out, too_large
from localcloud.services.functions.invocation import Outcome
from localcloud.services.functions.pool import ThrottledError

_log = logging.getLogger(__name__)
_THREADS = 96
_LONGEST = 6 * 1024 * 1024

Invoke = Callable[[str, bytes], Outcome]
Refusal = Callable[[str, str], str | None]


class Functions:
    """Invokes functions on behalf of APIs.

    Parameters
    ----------
    invoke
        Invokes a function by ARN, of a version or alias too.
    refusal
        Returns why the policy of a function (by ARN) does not let an API (by source ARN) invoke it; None if it does.
    """

    def __init__(self, invoke: Invoke, refusal: Refusal) -> None:
        self._invoke = invoke
        self._refusal = refusal
        self._threads = ThreadPoolExecutor(_THREADS, "localcloud-api")

    def call(self, arn: str, source_arn: str, payload: bytes, seconds: float) -> Outcome:
        """Return how the invocation ended; raise `GatewayError` if it could not begin, or takes too long."""
        refusal = self._refusal(arn, source_arn)
        if refusal is not None:
            _log.warning("Invalid permissions on Lambda function: %s", refusal)
            raise broken(500, "API_CONFIGURATION_ERROR")
        if len(payload) > _LONGEST:
            raise too_large("Request Too Long")
        try:
            # The function is not stopped by the caller's impatience: it runs on, as on AWS.
            return self._threads.submit(self._invoke, arn, payload).result(seconds)
        except FutureTimeoutError:
            raise timed_out() from None
        except ThrottledError:
            raise broken(500) from None
        except AwsError as error:
            _log.warning("the function %s cannot be invoked: %s", arn, error)
            raise broken(500, "API_CONFIGURATION_ERROR") from error

    def close(self) -> None:
        """Take no more invocations."""
        self._threads.shutdown(wait=False, cancel_futures=True)
