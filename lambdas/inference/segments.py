"""Rules that send some callers to one version while two of them are live."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lambdas.inference.settings import Segment

CLIENT, CALLER = "client", "caller"


def choose(
    rules: Sequence[Segment], client: str, caller: str, attributes: Mapping[str, Any]
) -> Literal["live", "candidate"] | None:
    """Return the version that the first rule which holds names; None when none does.

    Parameters
    ----------
    rules
        In their order.
    client
        Who is authenticated.
    caller
        In whose name it asks, as it says; the client where it does not say.
    attributes
        What the client's token says of it; of several values of one attribute, a rule holds for any.
    """
    # Nothing that a token says may stand for who has been authenticated.
    known = {**attributes, CLIENT: client, CALLER: caller}
    return next((rule.send for rule in rules if not rule.values.isdisjoint(_values(known.get(rule.attribute)))), None)


def _values(said: Any) -> list[str]:
    several = said if isinstance(said, list | tuple) else [said]
    return [each for each in several if isinstance(each, str)]
