"""What is known of the machine that a run took place on."""

import os
import platform
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """The machine, and how busy it was."""

    cores: int
    python: str
    system: str
    load_before: float
    """Processes that wanted a core during the minute before the run: whatever of it is not ours is noise."""

    @property
    def busy(self) -> bool:
        """Whether others took a good part of a core when the run began."""
        return self.load_before > 0.5


def look() -> Machine:
    """Return the machine as it is now."""
    return Machine(os.cpu_count() or 1, platform.python_version(), platform.system(), os.getloadavg()[0])
