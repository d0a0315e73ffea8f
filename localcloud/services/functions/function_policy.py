"""The resource policy of a function: who but the account's own roles may invoke it."""

import json
from collections.abc import Mapping
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError


class FunctionPolicy:
    """Statements by their ids.

    Parameters
    ----------
    function_arn
        What the statements are about.
    """

    def __init__(self, function_arn: str) -> None:
        self._arn = function_arn
        self._statements: dict[str, dict[str, Any]] = {}

    def add(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Add the statement that AddPermission's parameters describe, and return it."""
        sid = params["StatementId"]
        if sid in self._statements:
            raise AwsError("ResourceConflictException", f"The statement id ({sid}) provided already exists.", 409)
        for unsupported in ("EventSourceToken", "PrincipalOrgID", "FunctionUrlAuthType"):
            if params.get(unsupported):
                raise NotSimulatedError(f"Lambda AddPermission parameter {unsupported}")
        statement = {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": _principal(params["Principal"]),
            "Action": params["Action"],
            "Resource": self._arn,
        }
        conditions = _conditions(params)
        self._statements[sid] = {**statement, "Condition": conditions} if conditions else statement
        return self._statements[sid]

    def remove(self, sid: str) -> None:
        """Remove a statement."""
        if self._statements.pop(sid, None) is None:
            raise AwsError("ResourceNotFoundException", f"Statement {sid} is not found in resource policy.", 404)

    def document(self) -> str | None:
        """Return the policy as JSON; None while it has no statements."""
        if not self._statements:
            return None
        statements = list(self._statements.values())
        return json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": statements})


def _principal(value: str) -> Any:
    if value == "*":
        return "*"
    if value.endswith(".amazonaws.com"):
        return {"Service": value}
    return {"AWS": f"arn:aws:iam::{value}:root" if value.isdigit() else value}


def _conditions(params: Mapping[str, Any]) -> dict[str, Any]:
    conditions: dict[str, Any] = {}
    if params.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    if params.get("SourceAccount"):
        conditions["StringEquals"] = {"AWS:SourceAccount": params["SourceAccount"]}
    return conditions
