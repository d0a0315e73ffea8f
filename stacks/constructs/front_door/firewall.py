"""What is refused before it reaches the API."""

from typing import Any

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

_COMMON = "AWSManagedRulesCommonRuleSet"
_MANAGED = (_COMMON, "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList")
_COUNTED = ("SizeRestrictions_BODY", "NoUserAgent_HEADER")
_FIVE_MINUTES = 300

_Rule = waf.CfnWebACL.RuleProperty
_Statement = waf.CfnWebACL.StatementProperty


class Firewall(Construct):
    """A web ACL of AWS's managed rules and of a limit per address, in front of a stage.

    Two of the common rules only count: one refuses bodies of more than 8 KB, which rows easily have, and the API bounds
    them itself; the other refuses callers without a User-Agent, as some programs are. Of a body the rules see the first
    16 KB.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    name
        Name of the endpoint, for its metrics.
    stage
        What it stands in front of.
    requests
        What one address may send in five minutes.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, stage: apigateway.Stage, requests: int
    ) -> None:
        super().__init__(scope, construct_id)
        rules = [self._per_address(name, requests), *(_managed(*each) for each in enumerate(_MANAGED, start=1))]
        acl = waf.CfnWebACL(
            self,
            "Rules",
            scope="REGIONAL",
            description=f"What may not reach the API of {name}",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_seen(f"{name}-firewall"),
            rules=rules,
        )
        association = waf.CfnWebACLAssociation(
            self, "Association", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn
        )
        association.node.add_dependency(stage)

    @staticmethod
    def _per_address(name: str, requests: int) -> Any:
        limit = waf.CfnWebACL.RateBasedStatementProperty(
            aggregate_key_type="IP", limit=requests, evaluation_window_sec=_FIVE_MINUTES
        )
        return _Rule(
            name="RequestsOfOneAddress",
            priority=0,
            action=waf.CfnWebACL.RuleActionProperty(block={}),
            statement=_Statement(rate_based_statement=limit),
            visibility_config=_seen(f"{name}-rate"),
        )


def _managed(priority: int, group: str) -> Any:
    count = waf.CfnWebACL.RuleActionProperty(count={})
    counted = [waf.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=count) for rule in _COUNTED]
    rules = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS", name=group, rule_action_overrides=counted if group == _COMMON else None
    )
    return _Rule(
        name=group,
        priority=priority,
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        statement=_Statement(managed_rule_group_statement=rules),
        visibility_config=_seen(group),
    )


def _seen(metric: str) -> Any:
    # Samples hold requests' headers, tokens and keys among them.
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=False
    )
