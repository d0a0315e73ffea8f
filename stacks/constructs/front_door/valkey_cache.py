"""A cache in memory for an endpoint's answers: ElastiCache Serverless for Valkey, in a network of the user's own."""

import hashlib
from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from constructs import Construct

from lambdas import contract
from stacks.config.caching import Caching, Network
from stacks.constructs.alert_topic import alert
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.permissions import allow

PORT = 6379
"""The port for reads alone, 6380, is not used: what was just kept is to be found."""

_HTTPS = 443
_FAILED_MINUTES, _OF_MINUTES = 3, 5
_ENGINE = "valkey"
_VERSION = "8"
_NAME_LIMIT = 40
_DIGEST = 8
_ANYWHERE = "0.0.0.0/0"

_Group = ec2.CfnSecurityGroup
_Cache = elasticache.CfnServerlessCache


class ValkeyCache(Construct):
    """The cache, the one user that may connect, by IAM, who can reach it, and an alarm on one that stays away.

    Of snapshots there are none: what is lost is asked of the model again. The user group holds no user `default`: only
    groups of the engine redis need one (aws-cdk's aws-elasticache-alpha refuses those without), and in one of valkey
    every user shows who it is (docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html).

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    name
        SageMaker name of the endpoint.
    caching, network
        How large it is, and where.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, shared: Shared, name: str, caching: Caching, network: Network
    ) -> None:
        super().__init__(scope, construct_id)
        self._name, self._network = name, network
        self._callers = self._group_of_callers()
        own = self._own_group()
        self._let_callers_reach(own)
        self._user = self._only_user()
        group = elasticache.CfnUserGroup(
            self, "Users", engine=_ENGINE, user_group_id=self._user.user_id, user_ids=[self._user.ref]
        )
        self._cache = _Cache(
            self,
            "Cache",
            # Another network makes another cache, which must not have the name of the one that it takes over from.
            serverless_cache_name=_short_name(name, network.vpc, *network.subnets),
            description=f"Answers of {name}",
            engine=_ENGINE,
            major_engine_version=_VERSION,
            # By a grant that ElastiCache takes in the name of whoever deploys; the functions need no key for this.
            kms_key_id=shared.key.key_arn,
            user_group_id=group.ref,
            security_group_ids=[own.attr_group_id],
            subnet_ids=list(network.subnets),
            snapshot_retention_limit=0,
            cache_usage_limits=_Cache.CacheUsageLimitsProperty(
                data_storage=_Cache.DataStorageProperty(unit="GB", maximum=caching.valkey_gigabytes),
                ecpu_per_second=_Cache.ECPUPerSecondProperty(maximum=caching.valkey_units_per_second),
            ),
        )

        self._tell_of_outages(shared.names.topic_arn)

    @property
    def place(self) -> Mapping[str, str]:
        """Return what a function must know to connect, as `lambdas.inference.settings.Valkey` reads it."""
        return {
            "host": self._cache.attr_endpoint_address,
            "port": self._cache.attr_endpoint_port,
            "name": self._cache.serverless_cache_name,
            "user": self._user.user_name,
        }

    def admit(self, function: ControlFunction) -> None:
        """Let a function run where the cache is, and connect to it."""
        function.run_in(self._network.subnets, self._callers.attr_group_id)
        function.allow(
            allow("ConnectToCache", ["elasticache:Connect"], [self._cache.attr_arn, self._user.attr_arn]),
        )

    def _tell_of_outages(self, topic_arn: str) -> None:
        """A time-out now and then is none; a cache that stays away leaves all requests to the model."""
        failures = cloudwatch.Metric(
            namespace=contract.METRIC_NAMESPACE,
            metric_name=contract.CACHE_FAILURES_METRIC,
            dimensions_map={contract.METRIC_ENDPOINT_DIMENSION: self._name},
            statistic="Sum",
            period=Duration.minutes(1),
        )
        alarm = cloudwatch.Alarm(
            self,
            "Away",
            alarm_description=(
                f"The cache of {self._name} does not answer, and requests go to the model: see the log of its front "
                "door; where it is throttled, raise cache.valkey_units_per_second"
            ),
            metric=failures,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=_OF_MINUTES,
            datapoints_to_alarm=_FAILED_MINUTES,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alert(alarm, topic_arn)

    def _only_user(self) -> elasticache.CfnUser:
        """Return the user; one that connects by IAM must have its id for a name, says ElastiCache's guide."""
        name = _short_name(self._name)
        return elasticache.CfnUser(
            self,
            "User",
            engine=_ENGINE,
            user_id=name,
            user_name=name,
            access_string=f"on ~{self._name}:* -@all +get +set",
            authentication_mode={"Type": "iam"},
        )

    def _group_of_callers(self) -> ec2.CfnSecurityGroup:
        services = _Group.EgressProperty(
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            cidr_ip=_ANYWHERE,
            description="AWS services, by endpoints of the VPC or a NAT gateway",
        )
        return self._group("Callers", f"Functions of the front door of {self._name}", egress=[services])

    def _own_group(self) -> ec2.CfnSecurityGroup:
        callers = _Group.IngressProperty(
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            source_security_group_id=self._callers.attr_group_id,
            description="The functions that use it",
        )
        # A group that names nothing may send everything, so it names what nobody sends; answers need no rule.
        nothing = _Group.EgressProperty(
            ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="Nothing"
        )
        return self._group("Reachable", f"Cache of answers of {self._name}", ingress=[callers], egress=[nothing])

    def _group(
        self,
        construct_id: str,
        description: str,
        *,
        egress: Sequence[ec2.CfnSecurityGroup.EgressProperty],
        ingress: Sequence[ec2.CfnSecurityGroup.IngressProperty] = (),
    ) -> ec2.CfnSecurityGroup:
        return _Group(
            self,
            construct_id,
            group_description=description,
            vpc_id=self._network.vpc,
            security_group_egress=list(egress),
            security_group_ingress=list(ingress) or None,
        )

    def _let_callers_reach(self, own: ec2.CfnSecurityGroup) -> None:
        ec2.CfnSecurityGroupEgress(
            self,
            "CallersReach",
            group_id=self._callers.attr_group_id,
            destination_security_group_id=own.attr_group_id,
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            description="The cache",
        )


def _short_name(name: str, *more: str) -> str:
    """Return a name as long as ElastiCache allows, which is another one for every `name` and `more`."""
    digest = hashlib.sha256("/".join((name, *more)).encode()).hexdigest()[:_DIGEST]
    return f"{name[: _NAME_LIMIT - _DIGEST - 1].rstrip('-')}-{digest}"
