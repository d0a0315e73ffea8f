"""How many instances of a front door's function are kept ready, and when."""

from dataclasses import dataclass
from typing import Annotated, Literal

from stacks.config.constraints import Between, Matching

Time = Annotated[str, Matching(r"([01]\d|2[0-3]):[0-5]\d", "a time of day", '"08:00"')]
TimeZone = Annotated[str, Matching(r"[A-Za-z_]+(/[A-Za-z_+-]+)*", "a time zone", "Europe/Berlin")]
Day = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


@dataclass(frozen=True)
class WorkingHours:
    """When more instances of the function are kept ready.

    Parameters
    ----------
    begin
        Time of day from which on,
    end
        and until which.
    days
        Days of the week.
    time_zone
        Whose time that is.
    least
        How many are kept ready then.
    """

    begin: Time
    end: Time
    least: Annotated[int, Between(1, 1000)]
    days: tuple[Day, ...] = ("MON", "TUE", "WED", "THU", "FRI")
    time_zone: TimeZone = "UTC"


@dataclass(frozen=True)
class Provisioned:
    """How many instances of the function are kept ready, so that nobody waits for one to start.

    Parameters
    ----------
    least
        Fewest,
    most
        and most.
    utilisation_percent
        Share of them that is to be busy: with more, more are made ready.
    working_hours
        When the fewest are more; left out, never.
    """

    least: Annotated[int, Between(1, 1000)]
    most: Annotated[int, Between(1, 1000)]
    utilisation_percent: Annotated[int, Between(10, 90)] = 70
    working_hours: WorkingHours | None = None
