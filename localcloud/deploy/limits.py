"""Where deployments here differ from CloudFormation's; the documentation shows this list beside `inert`'s."""

from localcloud.physics.limits import Limit

LIMITS: tuple[Limit, ...] = (
    Limit(
        "CloudFormation resource types and properties",
        "A type or property that is neither handled nor declared inert stops a deployment before anything is touched, "
        "with its name. Nested stacks, macros, transforms, hooks, stack sets and change sets are not handled.",
        "All types; change sets show what would happen.",
    ),
    Limit(
        "CloudFormation order",
        "One resource after another, one stack after another.",
        "Resources that do not depend on one another are worked on at the same time.",
    ),
    Limit(
        "CloudFormation permissions",
        "Deployments run as administrator: the roles of the CDK bootstrap stack, and service roles, are not assumed.",
        "They are, and what they lack fails the deployment.",
    ),
    Limit(
        "CloudFormation stack tags",
        "A stack's own tags reach its resources; CloudFormation's (aws:cloudformation:stack-name and others) are not "
        "added.",
        "They are added.",
    ),
    Limit(
        "CloudFormation clean-up",
        "What cannot be deleted after an update is left, with a warning, at the first failure.",
        "It is tried three times, then left.",
    ),
    Limit(
        "CDK bootstrap",
        "The assets bucket and the version parameter are made when a deployment needs them, and stay. Container images "
        "are not built: they start from their folder.",
        "`cdk bootstrap` makes a stack with them, and images are built by Docker.",
    ),
)
