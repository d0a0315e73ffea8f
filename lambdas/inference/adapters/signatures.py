"""What the models of an endpoint take, from the `signature.json` beside each.

It is looked up once and then kept in the front doors' table, so that functions which start later need one read.

Needs sagemaker:DescribeModelPackage on the endpoint's model packages; sagemaker:DescribeEndpointConfig and
sagemaker:DescribeModel for versions that are in no registry; s3:GetObject (and kms:Decrypt) on `signature.json` in the
artefact bucket's folders of the endpoint's models, and on the bootstrap model's asset.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from lambdas import contract
from lambdas.inference.adapters.clients import Lazy
from lambdas.inference.ports import Log, Table
from lambdas.inference.signature import Signature
from lambdas.inference.view import Served
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import PermanentError, RetryableError, TidegateError

SORT_KEY = "SIGNATURE"
FILE_NAME = "signature.json"
KNOWN_SECONDS = 30 * 86_400
"""A version's signature never changes; the item goes once nobody has looked for it anew in so long."""

UNKNOWN_SECONDS = 300.0
"""After so long it is looked for again by a function that has not found it."""

UNREAD_SECONDS = 10.0
"""After so long it is looked for again by one that could not look: every look makes a request wait."""

_CONNECT, _READ = 0.5, 1.0
_PACKAGE = ":model-package/"
_ABSENT = frozenset({"NoSuchKey", "404"})


def quick(service: str) -> Lazy:
    """Return a client for what is looked up once, while somebody waits."""
    return Lazy(service, connect=_CONNECT, read=_READ)


def partition(endpoint: str, model_key: str) -> str:
    """Return the partition key of a model's signature."""
    return f"SIGNATURE#{endpoint}#{model_key}"


class RecordedSignatures:
    """Implements `lambdas.inference.ports.Signatures`.

    Parameters
    ----------
    endpoint
        SageMaker name of the endpoint.
    table, log
        Where signatures are kept, and where it is said what went wrong.
    sagemaker, s3
        Return the services' clients.
    now
        Returns epoch seconds.
    """

    def __init__(
        self,
        endpoint: str,
        table: Table,
        log: Log,
        sagemaker: Callable[[], Any],
        s3: Callable[[], Any],
        now: Callable[[], float],
    ) -> None:
        self._endpoint = endpoint
        self._table = table
        self._log = log
        self._sagemaker = sagemaker
        self._s3 = s3
        self._now = now
        self._known: dict[str, Signature] = {}
        self._unknown_until: dict[str, float] = {}

    def of(self, served: Served) -> Signature | None:
        """Return what a version takes; None when that is not known, and its own container says it."""
        if served.key in self._known:
            return self._known[served.key]
        if self._now() < self._unknown_until.get(served.key, 0.0):
            return None
        found, seconds = None, UNKNOWN_SECONDS
        try:
            found = self._looked_up(served)
        except (TidegateError, KeyError, TypeError, ValueError) as error:
            seconds = UNREAD_SECONDS if isinstance(error, RetryableError) else UNKNOWN_SECONDS
            self._log.warning(
                f"what {served.version} takes is not known, so that its container says it: {type(error).__name__}: "
                f"{error}"
            )
        if found is None:
            self._unknown_until[served.key] = self._now() + seconds
        else:
            self._known[served.key] = found
        return found

    def _looked_up(self, served: Served) -> Signature | None:
        text = self._kept(served.key) or self._found(served)
        return Signature.from_document(json.loads(text)) if text else None

    def _kept(self, model_key: str) -> str:
        try:
            item = self._table.get(partition(self._endpoint, model_key), SORT_KEY)
        except TidegateError:
            return ""  # it is only a copy
        return str(item["document"]) if item is not None else ""

    def _found(self, served: Served) -> str:
        text = self._beside(self._model_url(served))
        if text:
            self._keep(served.key, text)
        return text

    def _keep(self, model_key: str, text: str) -> None:
        item = {
            contract.TABLE_PARTITION_KEY: partition(self._endpoint, model_key),
            contract.TABLE_SORT_KEY: SORT_KEY,
            "document": text,
            contract.TABLE_EXPIRY: int(self._now()) + KNOWN_SECONDS,
        }
        try:
            self._table.put(item)
        except TidegateError as error:
            self._log.warning(f"a signature could not be kept: {error}")

    def _model_url(self, served: Served) -> str:
        with translated():
            if _PACKAGE in served.key:
                package = self._sagemaker().describe_model_package(ModelPackageName=served.key)
                containers = package.get("InferenceSpecification", {}).get("Containers") or [{}]
                return str(containers[0].get("ModelDataUrl", ""))
            config = self._sagemaker().describe_endpoint_config(EndpointConfigName=served.key.rpartition("@")[2])
            model = self._sagemaker().describe_model(ModelName=_variant(config, served.slot)["ModelName"])
            return str(model.get("PrimaryContainer", {}).get("ModelDataUrl", ""))

    def _beside(self, model_url: str) -> str:
        bucket, _, key = _place(model_url).removeprefix("s3://").partition("/")
        if not bucket or not key:
            return ""
        from botocore.exceptions import ClientError

        with translated():
            try:
                return str(self._s3().get_object(Bucket=bucket, Key=key)["Body"].read().decode())
            except ClientError as error:
                if code_of(error) in _ABSENT:
                    return ""
                raise


def _variant(config: Mapping[str, Any], slot: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = next(
        (each for each in config["ProductionVariants"] if each["VariantName"] == slot), None
    )
    if found is None:
        raise PermanentError(f"{config.get('EndpointConfigName')} has no variant {slot}")
    return found


def _place(model_url: str) -> str:
    """Return where a model's signature lies: beside it, but for the bootstrap model, which lies among the assets."""
    if model_url and model_url == os.environ.get(contract.ENV_BOOTSTRAP_MODEL):
        return os.environ.get(contract.ENV_BOOTSTRAP_SIGNATURE, "")
    return f"{model_url.rpartition('/')[0]}/{FILE_NAME}" if "/" in model_url else ""
