"""All that an endpoint's front door is made of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint
from stacks.constructs.front_door.api import Api
from stacks.constructs.front_door.batches import Batches
from stacks.constructs.front_door.clients import ApiKeys
from stacks.constructs.front_door.documents import settings_of
from stacks.constructs.front_door.erasure import Erasure
from stacks.constructs.front_door.firewall import Firewall
from stacks.constructs.front_door.jobs import JobWork
from stacks.constructs.front_door.live_function import LiveFunction
from stacks.constructs.front_door.permissions import FrontDoorPermissions
from stacks.constructs.front_door.prediction_audit import PredictionAudit
from stacks.constructs.front_door.prediction_stream import PredictionStream
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.front_door.switches import Switches
from stacks.constructs.front_door.valkey_cache import ValkeyCache
from stacks.constructs.model_archive import ModelArchive, bootstrap_signature

_ANSWER_SECONDS = 28
"""Before API Gateway gives up, which it does after 29."""

_MARGIN_SECONDS = 8
"""Beyond what the model may take: for the cache, a second try and a cold start's own calls."""

_AUTHORIZE_SECONDS = 10
_TRUSTED_SECONDS = 300
"""For which what a token says is not asked again; a token that is withdrawn works for so long."""


class FrontDoor(Construct):
    """API, functions and what they keep, of one endpoint.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    endpoint
        The endpoint as its environment's file has it.
    root
        The repository's folder.
    """

    def __init__(self, scope: Construct, construct_id: str, *, shared: Shared, endpoint: Endpoint, root: Path) -> None:
        super().__init__(scope, construct_id)
        assert endpoint.front_door is not None
        self._shared, self._endpoint, self._door = shared, endpoint, endpoint.front_door
        self._name = endpoint.full_name(shared.environment.environment)
        self._switches = self._switched()
        self._bootstrap = ModelArchive(self, "Bootstrap", bootstrap=endpoint.bootstrap, root=root)
        self._signature = bootstrap_signature(self, "Signature", endpoint.bootstrap, root)
        self._permissions = FrontDoorPermissions(
            shared,
            self._name,
            self._switches,
            self._signature,
            keyed=self._door.serves_batches,
            in_memory=self._door.keeps_in_memory,
        )
        self._keys = self._api_keys()
        self._cache = self._in_memory()
        self._settings = self._rendered()
        self._predict = self._predicting()
        self._jobs = self._job_work()
        self._stream = self._streaming()
        self._run_batches()
        api = self._api()
        if self._keys is not None:
            self._keys.admit(api.stage)
        Firewall(self, "Firewall", name=self._name, stage=api.stage, requests=self._door.firewall_requests)
        self._tell_operators(api, self._write_down())

    def _switched(self) -> Switches | None:
        emptying = self._shared.emptying
        if not self._door.switches or emptying is None:
            return None
        return Switches(self, "Switches", name=self._name, door=self._door, emptying=emptying)

    def _api_keys(self) -> ApiKeys | None:
        """Clients known by IAM need none: nothing would ask for it."""
        if self._door.auth == "iam":
            return None
        return ApiKeys(
            self,
            "Clients",
            endpoint_name=self._name,
            clients=self._door.clients,
            named_by_tokens=self._door.auth == "jwt",
        )

    def _in_memory(self) -> ValkeyCache | None:
        caching, network = self._door.cache, self._door.network
        if caching is None or network is None or not self._door.keeps_in_memory:
            return None
        return ValkeyCache(self, "Cache", shared=self._shared, name=self._name, caching=caching, network=network)

    def _rendered(self, cache: ValkeyCache | None = None) -> str:
        shown_by_key = self._keys is not None and self._door.auth == "api_key"
        return settings_of(
            Stack.of(self),
            endpoint_name=self._name,
            door=self._door,
            key_ids=self._keys.ids if self._keys is not None and shown_by_key else {},
            switches=self._switches,
            cache=cache.place if cache is not None else None,
        )

    @property
    def _variables(self) -> Mapping[str, str]:
        names = self._shared.names
        return {
            contract.ENV_FRONT_DOOR: self._settings,
            contract.ENV_TABLE: names.table,
            contract.ENV_INFERENCE_TABLE: self._shared.table.table_name,
            contract.ENV_ARTEFACT_BUCKET: names.artefact_bucket,
            contract.ENV_BOOTSTRAP_MODEL: self._bootstrap.url,
            **({contract.ENV_BOOTSTRAP_SIGNATURE: self._signature.s3_object_url} if self._signature else {}),
        }

    def _predicting(self) -> LiveFunction:
        function = LiveFunction(
            self,
            "Predict",
            shared=self._shared,
            endpoint=self._endpoint,
            handler="predict",
            description=f"Answers requests for predictions of {self._name}",
            # Jobs and streams wait for the model: only this function gives answers again.
            variables={**self._variables, contract.ENV_FRONT_DOOR: self._rendered(self._cache)},
            timeout=Duration.seconds(min(_ANSWER_SECONDS, self._door.timeout_seconds + _MARGIN_SECONDS)),
            memory_megabytes=self._door.memory_megabytes,
            provisioned=self._door.provisioned,
        )
        function.control.allow(*self._permissions.predict())
        if self._cache is not None:
            self._cache.admit(function.control)
        if self._door.keep_warm:
            function.keep_warm()
        return function

    def _job_work(self) -> JobWork | None:
        if self._door.jobs is None:
            return None
        return JobWork(
            self,
            "Jobs",
            shared=self._shared,
            endpoint=self._endpoint,
            door=self._door,
            jobs=self._door.jobs,
            permissions=self._permissions,
            variables=self._variables,
        )

    def _streaming(self) -> PredictionStream | None:
        if self._door.stream is None:
            return None
        return PredictionStream(
            self,
            "Stream",
            shared=self._shared,
            endpoint=self._endpoint,
            door=self._door,
            stream=self._door.stream,
            permissions=self._permissions,
            variables=self._variables,
        )

    def _run_batches(self) -> None:
        if self._door.batch is not None:
            Batches(
                self,
                "Batches",
                shared=self._shared,
                endpoint=self._endpoint,
                batches=self._door.batch,
                permissions=self._permissions,
                variables=self._variables,
            )

    def _api(self) -> Api:
        functions: dict[str, lambda_.Alias] = {"predict": self._predict.alias}
        if self._jobs is not None:
            functions["jobs"] = self._jobs.take.alias
        return Api(
            self,
            "Api",
            shared=self._shared,
            endpoint=self._endpoint,
            door=self._door,
            functions=functions,
            authorizer=self._authorizer() if self._door.auth == "jwt" else None,
        )

    def _authorizer(self) -> apigateway.RequestAuthorizer:
        function = LiveFunction(
            self,
            "Authorize",
            shared=self._shared,
            endpoint=self._endpoint,
            handler="authorize",
            description=f"Tells what the tokens of {self._name}'s callers say",
            variables={contract.ENV_FRONT_DOOR: self._settings},
            timeout=Duration.seconds(_AUTHORIZE_SECONDS),
        )
        return apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            handler=function.alias,
            identity_sources=[apigateway.IdentitySource.header("Authorization")],
            results_cache_ttl=Duration.seconds(_TRUSTED_SECONDS),
        )

    def _write_down(self) -> Erasure | None:
        declared = self._door.audit
        if declared is None:
            return None
        days = declared.retention_days
        audit = PredictionAudit(self, "Audit", shared=self._shared, name=self._name, retention_days=days)
        audit.take("Predictions", self._predict.control.function.log_group)
        if self._jobs is not None:
            audit.take("Jobs", self._jobs.work.function.log_group)
        if self._stream is not None:
            audit.take("Streamed", self._stream.work.function.log_group)
        return Erasure(self, "Erasure", shared=self._shared, name=self._name)

    def _tell_operators(self, api: Api, erasure: Erasure | None) -> None:
        places: dict[str, Any] = {}
        for part in (self._jobs, self._stream, self._switches, erasure):
            places |= part.places if part is not None else {}
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=contract.front_door_parameter(self._shared.environment.environment, self._name),
            description=f"Where the front door of {self._name} is",
            string_value=Stack.of(self).to_json_string(
                {
                    "url": api.rest.url,
                    "api": api.rest.rest_api_id,
                    "stage": api.stage.stage_name,
                    "auth": self._door.auth,
                    **places,
                }
            ),
        )
