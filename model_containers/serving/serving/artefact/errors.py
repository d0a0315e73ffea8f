"""What is wrong with a model's files."""

from ..errors import StartError


class ArtefactError(StartError):
    """The model's files cannot be served: some are missing, or they are not those that were approved."""
