"""Permissions of Lambda's operations."""

from localcloud.front.permissions import Params, Rule, Scope, Table, anywhere, on

_COLONS_OF_A_PLAIN_FUNCTION = 6


def _function(params: Params, scope: Scope) -> str:
    """Return the function as policies must name it: with a qualifier exactly if the request carries one.

    A permission on ``function:name`` is none on ``function:name:$LATEST``, and one on ``function:name:*`` "requires
    that the function name is `name` and includes a version number or alias" (Lambda's guide, resources and conditions).
    """
    name = str(params["FunctionName"])
    arn = name if name.startswith("arn:") else scope.arn("lambda", f"function:{name.rpartition('function:')[2]}")
    qualifier = params.get("Qualifier")
    return f"{arn}:{qualifier}" if qualifier and arn.count(":") == _COLONS_OF_A_PLAIN_FUNCTION else arn


def _whole_function(params: Params, scope: Scope) -> str:
    """Return the function without a qualifier: what is done to its versions and aliases is allowed on the function."""
    return ":".join(_function(params, scope).split(":")[: _COLONS_OF_A_PLAIN_FUNCTION + 1])


def _qualified(operation: str) -> Rule:
    return on(f"lambda:{operation}", _function)


def _unqualified(operation: str) -> Rule:
    return on(f"lambda:{operation}", _whole_function)


LAMBDA: Table = {
    "lambda:Invoke": on("lambda:InvokeFunction", _function),
    **{
        f"lambda:{name}": _qualified(name)
        for name in (
            "GetFunction",
            "GetFunctionConfiguration",
            "GetPolicy",
            "PutProvisionedConcurrencyConfig",
            "GetProvisionedConcurrencyConfig",
            "DeleteProvisionedConcurrencyConfig",
        )
    },
    **{
        f"lambda:{name}": _unqualified(name)
        for name in (
            "PublishVersion",
            "ListVersionsByFunction",
            "CreateAlias",
            "UpdateAlias",
            "GetAlias",
            "DeleteAlias",
            "ListAliases",
            "ListProvisionedConcurrencyConfigs",
            "GetFunctionConcurrency",
        )
    },
    "lambda:ListFunctions": anywhere("lambda:ListFunctions"),
}
