"""How rollouts proceed: the strategies, and what their steps ask. Standard library only.

The templates render a policy into an endpoint's parameter and the engine reads it back, so its rules live here once.
"""

from lambdas.rollout.policy.checks import PolicyError
from lambdas.rollout.policy.judging import Answers, Judging
from lambdas.rollout.policy.policy import Policy
from lambdas.rollout.policy.smoke_test import MAX_SMOKE_BODY, SmokeTest
from lambdas.rollout.policy.step import FULL_SHARE, Hook, Step
from lambdas.rollout.policy.strategies import AbTest, Linear, Shadow
from lambdas.rollout.policy.windows import Window

__all__ = [
    "FULL_SHARE",
    "MAX_SMOKE_BODY",
    "AbTest",
    "Answers",
    "Hook",
    "Judging",
    "Linear",
    "Policy",
    "PolicyError",
    "Shadow",
    "SmokeTest",
    "Step",
    "Window",
]
