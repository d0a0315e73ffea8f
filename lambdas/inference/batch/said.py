"""What the controller is told."""

from dataclasses import dataclass

from lambdas.inference.batch.state import Model, Wish

IN_PROGRESS = frozenset({"InProgress", "Stopping"})


@dataclass(frozen=True)
class Look:
    """Something may have changed."""


@dataclass(frozen=True)
class Wanted:
    """A run is wanted."""

    wish: Wish


@dataclass(frozen=True)
class StopWanted:
    """The run that is under way is to be stopped."""

    id: str
    by: str
    reason: str = ""


@dataclass(frozen=True)
class Recorded:
    """The run's model and its input are known and written down."""

    run: str
    model: Model
    objects: int
    bytes: int


@dataclass(frozen=True)
class NotDone:
    """What was to be done for a run could not be.

    Parameters
    ----------
    run, attempt
        For what: the number is its job's, or that of its attempt to load; 0 where there is none yet.
    reason
        Why, in words.
    permanent
        Whether it fails again until a person changes something.
    refused
        Whether it was the job that was refused: SageMaker did not take it, or not its model.
    under_way
        Whether that job or that attempt goes on, as far as it was seen; None where it was not.
    """

    run: str
    reason: str
    permanent: bool
    attempt: int = 0
    refused: bool = False
    under_way: bool | None = None


@dataclass(frozen=True)
class JobSeen:
    """A job as SageMaker shows it."""

    status: str
    reason: str = ""


@dataclass(frozen=True)
class Observed:
    """How a run's objects and its latest job stand.

    Parameters
    ----------
    run, attempt
        What was looked at.
    left
        How many objects have no answer yet.
    changed
        Objects that are no longer what was recorded, in words.
    job
        The latest job; None when there is none of its name.
    """

    run: str
    attempt: int
    left: int
    changed: str = ""
    job: JobSeen | None = None


@dataclass(frozen=True)
class LoadSeen:
    """How an attempt to put a run's answers under their keys stands.

    Parameters
    ----------
    run, attempt
        What was looked at.
    under_way
        Whether it goes on.
    left
        How many files are not loaded to their end, once it does not.
    problem
        What became of it, in words.
    """

    run: str
    attempt: int
    under_way: bool
    left: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Finished:
    """The run's manifest is written; `served` says how many answers can be asked for by key."""

    run: str
    served: str = ""


Said = Look | Wanted | StopWanted | Recorded | NotDone | Observed | LoadSeen | Finished
