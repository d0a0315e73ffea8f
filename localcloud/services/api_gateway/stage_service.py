"""API Gateway's API for deployments and stages."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from localcloud.errors import NotSimulatedError
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, refuse_others
from localcloud.services.api_gateway.paging import page
from localcloud.services.api_gateway.patches import Converter, Operation, patched, segments, truth
from localcloud.services.api_gateway.problems import bad_request, conflict
from localcloud.services.api_gateway.rest_api import Apis, Record, RestApi, Stage

Params = Mapping[str, Any]

_DEPLOYMENT = dict.fromkeys(
    ("restApiId", "stageName", "stageDescription", "description", "variables", "tracingEnabled"), ANY
)
_STAGE = dict.fromkeys(
    ("restApiId", "stageName", "deploymentId", "description", "variables", "tracingEnabled", "tags"), ANY
)
_STAGE_PATCHES: dict[str, Converter] = {
    "deploymentId": str,
    "description": str,
    "variables/*": str,
    "tracingEnabled": truth,
    "accessLogSettings/destinationArn": str,
    "accessLogSettings/format": str,
    "accessLogSettings": str,
}
_METHOD_PATCHES: dict[str, tuple[str, Converter]] = {
    "throttling/rateLimit": ("throttlingRateLimit", float),
    "throttling/burstLimit": ("throttlingBurstLimit", lambda text: int(float(text))),
    "metrics/enabled": ("metricsEnabled", truth),
    "logging/loglevel": ("loggingLevel", str),
    "logging/dataTrace": ("dataTraceEnabled", truth),
    "caching/enabled": ("cachingEnabled", truth),
}
_METHOD_DEFAULTS = {"metricsEnabled": False, "loggingLevel": "OFF", "dataTraceEnabled": False, "cachingEnabled": False}
_LOG_GROUP = ":log-group:"
_LOGS = "accessLogSettings"
_REQUEST_IDS = re.compile(r"\$context\.(requestId|extendedRequestId)\b")


class StageService(Service):
    """Deployments, which are snapshots, and stages, which serve them.

    Parameters
    ----------
    apis
        Where APIs are kept.
    flush
        Forgets what authorizers answered for a stage.
    """

    name: ClassVar[str] = "apigateway"

    def __init__(self, apis: Apis, flush: Callable[[str, str], None]) -> None:
        self._apis = apis
        self._flush = flush

    @operation("CreateDeployment")
    def create_deployment(self, params: Params) -> Record:
        """Take a snapshot of an API, and serve it at a stage if one is named."""
        refuse_others("apigateway:CreateDeployment", params, _DEPLOYMENT)
        api = self._api(params)
        made = api.deploy(params.get("description"))
        if params.get("stageName"):
            self._serve(api, params, made.record["id"])
        return made.record

    def _serve(self, api: RestApi, params: Params, deployment_id: str) -> None:
        name = params["stageName"]
        if name in api.stages:
            self._replace(api, {**api.stages[name].record, "deploymentId": deployment_id})
            return
        given = {key: params[key] for key in ("variables", "tracingEnabled") if key in params}
        if params.get("stageDescription"):
            given["description"] = params["stageDescription"]
        self.create_stage({"restApiId": api.id, "stageName": name, "deploymentId": deployment_id, **given})

    @operation("GetDeployment")
    def get_deployment(self, params: Params) -> Record:
        """Return what is told of a snapshot."""
        return self._api(params).deployment(params["deploymentId"]).record

    @operation("GetDeployments")
    def get_deployments(self, params: Params) -> Record:
        """Return all deployments."""
        return page([each.record for each in self._api(params).deployments.values()], params)

    @operation("UpdateDeployment")
    def update_deployment(self, params: Params) -> Record:
        """Change a deployment's description."""
        found = self._api(params).deployment(params["deploymentId"])
        found.record.update(patched(found.record, params.get("patchOperations", []), {"description": str}))
        return found.record

    @operation("DeleteDeployment")
    def delete_deployment(self, params: Params) -> None:
        """Delete a snapshot that no stage serves."""
        api, deployment_id = self._api(params), params["deploymentId"]
        api.deployment(deployment_id)
        if any(stage.snapshot.deployment_id == deployment_id for stage in api.stages.values()):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[deployment_id]

    @operation("CreateStage")
    def create_stage(self, params: Params) -> Record:
        """Serve a snapshot."""
        refuse_others("apigateway:CreateStage", params, _STAGE)
        api, name = self._api(params), params["stageName"]
        if name in api.stages:
            raise conflict("Stage already exists")
        now = time.time()
        record = {"methodSettings": {}, "tracingEnabled": False, "cacheClusterEnabled": False, "createdDate": now}
        record.update((key, value) for key, value in params.items() if key != "restApiId")
        return self._replace(api, record)

    @operation("GetStage")
    def get_stage(self, params: Params) -> Record:
        """Return a stage."""
        return self._api(params).stage(params["stageName"]).record

    @operation("GetStages")
    def get_stages(self, params: Params) -> Record:
        """Return the stages of an API, or of one of its deployments."""
        wanted = params.get("deploymentId")
        records = [stage.record for stage in self._api(params).stages.values()]
        return {"item": [record for record in records if wanted in (None, record["deploymentId"])]}

    @operation("UpdateStage")
    def update_stage(self, params: Params) -> Record:
        """Change a stage; it serves its new snapshot from the next request on."""
        api, operations = self._api(params), params.get("patchOperations", [])
        plain = [each for each in operations if not _of_method(each)]
        changed = patched(api.stage(params["stageName"]).record, plain, _STAGE_PATCHES)
        for each in operations:
            if _of_method(each):
                _patch_method(changed["methodSettings"], each)
        self._check_access_log(changed)
        return self._replace(api, changed)

    @operation("DeleteStage")
    def delete_stage(self, params: Params) -> None:
        """Serve a snapshot no longer."""
        api = self._api(params)
        api.stage(params["stageName"])
        del api.stages[params["stageName"]]
        self._flush(api.id, params["stageName"])

    @operation("FlushStageAuthorizersCache")
    def flush_authorizers(self, params: Params) -> None:
        """Forget what authorizers answered."""
        self._flush(params["restApiId"], params["stageName"])

    def _api(self, params: Params) -> RestApi:
        return self._apis.get(params["restApiId"])

    @staticmethod
    def _replace(api: RestApi, record: Record) -> Record:
        record["lastUpdatedDate"] = time.time()
        api.stages[record["stageName"]] = Stage(record, api.deployment(record["deploymentId"]).snapshot)
        return record

    def _check_access_log(self, record: Record) -> None:
        settings = record.get("accessLogSettings")
        if not settings:
            record.pop("accessLogSettings", None)
            return
        if _LOG_GROUP not in settings.get("destinationArn", _LOG_GROUP):
            raise NotSimulatedError(f"access logs to {settings['destinationArn']} (here only to log groups)")
        if "cloudwatchRoleArn" not in self._apis.account:
            raise bad_request("CloudWatch Logs role ARN must be set in account settings to enable logging")
        if not _REQUEST_IDS.search(settings.get("format", "$context.requestId")):
            raise bad_request(
                "Access Log format must contain at least $context.requestId or $context.extendedRequestId"
            )


def _of_method(operation_: Operation) -> bool:
    parts = segments(str(operation_["path"]))
    return "/".join(parts[-2:]) in _METHOD_PATCHES or (len(parts) == 2 and parts[0] not in ("variables", _LOGS))


def _patch_method(settings: dict[str, Record], change: Operation) -> None:
    """Change, or remove, the settings of a method, which are under ``resource path/HTTP method``."""
    parts = segments(str(change["path"]))
    if len(parts) == 2 and change.get("op") == "remove":
        settings.pop("/".join(parts), None)
        return
    name, convert = _METHOD_PATCHES.get("/".join(parts[-2:]), ("", str))
    if not name or len(parts) != 4:
        raise bad_request(f"Invalid method setting path: {change['path']}")
    entry = settings.setdefault(f"{parts[0]}/{parts[1]}", dict(_METHOD_DEFAULTS))
    entry[name] = convert(str(change.get("value", "")))
    if entry["cachingEnabled"]:
        raise NotSimulatedError("caching of a stage's methods")
