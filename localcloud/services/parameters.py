"""Systems Manager's limits on the size of a parameter's value, which moto does not know."""

from collections.abc import Mapping
from typing import Any

from moto.ssm.models import ssm_backends

from localcloud.errors import AwsError

_MOST = {"Standard": 4096, "Advanced": 8192}
_PAGE = "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
_TOO_LONG = {
    "Standard": "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
    "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see " + _PAGE,
    "Advanced": "The specified parameter value is too large. Advanced-tier parameters support a maximum parameter "
    "value of 8192 characters.",
}
_DOWNGRADE = (
    "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier "
    "to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard "
    "parameter."
)


class ParameterTiers:
    """Holds values against the tier that they are put in.

    Parameters
    ----------
    account, region
        Whose parameters they are.
    """

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def check(self, params: Mapping[str, Any]) -> None:
        """Raise `AwsError` for a PutParameter whose value its tier does not hold."""
        present = self._present_tier(str(params["Name"]))
        asked = params.get("Tier") or present or "Standard"
        if (asked, present) == ("Standard", "Advanced"):
            raise AwsError("ValidationException", _DOWNGRADE)
        tier = "Standard" if asked == "Standard" else "Advanced"
        if len(str(params.get("Value") or "")) > _MOST[tier]:
            raise AwsError("ValidationException", _TOO_LONG[tier])

    def _present_tier(self, name: str) -> str | None:
        """Return the tier of the parameter as it is; None where there is none."""
        versions = ssm_backends[self._account][self._region]._parameters.get(name)
        return str(versions[-1].tier) if versions else None
